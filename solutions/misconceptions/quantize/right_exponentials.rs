//! right
//! The softmax by hand, the one-hot by comparison with the largest.

    let Some(noise) = noise else {
        return Ok(logits.broadcast_eq(&logits.max_keepdim(1)?)?.to_dtype(DType::F32)?);
    };
    let cooled = ((logits + noise)? / temperature)?;
    let parts = cooled.broadcast_sub(&cooled.max_keepdim(1)?)?.exp()?;
    Ok(parts.broadcast_div(&parts.sum_keepdim(1)?)?)
