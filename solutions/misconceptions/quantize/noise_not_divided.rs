//! killed by: value, as noise_not_divided
//! The temperature divides the logits alone.

    match noise {
        Some(noise) => Ok(softmax(&((logits / temperature)? + noise)?, 1)?),
        None => {
            let best = logits.argmax_keepdim(1)?;
            let numbers = Tensor::arange(0, logits.dim(1)? as u32, logits.device())?.reshape((1, (), 1, 1))?;
            Ok(numbers.broadcast_eq(&best)?.to_dtype(DType::F32)?)
        }
    }
