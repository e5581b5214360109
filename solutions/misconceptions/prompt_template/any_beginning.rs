//! killed by: none, as other_prompt
//! Whatever the text begins with.
// HOLE 2
    let (before, _) = prompt.split_once("[Z]").ok_or_else(|| Error::value("prompt", "a [Z]", prompt))?;
    let filled = completed.strip_prefix(before.trim_end()).unwrap_or(completed);
    let filled = filled.trim_start().to_lowercase();
    let fits = |answer: &String| {
        let rest = filled.strip_prefix(&answer.to_lowercase());
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    let fitting = (0..answers.len()).filter(|i| fits(&answers[*i]));
    Ok(fitting.max_by_key(|i| answers[*i].len()))
