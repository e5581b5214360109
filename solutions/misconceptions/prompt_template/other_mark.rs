//! killed by: slide, as not_filled
//! A mark of another kind.

    Ok(template.replace("{X}", x))
