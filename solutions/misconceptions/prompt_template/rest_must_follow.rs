//! killed by: slot, as rest_expected
//! The prompt's end must follow.
// HOLE 2
    let fits = |answer: &String| completed.contains(&prompt.replace("[Z]", answer));
    Ok(answers.iter().position(fits))
