//! killed by: count, as no_transpose
//! Two tables that do not fit.

    let rows = l2_normalize(image_embeddings)?.matmul(&l2_normalize(text_embedding)?)?;
    let similarities = rows.flatten_all()?.to_vec1::<f32>()?;
    let mut matches: Vec<Match> = image_filenames
        .iter()
        .zip(similarities)
        .map(|(name, similarity)| Match { image_filename: name.clone(), similarity })
        .collect();
    matches.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    let mut seen = std::collections::HashSet::new();
    matches.retain(|m| seen.insert(m.image_filename.clone()));
    matches.truncate(n);
    Ok(matches)
