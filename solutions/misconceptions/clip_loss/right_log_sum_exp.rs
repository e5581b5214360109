//! right
//! The logarithm of the sum, minus the diagonal, in plain steps.

    let (i, t) = (l2_normalize(image_embeddings)?, l2_normalize(text_embeddings)?);
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;

    let b = logits.dim(0)?;
    let eye = Tensor::eye(b, DType::F32, logits.device())?;
    let right = (&logits * eye)?.sum_all()?;
    let rows = logits.exp()?.sum(1)?.log()?.sum_all()?;
    let columns = logits.exp()?.sum(0)?.log()?.sum_all()?;
    Ok((((rows + columns)? / 2.)? - right)?.affine(1. / b as f64, 0.)?)
