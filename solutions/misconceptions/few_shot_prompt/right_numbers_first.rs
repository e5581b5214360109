//! right
//! All numbers beforehand.

    let all: Vec<&Shot> = shots.iter().chain([query]).collect();
    let first = |shot: usize| all[..shot].iter().map(|s| s.images).sum::<usize>();
    let mut segments = Vec::new();
    if instruction != "" {
        segments.push(Segment::Text(instruction.to_string() + "\n"));
    }
    for (i, shot) in all.iter().enumerate() {
        for picture in 0..shot.images {
            segments.push(Segment::Image(first(i) + picture));
        }
        segments.push(Segment::Text(shot.input.clone()));
        if i + 1 < all.len() {
            let output = shot.output.clone().ok_or_else(|| Error::value("shot", "an output", i))?;
            segments.push(Segment::Text(format!(" {output}\n")));
        }
    }
    Ok(segments)
