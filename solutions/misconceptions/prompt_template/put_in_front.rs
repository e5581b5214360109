//! killed by: template, as order_changed
//! The input stands first, whatever the template says.

    for slot in ["[X]", "[Z]"] {
        if template.matches(slot).count() != 1 {
            return Err(Error::value("template", format!("one {slot}"), template));
        }
    }
    Ok(format!("{x}{}", template.replace("[X]", "")))
