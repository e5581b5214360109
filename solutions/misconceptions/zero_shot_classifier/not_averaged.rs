//! killed by: rows, as not_averaged
//! A row a sentence.

    let mut sentences = Vec::new();
    for name in class_names {
        sentences.extend(templates.iter().map(|t| t.replace("{label}", name)));
    }
    l2_normalize(&encode_text(&sentences)?)
