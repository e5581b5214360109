//! killed by: slide, as input_changed
//! Everything in small letters.

    Ok(template.replace("[X]", x).to_lowercase())
