//! killed by: order, as rows_mixed_up
//! A map sorts its keys.

    let mut rows = std::collections::BTreeMap::new();
    for name in class_names {
        let sentences: Vec<String> = templates.iter().map(|t| t.replace("{label}", name)).collect();
        rows.insert(name, l2_normalize(&encode_text(&sentences)?)?.mean(0)?);
    }
    l2_normalize(&Tensor::stack(&rows.into_values().collect::<Vec<_>>(), 0)?)
