//! killed by: count, as every_fifth
//! The slide's stride, taken at its word.

    let similarities = l2_normalize(image_embeddings)?.matmul(&l2_normalize(text_embedding)?.t()?)?.flatten_all()?.to_vec1::<f32>()?;
    let mut matches: Vec<Match> = image_filenames
        .iter()
        .zip(similarities)
        .map(|(name, similarity)| Match { image_filename: name.clone(), similarity })
        .collect();
    matches.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    Ok(matches.into_iter().step_by(5).take(n).collect())
