//! The sizes of DALL-E 2's parts.

use serde::{Deserialize, Serialize};

use super::{NoiseKind, Predicts};

/// The decoder: embeddings to pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecoderConfig {
    /// The side of a picture, pixels.
    pub size: usize,
    /// Squares of `patch × patch` pixels enter the network together.
    pub patch: usize,
    /// Channels at full size (of patches), half, quarter; multiples of 16.
    pub channels: Vec<usize>,
    /// The length of the vector that says step and condition.
    pub width: usize,
    /// The length of a CLIP embedding.
    pub embedding: usize,
    /// How noise comes.
    pub noise: NoiseKind,
    /// Steps of the noise.
    pub steps: usize,
    /// What the network says.
    pub predicts: Predicts,
    /// How often the image embedding is dropped in training (arXiv:2204.06125, section 2.1: 0.1).
    pub drop_embedding: f64,
    /// How often the caption is dropped in training (0.5).
    pub drop_caption: f64,
}

impl DecoderConfig {
    /// 32² pixels, small enough to learn on two cores.
    pub fn tiny() -> Self {
        Self {
            size: 32,
            patch: 2,
            channels: vec![32, 64, 64],
            width: 128,
            embedding: 128,
            noise: NoiseKind::Cosine,
            steps: 1000,
            predicts: Predicts::Start,
            drop_embedding: 0.1,
            drop_caption: 0.5,
        }
    }
}

/// The diffusion prior: captions to embeddings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriorConfig {
    /// Tokens that the tokenizer knows.
    pub vocabulary: usize,
    /// The longest caption, tokens.
    pub tokens: usize,
    /// The length of a token's vector.
    pub width: usize,
    /// Layers.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// The length of a CLIP embedding.
    pub embedding: usize,
    /// How noise comes.
    pub noise: NoiseKind,
    /// Steps of the noise.
    pub steps: usize,
    /// How often the caption is dropped in training, tokens and CLIP embedding together (section 2.2: 0.1).
    pub drop_caption: f64,
}

impl PriorConfig {
    /// Two layers of 96, for a vocabulary.
    pub fn tiny(vocabulary: usize) -> Self {
        Self {
            vocabulary,
            tokens: 16,
            width: 96,
            layers: 2,
            heads: 4,
            embedding: 128,
            noise: NoiseKind::Cosine,
            steps: 1000,
            drop_caption: 0.1,
        }
    }
}

/// The autoregressive prior: captions to codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArPriorConfig {
    /// Tokens that the tokenizer knows.
    pub vocabulary: usize,
    /// The longest caption, tokens.
    pub tokens: usize,
    /// The length of a token's vector.
    pub width: usize,
    /// Layers.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// The length of a CLIP embedding.
    pub embedding: usize,
    /// Principal components that are kept (arXiv:2204.06125, section 2.2: 319 of 1,024).
    pub components: usize,
    /// Bins of a component (1,024).
    pub bins: usize,
    /// Bins of the dot product that stands before the codes.
    pub dot_bins: usize,
    /// How often the caption is dropped in training.
    pub drop_caption: f64,
}

impl ArPriorConfig {
    /// Two layers of 96, 24 components in 32 bins.
    pub fn tiny(vocabulary: usize) -> Self {
        Self {
            vocabulary,
            tokens: 16,
            width: 96,
            layers: 2,
            heads: 4,
            embedding: 128,
            components: 24,
            bins: 32,
            dot_bins: 8,
            drop_caption: 0.1,
        }
    }
}
