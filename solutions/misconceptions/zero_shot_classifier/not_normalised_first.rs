//! killed by: mean, as not_normalised_first
//! The mean of embeddings as they leave the head: long ones count more.

    let mut rows = Vec::new();
    for name in class_names {
        let sentences: Vec<String> = templates.iter().map(|t| t.replace("{label}", name)).collect();
        rows.push(encode_text(&sentences)?.mean(0)?);
    }
    l2_normalize(&Tensor::stack(&rows, 0)?)
