//! # `clip_loss`: which caption belongs to which picture?
//!
//! A batch has `b` pictures and their `b` captions. Of the `b × b` pairs, the `b` on the diagonal are real. The loss
//! asks each picture for its caption, and each caption for its picture:
//!
//! ```text
//! I = rows of the image embeddings, each of length 1        (b, p)
//! T = rows of the text embeddings, each of length 1         (b, p)
//! S = eᵗ · I Tᵀ                                             (b, b)
//! L = (CE(S, [0..b]) + CE(Sᵀ, [0..b])) / 2
//! ```
//!
//! Example: two pairs that match perfectly and are at right angles to the other pair, `t = 0`: `S` is the identity,
//! each row's cross-entropy is `ln(1 + e⁻¹) = 0.3133`, and so is the loss.

use vision_language::prelude::*;

/// The symmetric contrastive loss: `(b, p)`, `(b, p)`, the slide's `t` → a scalar.
pub fn clip_loss(
    image_embeddings: &Tensor,
    text_embeddings: &Tensor,
    logit_scale: &Tensor,
) -> Result<Tensor> {
    todo!("clip_loss: write your code")
}
