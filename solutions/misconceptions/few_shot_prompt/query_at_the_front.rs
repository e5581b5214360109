//! killed by: few, as query_first
//! The query, then the shots.

    let mut segments = Vec::new();
    if !instruction.is_empty() {
        segments.push(Segment::Text(format!("{instruction}\n")));
    }
    let mut next = 0;
    for (number, shot) in [query].into_iter().chain(shots).enumerate() {
        segments.extend((next..next + shot.images).map(Segment::Image));
        next += shot.images;
        let text = match &shot.output {
            _ if number == 0 => shot.input.clone(),
            Some(output) => format!("{} {output}\n", shot.input),
            None => return Err(Error::value("shots", "an output in each", &shot.input)),
        };
        segments.push(Segment::Text(text));
    }
    Ok(segments)
