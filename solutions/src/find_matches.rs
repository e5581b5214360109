//! # `find_matches`: the pictures that fit a sentence
//!
//! Normalise the embeddings, take dot products: cosine similarities. Then the best `n`, best first, and every picture
//! once, however many captions (and so rows) it has.
//!
//! ```text
//! sᵢ = Iᵢ · T / (|Iᵢ| |T|)        (N, p), (1, p) → (N)
//! ```
//!
//! The slide takes the best `n · 5` rows and every fifth of them (`indices[::-5]`, which also turns the order around,
//! so that the *worst* of them comes first; the tutorial it follows has `[::5]`). The five stands for "five captions a
//! picture". Here we do what it means.
//!
//! Example: rows `a, a, b, c` with similarities 0.9, 0.8, 0.7, 0.6 and `n = 2` give `a` (0.9) and `b` (0.7).

use vision_language::prelude::*;

/// `(N, p)`, `(1, p)`, a file name a row → the best `n`, best first, one entry a file.
pub fn find_matches(
    image_embeddings: &Tensor,
    text_embedding: &Tensor,
    image_filenames: &[String],
    n: usize,
) -> Result<Vec<Match>> {
    // STUB todo!("find_matches: write your code")
    // BEGIN SOLUTION
    let image_embeddings_n = l2_normalize(image_embeddings)?;
    let text_embeddings_n = l2_normalize(text_embedding)?;
    let dot_similarity = image_embeddings_n.matmul(&text_embeddings_n.t()?)?.flatten_all()?;
    let mut matches: Vec<Match> = image_filenames
        .iter()
        .zip(dot_similarity.to_vec1::<f32>()?)
        .map(|(name, similarity)| Match { image_filename: name.clone(), similarity })
        .collect();
    matches.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    let mut seen = std::collections::HashSet::new();
    matches.retain(|m| seen.insert(m.image_filename.clone()));
    matches.truncate(n);
    Ok(matches)
    // END SOLUTION
}
