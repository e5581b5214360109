//! killed by: verbatim, as filled_again
//! Fills as long as there is a mark.

    for slot in ["[X]", "[Z]"] {
        if template.matches(slot).count() != 1 {
            return Err(Error::value("template", format!("one {slot}"), template));
        }
    }
    let mut prompt = template.to_string();
    while prompt.contains("[X]") {
        prompt = prompt.replacen("[X]", x, 1);
    }
    Ok(prompt)
