//! right
//! The largest is looked for n times.

    let similarities = l2_normalize(image_embeddings)?.matmul(&l2_normalize(text_embedding)?.t()?)?.flatten_all()?.to_vec1::<f32>()?;
    let mut matches: Vec<Match> = image_filenames
        .iter()
        .zip(similarities)
        .map(|(name, similarity)| Match { image_filename: name.clone(), similarity })
        .collect();
    let mut found: Vec<Match> = Vec::new();
    while found.len() < n {
        let Some(best) = matches
            .iter()
            .max_by(|a, b| a.similarity.total_cmp(&b.similarity))
            .cloned()
        else {
            break;
        };
        matches.retain(|m| m.image_filename != best.image_filename);
        found.push(best);
    }
    Ok(found)
