//! killed by: value, as not_averaged
//! The sum over the batch instead of the mean.

    let (i, t) = (l2_normalize(image_embeddings)?, l2_normalize(text_embeddings)?);
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;

    let labels = Tensor::arange(0u32, logits.dim(0)? as u32, logits.device())?;
    let both = (cross_entropy(&logits, &labels)? + cross_entropy(&logits.t()?, &labels)?)?;
    Ok((both * (logits.dim(0)? as f64 / 2.))?)
