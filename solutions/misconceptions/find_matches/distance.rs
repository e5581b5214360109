//! killed by: cosine, as distance_for_similarity
//! One minus the cosine, smallest first.

    let similarities = l2_normalize(image_embeddings)?.matmul(&l2_normalize(text_embedding)?.t()?)?.flatten_all()?.to_vec1::<f32>()?;
    let mut matches: Vec<Match> = image_filenames
        .iter()
        .zip(similarities)
        .map(|(name, similarity)| Match { image_filename: name.clone(), similarity })
        .collect();
    for m in &mut matches {
        m.similarity = 1. - m.similarity;
    }
    matches.sort_by(|a, b| a.similarity.total_cmp(&b.similarity));
    let mut seen = std::collections::HashSet::new();
    matches.retain(|m| seen.insert(m.image_filename.clone()));
    matches.truncate(n);
    Ok(matches)
