//! killed by: gradients, as detached
//! candle's fused softmax stops the gradient silently.

    let (i, t) = (l2_normalize(image_embeddings)?, l2_normalize(text_embeddings)?);
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;

    use vision_language::candle_nn::ops::softmax_last_dim;
    let eye = Tensor::eye(logits.dim(0)?, DType::F32, logits.device())?;
    let b = logits.dim(0)? as f64;
    let log = |x: &Tensor| -> Result<Tensor> { Ok(softmax_last_dim(&x.contiguous()?)?.log()?) };
    let both = (log(&logits)? + log(&logits.t()?)?)?;
    Ok(((both * eye)?.sum_all()? / (-2. * b))?)
