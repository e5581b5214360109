//! killed by: spaces, as letter_case
//! Letter case counts.
// HOLE 2
    let (before, _) = prompt.split_once("[Z]").ok_or_else(|| Error::value("prompt", "a [Z]", prompt))?;
    let filled = completed
        .strip_prefix(before.trim_end())
        .ok_or_else(|| Error::value("completed", before, completed))?;
    let filled = filled.trim_start();
    let fits = |answer: &String| {
        let rest = filled.strip_prefix(answer.as_str());
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    let fitting = (0..answers.len()).filter(|i| fits(&answers[*i]));
    Ok(fitting.max_by_key(|i| answers[*i].len()))
