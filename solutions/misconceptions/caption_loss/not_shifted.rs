//! killed by: shift, as not_shifted
//! Each place is asked for its own token.

    let (b, t, v) = logits.dims3()?;
    let rows = logits.reshape((b * t, v))?;
    let targets = input_ids.flatten_all()?;
    let logs = vision_language::candle_nn::ops::log_softmax(&rows, 1)?;
    let nats = logs.gather(&targets.unsqueeze(1)?, 1)?.squeeze(1)?.neg()?;
    let words = targets.ne(image_token_id)?.to_dtype(DType::F32)?;
    let counted = (words * attention_mask.flatten_all()?.to_dtype(DType::F32)?)?;
    Ok((nats * &counted)?.sum_all()?.div(&counted.sum_all()?)?)
