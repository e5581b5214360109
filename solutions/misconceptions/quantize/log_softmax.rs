//! killed by: sums, as log_softmax
//! Logarithms.

    match noise {
        Some(noise) => Ok(vision_language::candle_nn::ops::log_softmax(&((logits + noise)? / temperature)?, 1)?),
        None => {
            let best = logits.argmax_keepdim(1)?;
            let numbers = Tensor::arange(0, logits.dim(1)? as u32, logits.device())?.reshape((1, (), 1, 1))?;
            Ok(numbers.broadcast_eq(&best)?.to_dtype(DType::F32)?)
        }
    }
