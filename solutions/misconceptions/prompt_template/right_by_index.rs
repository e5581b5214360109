//! right
//! By byte places.
// HOLE 2
    let slot = prompt.find("[Z]").ok_or_else(|| Error::value("prompt", "a [Z]", prompt))?;
    let before = prompt[..slot].trim_end();
    if !completed.starts_with(before) {
        return Err(Error::value("completed", before, completed));
    }
    let filled = completed[before.len()..].trim().to_lowercase();
    let mut best: Option<usize> = None;
    for (i, answer) in answers.iter().enumerate() {
        let small = answer.to_lowercase();
        let whole = filled.starts_with(&small)
            && !filled[small.len()..].chars().next().is_some_and(|c| c.is_alphanumeric());
        if whole && best.is_none_or(|b| answer.len() > answers[b].len()) {
            best = Some(i);
        }
    }
    Ok(best)
