//! killed by: slot, as error_for_none
//! An error where there is no answer.
// HOLE 2
    let (before, _) = prompt.split_once("[Z]").ok_or_else(|| Error::value("prompt", "a [Z]", prompt))?;
    let filled = completed
        .strip_prefix(before.trim_end())
        .ok_or_else(|| Error::value("completed", before, completed))?;
    let filled = filled.trim_start().to_lowercase();
    let fits = |answer: &String| {
        let rest = filled.strip_prefix(&answer.to_lowercase());
        rest.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    let fitting = (0..answers.len()).filter(|i| fits(&answers[*i]));
    let best = fitting.max_by_key(|i| answers[*i].len());
    best.map(Some).ok_or_else(|| Error::value("completed", "one of the answers", completed))
