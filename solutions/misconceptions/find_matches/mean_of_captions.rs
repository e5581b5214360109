//! killed by: once, as not_the_best_caption
//! The mean of its captions decides.

    let similarities = l2_normalize(image_embeddings)?.matmul(&l2_normalize(text_embedding)?.t()?)?;
    let mut sums = std::collections::BTreeMap::new();
    for (name, value) in image_filenames.iter().zip(similarities.flatten_all()?.to_vec1::<f32>()?) {
        let entry = sums.entry(name.clone()).or_insert((0f32, 0f32));
        *entry = (entry.0 + value, entry.1 + 1.);
    }
    let mut matches: Vec<Match> = sums
        .into_iter()
        .map(|(name, (sum, n))| Match { image_filename: name, similarity: sum / n })
        .collect();
    matches.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    matches.truncate(n);
    Ok(matches)
