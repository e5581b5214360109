//! killed by: sentences, as text_changed
//! The tokenizer's business.

    let mut rows = Vec::new();
    for name in class_names {
        let sentences: Vec<String> =
            templates.iter().map(|t| t.replace("{label}", name).to_lowercase()).collect();
        rows.push(l2_normalize(&encode_text(&sentences)?)?.mean(0)?);
    }
    l2_normalize(&Tensor::stack(&rows, 0)?)
