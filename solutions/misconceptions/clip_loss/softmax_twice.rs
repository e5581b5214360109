//! killed by: pairs, as softmax_twice
//! Probabilities where cross_entropy wants logits.

    let (i, t) = (l2_normalize(image_embeddings)?, l2_normalize(text_embeddings)?);
    let logits = i.matmul(&t.t()?)?.broadcast_mul(&logit_scale.exp()?)?;

    let softmax = |x: &Tensor| vision_language::candle_nn::ops::softmax(x, D::Minus1);
    let labels = Tensor::arange(0u32, logits.dim(0)? as u32, logits.device())?;
    let image_loss = cross_entropy(&softmax(&logits)?, &labels)?;
    let text_loss = cross_entropy(&softmax(&logits.t()?)?, &labels)?;
    Ok(((image_loss + text_loss)? / 2.)?)
