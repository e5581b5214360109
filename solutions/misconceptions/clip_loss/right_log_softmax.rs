//! right
//! Written out with log-softmax and the diagonal.

    let (i, t) = (l2_normalize(image_embeddings)?, l2_normalize(text_embeddings)?);
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;

    let log_softmax = |x: &Tensor, dim| vision_language::candle_nn::ops::log_softmax(x, dim);
    let eye = Tensor::eye(logits.dim(0)?, DType::F32, logits.device())?;
    let b = logits.dim(0)? as f64;
    let both = (log_softmax(&logits, 1)? + log_softmax(&logits, 0)?)?;
    Ok(((both * eye)?.sum_all()? / (-2. * b))?)
