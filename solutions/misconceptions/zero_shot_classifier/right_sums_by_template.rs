//! right
//! Template by template; the sum points where the mean does.

    let mut sum: Option<Tensor> = None;
    for template in templates {
        let sentences: Vec<String> =
            class_names.iter().map(|name| template.split("{label}").collect::<Vec<_>>().join(name)).collect();
        let directions = l2_normalize(&encode_text(&sentences)?)?;
        sum = Some(match sum {
            Some(sum) => (sum + directions)?,
            None => directions,
        });
    }
    l2_normalize(&sum.expect("a template"))
