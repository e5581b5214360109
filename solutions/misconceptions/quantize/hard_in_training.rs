//! killed by: value, as hard_in_training
//! The Gumbel-max choice itself: no gradient.

    match noise {
        Some(noise) => {
            let best = (logits + noise)?.argmax_keepdim(1)?;
            let numbers = Tensor::arange(0, logits.dim(1)? as u32, logits.device())?.reshape((1, (), 1, 1))?;
            Ok(numbers.broadcast_eq(&best)?.to_dtype(DType::F32)?)
        },
        None => {
            let best = logits.argmax_keepdim(1)?;
            let numbers = Tensor::arange(0, logits.dim(1)? as u32, logits.device())?.reshape((1, (), 1, 1))?;
            Ok(numbers.broadcast_eq(&best)?.to_dtype(DType::F32)?)
        }
    }
