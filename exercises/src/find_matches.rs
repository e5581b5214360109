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
    todo!("find_matches: write your code")
}
