//! killed by: whole, as part_of_a_word
//! What a word begins with.
// HOLE 2
    let (before, _) = prompt.split_once("[Z]").ok_or_else(|| Error::value("prompt", "a [Z]", prompt))?;
    let filled = completed
        .strip_prefix(before.trim_end())
        .ok_or_else(|| Error::value("completed", before, completed))?;
    let filled = filled.trim_start().to_lowercase();
    let fitting = (0..answers.len()).filter(|i| filled.starts_with(&answers[*i].to_lowercase()));
    Ok(fitting.max_by_key(|i| answers[*i].len()))
