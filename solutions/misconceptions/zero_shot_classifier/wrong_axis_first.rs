//! killed by: mean, as wrong_axis
//! The sentences' columns made one long.

    let mut rows = Vec::new();
    for name in class_names {
        let sentences: Vec<String> = templates.iter().map(|t| t.replace("{label}", name)).collect();
        let embeddings = encode_text(&sentences)?;
        let lengths = embeddings.sqr()?.sum_keepdim(0)?.sqrt()?;
        rows.push(embeddings.broadcast_div(&lengths)?.mean(0)?);
    }
    l2_normalize(&Tensor::stack(&rows, 0)?)
