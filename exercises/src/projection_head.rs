//! # `projection_head`: two kinds of features, one space
//!
//! The image encoder gives 2048 numbers, the text encoder 768 (256 and 128 in `tiny`). To compare them, each goes
//! through a head of its own that ends in `projection_dim` numbers:
//!
//! projection → GELU → fc → dropout → skip connection → layer normalisation
//!
//! ```text
//! u = W₁ x + b₁                       (b, d) → (b, p)
//! y = LayerNorm(dropout(W₂ gelu(u) + b₂) + u)
//! ```
//!
//! The skip connection adds `u`, what the projection gave *before* GELU.
//!
//! Example: with `p = 2` and `u = [1, -1]`, `gelu(u) = [0.841, -0.159]`; if `W₂` is the identity and `b₂` zero, the sum
//! is `[1.841, -1.159]`, its mean 0.341, its deviation 1.5, and the row that comes out is `[1, -1]`.

use vision_language::prelude::*;

/// The lecture's `ProjectionHead`.
pub struct ProjectionHead {
    projection: Linear,
    fc: Linear,
    dropout: Dropout,
    layer_norm: LayerNorm,
}

impl Projection for ProjectionHead {
    fn new(
        embedding_dim: usize,
        projection_dim: usize,
        dropout: f64,
        params: &Params,
    ) -> Result<Self> {
        let projection = todo!("projection_head: fill this line");
        Ok(Self {
            projection,
            fc: Linear::new(projection_dim, projection_dim, &params.pp("fc"))?,
            dropout: Dropout::new(dropout, params),
            layer_norm: LayerNorm::new(projection_dim, 1e-5, &params.pp("layer_norm"))?,
        })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        todo!("projection_head: write your code")
    }
}
