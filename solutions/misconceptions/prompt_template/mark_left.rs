//! killed by: slide, as not_filled
//! The input stands behind the mark.

    for slot in ["[X]", "[Z]"] {
        if template.matches(slot).count() != 1 {
            return Err(Error::value("template", format!("one {slot}"), template));
        }
    }
    Ok(template.replace("[X]", &format!("[X] {x}")))
