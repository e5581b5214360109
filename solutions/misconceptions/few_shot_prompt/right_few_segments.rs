//! right
//! Words gathered until a picture comes.

    let mut segments = Vec::new();
    let mut words = if instruction.is_empty() { String::new() } else { format!("{instruction}\n") };
    let mut picture = 0;
    let asked = Shot { output: Some(String::new()), ..query.clone() };
    for shot in shots.iter().chain(std::iter::once(&asked)) {
        for _ in 0..shot.images {
            if !words.is_empty() {
                segments.push(Segment::Text(std::mem::take(&mut words)));
            }
            segments.push(Segment::Image(picture));
            picture += 1;
        }
        let Some(output) = &shot.output else {
            return Err(Error::value("a shot", "an output", "none"));
        };
        words += &format!("{} {output}\n", shot.input);
    }
    segments.push(Segment::Text(words.trim_end().to_string()));
    Ok(segments)
