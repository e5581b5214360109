//! What DALL-E lets you choose.

use serde::{Deserialize, Serialize};

use super::{Ramp, SequenceLayout};

/// The sizes of a discrete VAE and how it is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DvaeConfig {
    /// The side of a picture, pixels: four times that of the grid of codes.
    pub side: usize,
    /// Channels at half and at a quarter of the side.
    pub widths: [usize; 2],
    /// Codes, `k`.
    pub codes: usize,
    /// The temperature of the Gumbel-softmax: the paper goes from 1 to 1/16 along a cosine.
    pub temperature: Ramp,
    /// What the KL divergence weighs: the paper goes from 0 to 6.6 along a cosine, early.
    pub kl_weight: Ramp,
    /// The largest learning rate.
    pub lr: f64,
    /// Pictures in a step.
    pub batch_size: usize,
    /// The seed of weights, pictures and noise.
    pub seed: u64,
}

impl DvaeConfig {
    /// 32² to 8 × 8 codes of 128.
    pub fn tiny() -> Self {
        Self {
            side: 32,
            widths: [32, 64],
            codes: 128,
            temperature: Ramp { from: 1., to: 1. / 16., until: 0.8 },
            kl_weight: Ramp { from: 0., to: 2., until: 0.2 },
            lr: 2e-3,
            batch_size: 32,
            seed: 0,
        }
    }

    /// Rows, and columns, of codes.
    pub fn grid(&self) -> usize {
        self.side / 4
    }
}

/// The sizes of the transformer and how it is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DalleConfig {
    /// The sequence.
    pub layout: SequenceLayout,
    /// The length of a token's vector.
    pub width: usize,
    /// Layers.
    pub layers: usize,
    /// Attention heads.
    pub heads: usize,
    /// Dropout in training.
    pub dropout: f64,
    /// The largest learning rate.
    pub lr: f64,
    /// Pictures in a step.
    pub batch_size: usize,
    /// The seed of weights and of the order of pictures.
    pub seed: u64,
}

impl DalleConfig {
    /// Three layers of 96 over 12 text tokens and 8 × 8 codes. The text's vocabulary is `data/tiny/tokenizer.json`'s.
    pub fn tiny() -> Self {
        Self {
            layout: SequenceLayout {
                text_tokens: 12,
                text_vocabulary: 476,
                pad_id: 0,
                rows: 8,
                columns: 8,
                codes: 128,
                text_weight: 1. / 8.,
                image_weight: 7. / 8.,
            },
            width: 96,
            layers: 3,
            heads: 4,
            dropout: 0.,
            lr: 3e-3,
            batch_size: 32,
            seed: 0,
        }
    }
}
