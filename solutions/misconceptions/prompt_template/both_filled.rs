//! killed by: slide, as slot_lost
//! Both marks are filled.

    Ok(template.replace("[X]", x).replace("[Z]", "good"))
