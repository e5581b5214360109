//! killed by: refused, as not_refused
//! A shot without an output is written without one.

    let mut segments = Vec::new();
    if !instruction.is_empty() {
        segments.push(Segment::Text(format!("{instruction}\n")));
    }
    let mut next = 0;
    for (number, shot) in shots.iter().chain([query]).enumerate() {
        segments.extend((next..next + shot.images).map(Segment::Image));
        next += shot.images;
        let text = match &shot.output {
            _ if number == shots.len() => shot.input.clone(),
            Some(output) => format!("{} {output}\n", shot.input),
            None => format!("{}\n", shot.input),
        };
        segments.push(Segment::Text(text));
    }
    Ok(segments)
