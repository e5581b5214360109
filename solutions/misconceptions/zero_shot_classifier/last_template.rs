//! killed by: mean, as one_template
//! Each template replaces what the one before has given.

    let mut weights = None;
    for template in templates {
        let sentences: Vec<String> =
            class_names.iter().map(|name| template.replace("{label}", name)).collect();
        weights = Some(l2_normalize(&encode_text(&sentences)?)?);
    }
    Ok(weights.unwrap())
