//! killed by: sums, as wrong_axis
//! Over the pictures.

    match noise {
        Some(noise) => Ok(softmax(&((logits + noise)? / temperature)?, 0)?),
        None => {
            let best = logits.argmax_keepdim(1)?;
            let numbers = Tensor::arange(0, logits.dim(1)? as u32, logits.device())?.reshape((1, (), 1, 1))?;
            Ok(numbers.broadcast_eq(&best)?.to_dtype(DType::F32)?)
        }
    }
