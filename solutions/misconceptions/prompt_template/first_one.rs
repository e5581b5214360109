//! killed by: longest, as first_that_fits
//! The first that fits.
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
    Ok(answers.iter().position(fits))
