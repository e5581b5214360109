//! killed by: shift, as shifted_back
//! Each place is asked for the token before it.

    let (b, t, v) = logits.dims3()?;
    let rows = logits.narrow(1, 1, t - 1)?.reshape((b * (t - 1), v))?;
    let targets = input_ids.narrow(1, 0, t - 1)?.flatten_all()?;
    let logs = vision_language::candle_nn::ops::log_softmax(&rows, 1)?;
    let nats = logs.gather(&targets.unsqueeze(1)?, 1)?.squeeze(1)?.neg()?;
    let words = targets.ne(image_token_id)?.to_dtype(DType::F32)?;
    let tokens = attention_mask.narrow(1, 0, t - 1)?.flatten_all()?.to_dtype(DType::F32)?;
    let counted = (words * tokens)?;
    Ok((nats * &counted)?.sum_all()?.div(&counted.sum_all()?)?)
