//! killed by: slide, as slot_lost
//! The slot is taken out.

    for slot in ["[X]", "[Z]"] {
        if template.matches(slot).count() != 1 {
            return Err(Error::value("template", format!("one {slot}"), template));
        }
    }
    Ok(template.replace("[X]", x).replace("[Z]", ""))
