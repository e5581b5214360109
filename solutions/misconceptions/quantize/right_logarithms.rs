//! right
//! Normalised logits first: the constant falls out of the softmax.

    let ln_p = vision_language::candle_nn::ops::log_softmax(logits, 1)?;
    match noise {
        Some(noise) => Ok(softmax(&(&ln_p + noise)?.affine(1. / temperature, 0.)?, 1)?),
        None => {
            let zeros = logits.zeros_like()?;
            let best = logits.argmax_keepdim(1)?;
            let ones = best.to_dtype(DType::F32)?.ones_like()?;
            Ok(zeros.scatter_add(&best, &ones, 1)?)
        }
    }
