//! killed by: value, as tables_averaged
//! One cross-entropy of the mean of both tables.

    let (i, t) = (l2_normalize(image_embeddings)?, l2_normalize(text_embeddings)?);
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;

    let labels = Tensor::arange(0u32, logits.dim(0)? as u32, logits.device())?;
    Ok(cross_entropy(&((&logits + logits.t()?)? / 2.)?, &labels)?)
