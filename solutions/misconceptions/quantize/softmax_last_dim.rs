//! killed by: gradients, as detached
//! The fused softmax, whose gradient stops.

    match noise {
        Some(noise) => {
            let rows = ((logits + noise)? / temperature)?.permute((0, 2, 3, 1))?.contiguous()?;
            Ok(vision_language::candle_nn::ops::softmax_last_dim(&rows)?.permute((0, 3, 1, 2))?)
        },
        None => {
            let best = logits.argmax_keepdim(1)?;
            let numbers = Tensor::arange(0, logits.dim(1)? as u32, logits.device())?.reshape((1, (), 1, 1))?;
            Ok(numbers.broadcast_eq(&best)?.to_dtype(DType::F32)?)
        }
    }
