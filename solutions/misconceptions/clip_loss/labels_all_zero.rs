//! killed by: pairs, as wrong_labels
//! Every picture belongs to the first caption.

    let (i, t) = (l2_normalize(image_embeddings)?, l2_normalize(text_embeddings)?);
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;

    let labels = Tensor::zeros(logits.dim(0)?, DType::U32, logits.device())?;
    Ok(((cross_entropy(&logits, &labels)? + cross_entropy(&logits.t()?, &labels)?)? / 2.)?)
