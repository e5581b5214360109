//! killed by: unit, as not_normalised
//! Nothing is normalised.

    let mut rows = Vec::new();
    for name in class_names {
        let sentences: Vec<String> = templates.iter().map(|t| t.replace("{label}", name)).collect();
        rows.push(encode_text(&sentences)?.mean(0)?);
    }
    Ok(Tensor::stack(&rows, 0)?)
