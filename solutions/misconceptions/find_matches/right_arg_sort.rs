//! right
//! candle's own sort.

    let cosines = l2_normalize(text_embedding)?.matmul(&l2_normalize(image_embeddings)?.t()?)?;
    let (sorted, order) = cosines.squeeze(0)?.sort_last_dim(false)?;
    let mut matches: Vec<Match> = Vec::new();
    for (i, similarity) in order.to_vec1::<u32>()?.into_iter().zip(sorted.to_vec1::<f32>()?) {
        let name = &image_filenames[i as usize];
        if !matches.iter().any(|m| &m.image_filename == name) {
            matches.push(Match { image_filename: name.clone(), similarity });
        }
    }
    matches.truncate(n);
    Ok(matches)
