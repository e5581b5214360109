//! killed by: lengths, as wrong_axis
//! One length for the whole table.

    let i = image_embeddings.broadcast_div(&image_embeddings.sqr()?.sum_all()?.sqrt()?)?;
    let t = text_embeddings.broadcast_div(&text_embeddings.sqr()?.sum_all()?.sqrt()?)?;
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;
    let labels = Tensor::arange(0u32, logits.dim(0)? as u32, logits.device())?;
    let image_loss = cross_entropy(&logits, &labels)?;
    let text_loss = cross_entropy(&logits.t()?, &labels)?;
    Ok(((image_loss + text_loss)? / 2.)?)
