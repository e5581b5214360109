//! The sizes of the encoders.

use serde::{Deserialize, Serialize};

/// The residual layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResidualLayer {
    /// Two 3×3 convolutions (ResNet-18, 34).
    Basic,
    /// 1×1, 3×3, 1×1 with a quarter of the width inside (ResNet-50 and larger).
    Bottleneck,
}

/// What happens to a picture before the first residual layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stem {
    /// The paper's: a 7×7 convolution of stride 2 and a 3×3 maximum of stride 2; a quarter of the side.
    Large,
    /// For small pictures: a 3×3 convolution of stride 2, no pooling; half of the side.
    Small,
}

/// The sizes of a ResNet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResNetConfig {
    /// Channels after the stem.
    pub embedding_size: usize,
    /// Channels after each stage; the last is the length of the features.
    pub hidden_sizes: Vec<usize>,
    /// Residual layers in each stage.
    pub depths: Vec<usize>,
    /// Which residual layer.
    pub layer: ResidualLayer,
    /// Which stem.
    pub stem: Stem,
}

impl ResNetConfig {
    /// For scenes at 64²: four stages, one basic layer each, features of 256.
    pub fn tiny() -> Self {
        Self {
            embedding_size: 32,
            hidden_sizes: vec![32, 64, 128, 256],
            depths: vec![1, 1, 1, 1],
            layer: ResidualLayer::Basic,
            stem: Stem::Large,
        }
    }

    /// `microsoft/resnet-50`: features of 2048.
    pub fn resnet50() -> Self {
        Self {
            embedding_size: 64,
            hidden_sizes: vec![256, 512, 1024, 2048],
            depths: vec![3, 4, 6, 3],
            layer: ResidualLayer::Bottleneck,
            stem: Stem::Large,
        }
    }
}

/// The sizes of a DistilBERT.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DistilBertConfig {
    /// Tokens that it knows.
    pub vocab_size: usize,
    /// The longest text, tokens.
    pub max_position_embeddings: usize,
    /// The length of a token's vector, and of the features.
    pub dim: usize,
    /// Layers.
    pub n_layers: usize,
    /// Attention heads; they divide `dim`.
    pub n_heads: usize,
    /// The width inside a feed-forward layer.
    pub hidden_dim: usize,
    /// Dropout in training.
    pub dropout: f64,
}

impl DistilBertConfig {
    /// For scene captions: two layers of 128. The vocabulary is the one of `data/tiny/tokenizer.json`.
    pub fn tiny() -> Self {
        Self {
            vocab_size: 0,
            max_position_embeddings: 64,
            dim: 128,
            n_layers: 2,
            n_heads: 4,
            hidden_dim: 512,
            dropout: 0.1,
        }
    }

    /// `distilbert-base-uncased`: six layers of 768.
    pub fn base_uncased() -> Self {
        Self {
            vocab_size: 30522,
            max_position_embeddings: 512,
            dim: 768,
            n_layers: 6,
            n_heads: 12,
            hidden_dim: 3072,
            dropout: 0.1,
        }
    }
}
