//! Encoders: pictures to features, captions to features; and the masked language model that a text encoder was.
//!
//! An encoder gives *features* `(b, d)`; a projection head turns them into *embeddings* `(b, p)`.

mod attention_pool;
mod bert;
mod cbow;
mod clip_resnet;
mod clip_text;
mod distilbert;
mod efficientnet;
mod masked;
mod names;
mod pre_norm;
mod pretrained;
mod published;
mod resnet;
mod transformer;
mod vit;

use candle_core::Tensor;

use crate::Result;
use crate::config::{ImageEncoderConfig, TextEncoderConfig};
use crate::nn::{Mode, Params};

pub use bert::Bert;
pub use cbow::Cbow;
pub use clip_resnet::ClipResNet;
pub use clip_text::ClipText;
pub use distilbert::DistilBert;
pub use efficientnet::EfficientNetLite;
pub use masked::MaskedLm;
pub use pretrained::{load_pretrained_image, load_pretrained_text, tokenizer};
pub use published::{load_image_weights, load_text_weights};
pub use resnet::ResNet;
pub use vit::Vit;

/// Pictures to features.
pub trait ImageEncoder: Send + Sync {
    /// `(b, 3, s, s)` → `(b, d)`: pooled features.
    fn forward(&self, images: &Tensor, mode: Mode) -> Result<Tensor>;

    /// `d`, the length of a feature vector.
    fn features(&self) -> usize;
}

/// Token ids to features.
pub trait TextEncoder: Send + Sync {
    /// ids `(b, t)`, mask `(b, t)` with 1 = token → `(b, d)`: the features of the sentence.
    fn forward(&self, input_ids: &Tensor, attention_mask: &Tensor, mode: Mode) -> Result<Tensor>;

    /// `d`, the length of a feature vector.
    fn features(&self) -> usize;
}

/// The image encoder that `config` says, with random weights.
pub fn image_encoder(
    config: &ImageEncoderConfig,
    params: &Params,
) -> Result<Box<dyn ImageEncoder>> {
    Ok(match config {
        ImageEncoderConfig::ResNet(c) => Box::new(ResNet::new(c, params)?),
        ImageEncoderConfig::EfficientNetLite(c) => Box::new(EfficientNetLite::new(c, params)?),
        ImageEncoderConfig::Vit(c) => Box::new(Vit::new(c, params)?),
        ImageEncoderConfig::ClipResNet(c) => Box::new(ClipResNet::new(c, params)?),
    })
}

/// The text encoder that `config` says, with random weights.
pub fn text_encoder(config: &TextEncoderConfig, params: &Params) -> Result<Box<dyn TextEncoder>> {
    Ok(match config {
        TextEncoderConfig::DistilBert(c) => Box::new(DistilBert::new(c, params)?),
        TextEncoderConfig::Bert(c) => Box::new(Bert::new(c, params)?),
        TextEncoderConfig::ClipText(c) => Box::new(ClipText::new(c, params)?),
        TextEncoderConfig::Cbow(c) => Box::new(Cbow::new(c, params)?),
    })
}
