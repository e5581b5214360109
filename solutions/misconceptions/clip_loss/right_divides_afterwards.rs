//! right
//! The lengths are divided out of the products.

    let length = |x: &Tensor| x.sqr()?.sum_keepdim(1)?.sqrt();
    let lengths = length(image_embeddings)?.matmul(&length(text_embeddings)?.t()?)?;
    let cosines = (image_embeddings.matmul(&text_embeddings.t()?)? / lengths)?;
    let logits = cosines.broadcast_mul(&logit_scale.exp()?)?;
    let labels = Tensor::arange(0u32, logits.dim(0)? as u32, logits.device())?;
    let image_loss = cross_entropy(&logits, &labels)?;
    let text_loss = cross_entropy(&logits.t()?, &labels)?;
    Ok(((image_loss + text_loss)? / 2.)?)
