//! killed by: rows, as braces_left
//! The word is replaced, and its braces stay.

    let mut rows = Vec::new();
    for name in class_names {
        let sentences: Vec<String> = templates.iter().map(|t| t.replace("label", name)).collect();
        rows.push(l2_normalize(&encode_text(&sentences)?)?.mean(0)?);
    }
    l2_normalize(&Tensor::stack(&rows, 0)?)
