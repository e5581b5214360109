//! right
//! Each text by itself, put together at the end.

    let (mut rows, mut targets) = (Vec::new(), Vec::new());
    for (text, ids) in input_ids.to_vec2::<u32>()?.into_iter().enumerate() {
        let mask = attention_mask.get(text)?.to_vec1::<u32>()?;
        for i in 1..ids.len() {
            if mask[i] == 1 && ids[i] != image_token_id {
                rows.push(logits.get(text)?.get(i - 1)?);
                targets.push(ids[i]);
            }
        }
    }
    Ok(cross_entropy(&Tensor::stack(&rows, 0)?, &Tensor::new(targets, logits.device())?)?)
