//! killed by: sentences, as template_not_filled
//! The place has another name than in the templates.

    let mut rows = Vec::new();
    for name in class_names {
        let sentences: Vec<String> = templates.iter().map(|t| t.replace("{name}", name)).collect();
        rows.push(l2_normalize(&encode_text(&sentences)?)?.mean(0)?);
    }
    l2_normalize(&Tensor::stack(&rows, 0)?)
