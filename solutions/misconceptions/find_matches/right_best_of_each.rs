//! right
//! A map keeps the best of each picture; then one sort.

    let text = l2_normalize(text_embedding)?;
    let rows = l2_normalize(image_embeddings)?.broadcast_mul(&text)?.sum(D::Minus1)?;
    let mut best = std::collections::HashMap::new();
    for (name, similarity) in image_filenames.iter().zip(rows.to_vec1::<f32>()?) {
        let entry = best.entry(name).or_insert(similarity);
        *entry = entry.max(similarity);
    }
    let mut matches: Vec<Match> = best
        .into_iter()
        .map(|(name, similarity)| Match { image_filename: name.clone(), similarity })
        .collect();
    matches.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    matches.truncate(n);
    Ok(matches)
