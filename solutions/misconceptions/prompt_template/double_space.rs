//! killed by: slide, as spaces_changed
//! A space of one's own.

    for slot in ["[X]", "[Z]"] {
        if template.matches(slot).count() != 1 {
            return Err(Error::value("template", format!("one {slot}"), template));
        }
    }
    Ok(format!("{x} {}", template.replace("[X]", "")))
