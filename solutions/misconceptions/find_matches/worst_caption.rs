//! killed by: once, as not_the_best_caption
//! The last row of a picture decides.

    let similarities = l2_normalize(image_embeddings)?.matmul(&l2_normalize(text_embedding)?.t()?)?.flatten_all()?.to_vec1::<f32>()?;
    let mut matches: Vec<Match> = image_filenames
        .iter()
        .zip(similarities)
        .map(|(name, similarity)| Match { image_filename: name.clone(), similarity })
        .collect();
    matches.sort_by(|a, b| a.similarity.total_cmp(&b.similarity));
    let mut seen = std::collections::HashSet::new();
    matches.retain(|m| seen.insert(m.image_filename.clone()));
    matches.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    matches.truncate(n);
    Ok(matches)
