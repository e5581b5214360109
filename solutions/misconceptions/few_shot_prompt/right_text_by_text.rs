//! right
//! Shots first, the query by itself.

    let mut segments = vec![Segment::Text(instruction.to_string())];
    if !instruction.is_empty() {
        segments.push(Segment::Text("\n".to_string()));
    }
    let mut seen = 0;
    let mut pictures = |segments: &mut Vec<Segment>, shot: &Shot| {
        for _ in 0..shot.images {
            segments.push(Segment::Image(seen));
            seen += 1;
        }
    };
    for shot in shots {
        let output = shot.output.as_deref().ok_or_else(|| Error::value("shots", "an output", "none"))?;
        pictures(&mut segments, shot);
        segments.push(Segment::Text([&shot.input, " ", output, "\n"].concat()));
    }
    pictures(&mut segments, query);
    segments.extend([Segment::Text(query.input.to_string())]);
    Ok(segments)
