//! killed by: hard, as wrong_axis
//! The largest of each row of places.

    match noise {
        Some(noise) => Ok(softmax(&((logits + noise)? / temperature)?, 1)?),
        None => {
            Ok(logits.broadcast_eq(&logits.max_keepdim(3)?)?.to_dtype(DType::F32)?)
        }
    }
