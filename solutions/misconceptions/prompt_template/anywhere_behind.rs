//! killed by: slot, as read_anywhere
//! Everything behind the slot is searched.
// HOLE 2
    let (before, _) = prompt.split_once("[Z]").ok_or_else(|| Error::value("prompt", "a [Z]", prompt))?;
    let filled = completed
        .strip_prefix(before.trim_end())
        .ok_or_else(|| Error::value("completed", before, completed))?;
    let filled = filled.to_lowercase();
    Ok(answers.iter().position(|answer| filled.contains(&answer.to_lowercase())))
