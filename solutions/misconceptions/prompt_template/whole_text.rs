//! killed by: slot, as read_anywhere
//! The whole text is searched.
// HOLE 2
    let text = completed.to_lowercase();
    Ok(answers.iter().position(|answer| text.contains(&answer.to_lowercase())))
