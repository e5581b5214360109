//! # `guidance`: noise, dropping the condition, and going beyond it
//!
//! DALL-E 2's decoder learns to take noise away from a picture, given the picture's CLIP embedding. Classifier-free guidance
//! needs three small functions.
//!
//! **`noise`** mixes a picture with standard normal noise. `ᾱ` (`alpha_bar`) says how much of the picture's variance is left;
//! each picture of the batch has its own, and pictures `(b, 3, s, s)` and embeddings `(b, p)` both come here:
//!
//! ```text
//! x_t = √ᾱ x₀ + √(1 − ᾱ) ε
//! ```
//!
//! Example: `x₀ = 2`, `ε = 1`, `ᾱ = 0.64` gives `0.8 · 2 + 0.6 · 1 = 2.2`.
//!
//! **`drop_condition`** puts zeros in the place of each condition whose `keep` is 0, so that the same network learns to draw
//! without one. Conditions that are kept stay as they are; they are `(b, p)` or `(b, t, d)`.
//!
//! **`guided`** goes from the prediction without the condition towards the one with it, and beyond:
//!
//! ```text
//! ε̂ = ε(∅) + s · (ε(c) − ε(∅))
//! ```
//!
//! Example: `ε(c) = 3`, `ε(∅) = 1`: the scale 0 gives 1, the scale 1 gives 3, the scale 2 gives 5.

use vision_language::prelude::*;

/// Guidance without a classifier.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClassifierFree;

impl Guidance for ClassifierFree {
    /// `x0 (b, …)`, `noise (b, …)`, `alpha_bar (b)` → `x_t (b, …)`
    fn noise(&self, x0: &Tensor, noise: &Tensor, alpha_bar: &Tensor) -> Result<Tensor> {
        // STUB todo!("guidance, noise: write your code")
        // BEGIN SOLUTION
        let mut shape = vec![1; x0.rank()];
        shape[0] = x0.dim(0)?;
        let alpha_bar = alpha_bar.reshape(shape)?;
        let left = alpha_bar.sqrt()?;
        let added = (1. - &alpha_bar)?.sqrt()?;
        Ok((x0.broadcast_mul(&left)? + noise.broadcast_mul(&added)?)?)
        // END SOLUTION
    }

    /// `condition (b, …)`, `keep (b)` of 1 and 0 → `(b, …)`
    fn drop_condition(&self, condition: &Tensor, keep: &Tensor) -> Result<Tensor> {
        // STUB todo!("guidance, drop_condition: write your code")
        // BEGIN SOLUTION
        let mut shape = vec![1; condition.rank()];
        shape[0] = condition.dim(0)?;
        Ok(condition.broadcast_mul(&keep.reshape(shape)?)?)
        // END SOLUTION
    }

    /// Two predictions of one shape, the scale `s` → the guided prediction.
    fn guided(&self, conditional: &Tensor, unconditional: &Tensor, scale: f64) -> Result<Tensor> {
        // STUB todo!("guidance, guided: write your code")
        // BEGIN SOLUTION
        Ok((unconditional + ((conditional - unconditional)? * scale)?)?)
        // END SOLUTION
    }
}
