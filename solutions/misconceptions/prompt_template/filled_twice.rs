//! killed by: verbatim, as filled_again
//! Fills two times.

    for slot in ["[X]", "[Z]"] {
        if template.matches(slot).count() != 1 {
            return Err(Error::value("template", format!("one {slot}"), template));
        }
    }
    Ok(template.replace("[X]", x).replace("[X]", x))
