//! right
//! The other way round: captions times pictures, the mean as a half of each.

    let t = l2_normalize(text_embeddings)?.broadcast_mul(&logit_scale.exp()?)?;
    let logits = t.matmul(&l2_normalize(image_embeddings)?.t()?)?;
    let b = image_embeddings.dim(0)? as u32;
    let labels = Tensor::from_iter(0..b, image_embeddings.device())?;
    Ok(((cross_entropy(&logits, &labels)? * 0.5)? + (cross_entropy(&logits.t()?, &labels)? * 0.5)?)?)
