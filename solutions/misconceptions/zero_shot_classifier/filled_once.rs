//! killed by: sentences, as filled_once
//! Only the first place.

    let mut rows = Vec::new();
    for name in class_names {
        let sentences: Vec<String> =
            templates.iter().map(|t| t.replacen("{label}", name, 1)).collect();
        rows.push(l2_normalize(&encode_text(&sentences)?)?.mean(0)?);
    }
    l2_normalize(&Tensor::stack(&rows, 0)?)
