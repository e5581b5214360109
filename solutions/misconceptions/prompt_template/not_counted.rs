//! killed by: refused, as not_refused
//! Marks are not counted.

    Ok(template.replace("[X]", x))
