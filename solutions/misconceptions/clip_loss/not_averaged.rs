//! killed by: number, as not_averaged
//! A loss for each pair.

    let (i, t) = (l2_normalize(image_embeddings)?, l2_normalize(text_embeddings)?);
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;

    let log_softmax = |x: &Tensor| vision_language::candle_nn::ops::log_softmax(x, D::Minus1);
    let eye = Tensor::eye(logits.dim(0)?, DType::F32, logits.device())?;
    let both = (log_softmax(&logits)? + log_softmax(&logits.t()?)?)?;
    Ok(((both * eye)?.sum(D::Minus1)? / -2.)?)
