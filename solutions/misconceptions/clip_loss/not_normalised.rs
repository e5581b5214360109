//! killed by: lengths, as not_normalised
//! Dot products of the embeddings as they come.

    let logits = image_embeddings.matmul(&text_embeddings.t()?)?;
    let logits = logits.broadcast_mul(&logit_scale.exp()?)?;
    let labels = Tensor::arange(0u32, logits.dim(0)? as u32, logits.device())?;
    let image_loss = cross_entropy(&logits, &labels)?;
    let text_loss = cross_entropy(&logits.t()?, &labels)?;
    Ok(((image_loss + text_loss)? / 2.)?)
