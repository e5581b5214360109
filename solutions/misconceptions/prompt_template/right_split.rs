//! right
//! Cut and put together.

    for slot in ["[X]", "[Z]"] {
        if template.matches(slot).count() != 1 {
            return Err(Error::value("template", format!("one {slot}"), template));
        }
    }
    let (before, after) = template.split_once("[X]").unwrap_or((template, ""));
    Ok([before, x, after].concat())
