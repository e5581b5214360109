//! killed by: pairs, as log_softmax_sign
//! The logarithm without its minus.

    let (i, t) = (l2_normalize(image_embeddings)?, l2_normalize(text_embeddings)?);
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;

    let log_softmax = |x: &Tensor| vision_language::candle_nn::ops::log_softmax(x, D::Minus1);
    let eye = Tensor::eye(logits.dim(0)?, DType::F32, logits.device())?;
    let b = logits.dim(0)? as f64;
    let right = ((log_softmax(&logits)? + log_softmax(&logits.t()?)?)? * eye)?.sum_all()?;
    Ok((right / (2. * b))?)
