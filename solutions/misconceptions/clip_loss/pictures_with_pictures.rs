//! killed by: both_sides, as one_modality
//! The captions are forgotten.

    let i = l2_normalize(image_embeddings)?;
    let _ = text_embeddings;
    let logits = i.matmul(&i.t()?)?.broadcast_mul(&logit_scale.exp()?)?;
    let labels = Tensor::arange(0u32, logits.dim(0)? as u32, logits.device())?;
    let image_loss = cross_entropy(&logits, &labels)?;
    let text_loss = cross_entropy(&logits.t()?, &labels)?;
    Ok(((image_loss + text_loss)? / 2.)?)
