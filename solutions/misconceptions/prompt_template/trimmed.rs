//! killed by: verbatim, as input_changed
//! The input is trimmed.

    for slot in ["[X]", "[Z]"] {
        if template.matches(slot).count() != 1 {
            return Err(Error::value("template", format!("one {slot}"), template));
        }
    }
    Ok(template.replace("[X]", x.trim()))
