//! killed by: unit, as wrong_axis
//! The classes' columns made one long.

    let mut rows = Vec::new();
    for name in class_names {
        let sentences: Vec<String> = templates.iter().map(|t| t.replace("{label}", name)).collect();
        rows.push(l2_normalize(&encode_text(&sentences)?)?.mean(0)?);
    }
    let weights = Tensor::stack(&rows, 0)?;
    let lengths = weights.sqr()?.sum_keepdim(0)?.sqrt()?;
    Ok(weights.broadcast_div(&lengths)?)
