//! The contracts of `freeze_lm`, `visual_prefix` and `caption_loss`.

use candle_core::Tensor;

use crate::Result;
use crate::nn::{Linear, Params};

/// The language model's parameters: afterwards none of them trains, and gradients still pass through the model.
pub type FreezeLm = fn(&Params) -> Result<()>;

/// Pooled features `(b, d_image)`, the slide's `vision_proj_m` (`d_image` → `n · d`), `n` → the prefix `(b, n, d)`.
pub type VisualPrefix = fn(&Tensor, &Linear, usize) -> Result<Tensor>;

/// Logits `(b, t, v)`, ids `(b, t)` u32 with the image tokens in them, mask `(b, t)` u32, the image token's id → a scalar:
/// the mean cross-entropy of the next tokens, where those are words.
pub type CaptionLoss = fn(&Tensor, &Tensor, &Tensor, u32) -> Result<Tensor>;

/// The three parts of [`Frozen`](super::Frozen) that are exercises.
#[derive(Clone, Copy)]
pub struct FrozenHoles {
    /// Which parameters train.
    pub freeze_lm: FreezeLm,
    /// Features to a prefix.
    pub visual_prefix: VisualPrefix,
    /// The captions' loss.
    pub caption_loss: CaptionLoss,
}
