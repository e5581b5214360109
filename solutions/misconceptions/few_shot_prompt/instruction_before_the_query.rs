//! killed by: few, as instruction_late
//! The instruction between the shots and the query.

    let mut segments = Vec::new();
    let mut next = 0;
    for shot in shots {
        segments.extend((next..next + shot.images).map(Segment::Image));
        next += shot.images;
        let Some(output) = &shot.output else {
            return Err(Error::value("shots", "an output in each", &shot.input));
        };
        segments.push(Segment::Text(format!("{} {output}\n", shot.input)));
    }
    if !instruction.is_empty() {
        segments.push(Segment::Text(format!("{instruction}\n")));
    }
    segments.extend((next..next + query.images).map(Segment::Image));
    segments.extend([Segment::Text(query.input.to_string())]);
    Ok(segments)
