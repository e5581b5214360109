//! killed by: pairs, as wrong_labels
//! Counted from the end.

    let (i, t) = (l2_normalize(image_embeddings)?, l2_normalize(text_embeddings)?);
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;

    let b = logits.dim(0)? as u32;
    let labels = Tensor::new((0..b).rev().collect::<Vec<_>>(), logits.device())?;
    Ok(((cross_entropy(&logits, &labels)? + cross_entropy(&logits.t()?, &labels)?)? / 2.)?)
