//! killed by: longest, as one_word_only
//! Only the first word is looked at.
// HOLE 2
    let (before, _) = prompt.split_once("[Z]").ok_or_else(|| Error::value("prompt", "a [Z]", prompt))?;
    let filled = completed
        .strip_prefix(before.trim_end())
        .ok_or_else(|| Error::value("completed", before, completed))?;
    let filled = filled.trim_start().to_lowercase();
    let word = filled.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    Ok(answers.iter().position(|answer| answer.to_lowercase() == word))
