//! killed by: rows, as rows_mixed_up
//! Only the numbers are sorted.

    let images = l2_normalize(image_embeddings)?;
    let text = l2_normalize(text_embedding)?;
    let mut similarities = images.matmul(&text.t()?)?.flatten_all()?.to_vec1::<f32>()?;
    similarities.sort_by(|a, b| b.total_cmp(a));
    let mut matches: Vec<Match> = image_filenames
        .iter()
        .zip(similarities)
        .map(|(name, similarity)| Match { image_filename: name.clone(), similarity })
        .collect();
    let mut seen = std::collections::HashSet::new();
    matches.retain(|m| seen.insert(m.image_filename.clone()));
    matches.truncate(n);
    Ok(matches)
