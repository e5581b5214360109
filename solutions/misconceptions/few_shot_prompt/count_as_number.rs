//! killed by: pictures, as number_for_count
//! The count is the number.

    let mut segments = Vec::new();
    if !instruction.is_empty() {
        segments.push(Segment::Text(format!("{instruction}\n")));
    }
    let mut next = 0;
    for (number, shot) in shots.iter().chain([query]).enumerate() {
        if shot.images > 0 {
            segments.push(Segment::Image(shot.images));
        }
        next += shot.images;
        let text = match &shot.output {
            _ if number == shots.len() => shot.input.clone(),
            Some(output) => format!("{} {output}\n", shot.input),
            None => return Err(Error::value("shots", "an output in each", &shot.input)),
        };
        segments.push(Segment::Text(text));
    }
    Ok(segments)
