//! killed by: template, as slide_only
//! The slide's template, whatever comes.

    for slot in ["[X]", "[Z]"] {
        if template.matches(slot).count() != 1 {
            return Err(Error::value("template", format!("one {slot}"), template));
        }
    }
    Ok(format!("{x} Overall, it was a [Z] movie."))
