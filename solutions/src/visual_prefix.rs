//! # `visual_prefix`: a picture in the place of words
//!
//! The vision encoder gives one vector of features a picture. The slide's `get_visual_prefix` takes it through one linear
//! layer, `vision_proj_m`, which gives `n · d` numbers, and cuts them into `n` vectors as long as a word embedding:
//!
//! ```text
//! (b, d_image) → vision_proj_m → (b, n · d) → (b, n, d)
//! ```
//!
//! Example: for `n = 2` and `d = 4`, a layer that gives the numbers 1 to 8 for a picture makes the prefix `[1, 2, 3, 4]`,
//! `[5, 6, 7, 8]`.

use vision_language::prelude::*;

/// Features `(b, d_image)` → the prefix `(b, n, d)`.
pub fn visual_prefix(features: &Tensor, projection: &Linear, n: usize) -> Result<Tensor> {
    // STUB todo!("visual_prefix: write your code")
    // BEGIN SOLUTION
    let visual_prefix = projection.forward(features)?;
    let (b, wide) = visual_prefix.dims2()?;
    Ok(visual_prefix.reshape((b, n, wide / n))?)
    // END SOLUTION
}
