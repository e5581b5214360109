//! killed by: value, as other_length
//! The length of the taxi driver.

    let unit = |x: &Tensor| x.broadcast_div(&x.abs()?.sum_keepdim(1)?);
    let logits = unit(image_embeddings)?.matmul(&unit(text_embeddings)?.t()?)?;
    let logits = logits.broadcast_mul(&logit_scale.exp()?)?;
    let labels = Tensor::arange(0u32, logits.dim(0)? as u32, logits.device())?;
    let image_loss = cross_entropy(&logits, &labels)?;
    let text_loss = cross_entropy(&logits.t()?, &labels)?;
    Ok(((image_loss + text_loss)? / 2.)?)
