//! killed by: unit, as not_unit_length
//! The mean of unit vectors is shorter than they are.

    let mut rows = Vec::new();
    for name in class_names {
        let sentences: Vec<String> = templates.iter().map(|t| t.replace("{label}", name)).collect();
        rows.push(l2_normalize(&encode_text(&sentences)?)?.mean(0)?);
    }
    Ok(Tensor::stack(&rows, 0)?)
