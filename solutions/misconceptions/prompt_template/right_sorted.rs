//! right
//! The longest answers first.
// HOLE 2
    let mut parts = prompt.split("[Z]");
    let before = parts.next().unwrap_or_default().trim_end();
    if parts.next().is_none() || !completed.starts_with(before) {
        return Err(Error::value("completed", before, completed));
    }
    let words = |text: &str| -> Vec<String> {
        let cut = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        cut.map(str::to_lowercase).collect()
    };
    let filled = words(&completed[before.len()..]);
    let mut order: Vec<usize> = (0..answers.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(answers[*i].len()));
    Ok(order.into_iter().find(|i| filled.starts_with(&words(&answers[*i]))))
