//! killed by: rows, as classes_averaged
//! The mean over everything.

    let mut sentences = Vec::new();
    for name in class_names {
        sentences.extend(templates.iter().map(|t| t.replace("{label}", name)));
    }
    let mean = l2_normalize(&encode_text(&sentences)?)?.mean_keepdim(0)?;
    l2_normalize(&mean)
