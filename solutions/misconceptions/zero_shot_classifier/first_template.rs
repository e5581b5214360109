//! killed by: mean, as one_template
//! No ensemble.

    let sentences: Vec<String> =
        class_names.iter().map(|name| templates[0].replace("{label}", name)).collect();
    l2_normalize(&encode_text(&sentences)?)
