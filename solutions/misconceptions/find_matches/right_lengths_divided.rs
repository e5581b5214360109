//! right
//! The products are divided by the lengths afterwards.

    let length = |x: &Tensor| x.sqr()?.sum_keepdim(1)?.sqrt();
    let products = image_embeddings.matmul(&text_embedding.t()?)?;
    let lengths = length(image_embeddings)?.broadcast_mul(&length(text_embedding)?)?;
    let similarities = (products / lengths)?.squeeze(1)?.to_vec1::<f32>()?;
    let mut order: Vec<usize> = (0..similarities.len()).collect();
    order.sort_by(|a, b| similarities[*b].total_cmp(&similarities[*a]));
    let mut matches: Vec<Match> = Vec::new();
    for i in order {
        if matches.len() == n {
            break;
        }
        if matches.iter().all(|m| m.image_filename != image_filenames[i]) {
            matches.push(Match {
                image_filename: image_filenames[i].clone(),
                similarity: similarities[i],
            });
        }
    }
    Ok(matches)
