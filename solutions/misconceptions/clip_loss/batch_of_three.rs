//! killed by: pairs, as batch_of_three
//! The batch size written down.

    let (i, t) = (l2_normalize(image_embeddings)?, l2_normalize(text_embeddings)?);
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;

    let labels = Tensor::new(&[0u32, 1, 2], logits.device())?;
    Ok(((cross_entropy(&logits, &labels)? + cross_entropy(&logits.t()?, &labels)?)? / 2.)?)
