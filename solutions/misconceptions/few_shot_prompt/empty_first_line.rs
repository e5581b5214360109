//! killed by: empty, as empty_line
//! A new line without an instruction.

    let mut segments = Vec::new();
    segments.push(Segment::Text(format!("{instruction}\n")));
    let mut next = 0;
    for (number, shot) in shots.iter().chain([query]).enumerate() {
        segments.extend((next..next + shot.images).map(Segment::Image));
        next += shot.images;
        let text = match &shot.output {
            _ if number == shots.len() => shot.input.clone(),
            Some(output) => format!("{} {output}\n", shot.input),
            None => return Err(Error::value("shots", "an output in each", &shot.input)),
        };
        segments.push(Segment::Text(text));
    }
    Ok(segments)
