//! killed by: lengths, as wrong_axis
//! Normalised over the batch instead of over the numbers of a row.

    let i = l2_normalize(&image_embeddings.t()?)?.t()?;
    let t = l2_normalize(&text_embeddings.t()?)?.t()?;
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;
    let labels = Tensor::arange(0u32, logits.dim(0)? as u32, logits.device())?;
    let image_loss = cross_entropy(&logits, &labels)?;
    let text_loss = cross_entropy(&logits.t()?, &labels)?;
    Ok(((image_loss + text_loss)? / 2.)?)
