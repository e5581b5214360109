//! killed by: slide, as template_forgotten
//! The template is not used.

    for slot in ["[X]", "[Z]"] {
        if template.matches(slot).count() != 1 {
            return Err(Error::value("template", format!("one {slot}"), template));
        }
    }
    Ok(x.to_string())
