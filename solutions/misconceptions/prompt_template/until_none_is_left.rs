//! killed by: verbatim, as filled_again
//! Fills as long as there is a mark.

    for slot in ["[X]", "[Z]"] {
        if template.matches(slot).count() != 1 {
            return Err(Error::value("template", format!("one {slot}"), template));
        }
    }
    let mut prompt = template.to_string();
    // Without an end it would be where the input holds the mark: a hundred times are enough to be wrong.
    for _ in 0..100 {
        prompt = prompt.replacen("[X]", x, 1);
    }
    Ok(prompt)
