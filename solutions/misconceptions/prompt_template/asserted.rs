//! killed by: refused, as panics
//! An assertion.

    for slot in ["[X]", "[Z]"] {
        assert_eq!(template.matches(slot).count(), 1);
    }
    Ok(template.replace("[X]", x))
