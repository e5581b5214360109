//! killed by: number, as no_transpose
//! Two tables that do not fit.

    let logits = l2_normalize(image_embeddings)?.matmul(&l2_normalize(text_embeddings)?)?;
    let logits = logits.broadcast_mul(&logit_scale.exp()?)?;
    let labels = Tensor::arange(0u32, logits.dim(0)? as u32, logits.device())?;
    let image_loss = cross_entropy(&logits, &labels)?;
    let text_loss = cross_entropy(&logits.t()?, &labels)?;
    Ok(((image_loss + text_loss)? / 2.)?)
