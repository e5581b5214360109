//! killed by: weights, as layout_written_down
//! The paper's eighths, whatever the layout says.

    let (b, t) = text_ids.dims2()?;
    let n = image_codes.dim(1)?;
    let (mut ids, mut positions, mut targets, mut weights) = (vec![], vec![], vec![], vec![]);
    let text_weight = (0.125 / (b * (t - 1)) as f64) as f32;
    let image_weight = (0.875 / (b * n) as f64) as f32;
    for (words, codes) in text_ids.to_vec2::<u32>()?.iter().zip(image_codes.to_vec2::<u32>()?) {
        let mut row: Vec<u32> = Vec::new();
        let text: Vec<u32> = words.iter().enumerate()
            .map(|(i, id)| if *id == layout.pad_id { (layout.text_vocabulary + i) as u32 } else { let _ = i; *id })
            .collect();
        let image: Vec<u32> = codes.iter().map(|code| layout.first_code() as u32 + code).collect();
        row.extend(&text); row.extend(&image);
        targets.extend(row[1..].iter().copied()); targets.push(0);
        positions.extend((0..t as u32).chain(0..n as u32));
        weights.extend(vec![text_weight; t - 1]); weights.extend(vec![image_weight; n]); weights.push(0.);
        ids.extend(row);
    }
    let (shape, device) = ((b, t + n), text_ids.device());
    Ok(Sequence {
        ids: Tensor::from_vec(ids, shape, device)?,
        positions: Tensor::from_vec(positions, shape, device)?,
        targets: Tensor::from_vec(targets, shape, device)?,
        weights: Tensor::from_vec(weights, shape, device)?,
    })
