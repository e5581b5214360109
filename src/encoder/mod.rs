//! Encoders: pictures to features, captions to features.
//!
//! An encoder gives *features* `(b, d)`; a projection head turns them into *embeddings* `(b, p)`.

mod distilbert;
mod pretrained;
mod resnet;

use candle_core::Tensor;

use crate::Result;
use crate::nn::Mode;

pub use distilbert::DistilBert;
pub use pretrained::{load_pretrained_image, load_pretrained_text, tokenizer};
pub use resnet::ResNet;

/// Pictures to features.
pub trait ImageEncoder: Send + Sync {
    /// `(b, 3, s, s)` → `(b, d)`: pooled features.
    fn forward(&self, images: &Tensor, mode: Mode) -> Result<Tensor>;

    /// `d`, the length of a feature vector.
    fn features(&self) -> usize;
}

/// Token ids to features.
pub trait TextEncoder: Send + Sync {
    /// ids `(b, t)`, mask `(b, t)` with 1 = token → `(b, d)`: the features of the sentence, the row of `[CLS]`.
    fn forward(&self, input_ids: &Tensor, attention_mask: &Tensor, mode: Mode) -> Result<Tensor>;

    /// `d`, the length of a feature vector.
    fn features(&self) -> usize;
}
