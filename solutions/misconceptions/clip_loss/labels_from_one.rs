//! killed by: number, as wrong_labels
//! There is no caption b.

    let (i, t) = (l2_normalize(image_embeddings)?, l2_normalize(text_embeddings)?);
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;

    let b = logits.dim(0)? as u32;
    let labels = Tensor::arange(1u32, b + 1, logits.device())?;
    Ok(((cross_entropy(&logits, &labels)? + cross_entropy(&logits.t()?, &labels)?)? / 2.)?)
