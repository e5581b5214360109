//! killed by: whole, as punctuation
//! The first word by spaces.
// HOLE 2
    let (before, _) = prompt.split_once("[Z]").ok_or_else(|| Error::value("prompt", "a [Z]", prompt))?;
    let filled = completed
        .strip_prefix(before.trim_end())
        .ok_or_else(|| Error::value("completed", before, completed))?;
    let word = filled.split_whitespace().next().unwrap_or_default().to_lowercase();
    Ok(answers.iter().position(|answer| answer.to_lowercase() == word))
