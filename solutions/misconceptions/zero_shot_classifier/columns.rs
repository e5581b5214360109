//! killed by: rows, as columns
//! As in CLIP's own notebook, which stacks along dimension 1.

    let mut columns = Vec::new();
    for name in class_names {
        let sentences: Vec<String> = templates.iter().map(|t| t.replace("{label}", name)).collect();
        let mean = l2_normalize(&encode_text(&sentences)?)?.mean_keepdim(0)?;
        columns.push(l2_normalize(&mean)?.squeeze(0)?);
    }
    Ok(Tensor::stack(&columns, 1)?)
