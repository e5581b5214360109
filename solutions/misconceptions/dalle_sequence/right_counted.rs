//! right
//! Weights by looking at the targets.

    let (b, t) = text_ids.dims2()?;
    let length = layout.len();
    let first = layout.first_code() as u32;
    let mut ids: Vec<u32> = Vec::new();
    for (words, codes) in text_ids.to_vec2::<u32>()?.into_iter().zip(image_codes.to_vec2::<u32>()?) {
        for (i, id) in words.into_iter().enumerate() {
            ids.push(if id == layout.pad_id { (layout.text_vocabulary + i) as u32 } else { id });
        }
        ids.extend(codes.into_iter().map(|code| first + code));
    }
    let last = |i: usize| i % length == length - 1;
    let targets: Vec<u32> = (0..ids.len()).map(|i| if last(i) { 0 } else { ids[i + 1] }).collect();
    let is_code = |i: usize| targets[i] >= first;
    let codes = (0..ids.len()).filter(|i| !last(*i) && is_code(*i)).count() as f64;
    let words = (b * (length - 1)) as f64 - codes;
    let weight = |i: usize| match (last(i), is_code(i)) {
        (true, _) => 0.,
        (_, true) => (layout.image_weight / codes) as f32,
        (_, false) => (layout.text_weight / words) as f32,
    };
    let weights: Vec<f32> = (0..ids.len()).map(weight).collect();
    let place = |i: usize| { let p = i % length; (if p < t { p } else { p - t }) as u32 };
    let positions: Vec<u32> = (0..ids.len()).map(place).collect();
    let device = text_ids.device();
    Ok(Sequence {
        ids: Tensor::from_vec(ids, (b, length), device)?,
        positions: Tensor::from_vec(positions, (b, length), device)?,
        targets: Tensor::from_vec(targets, (b, length), device)?,
        weights: Tensor::from_vec(weights, (b, length), device)?,
    })
