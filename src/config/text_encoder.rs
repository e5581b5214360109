//! The text encoders: which one, and its sizes.

use serde::{Deserialize, Serialize};

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

/// What stands for the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The vector of `[CLS]`: the lecture's.
    Cls,
    /// The mean of all tokens' vectors: what MiniLM was trained with (arXiv:1908.10084).
    Mean,
}

/// The sizes of a BERT.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BertConfig {
    /// Tokens that it knows.
    pub vocab_size: usize,
    /// The longest text, tokens.
    pub max_position_embeddings: usize,
    /// Kinds of text (first and second sentence); captions are all of the first kind.
    pub type_vocab_size: usize,
    /// The length of a token's vector, and of the features.
    pub hidden_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Attention heads; they divide `hidden_size`.
    pub num_attention_heads: usize,
    /// The width inside a feed-forward layer.
    pub intermediate_size: usize,
    /// Dropout in training.
    pub dropout: f64,
    /// What stands for the sentence.
    pub pooling: Pooling,
}

impl BertConfig {
    /// `sentence-transformers/all-MiniLM-L6-v2`: six layers of 384, mean pooling.
    pub fn minilm_l6() -> Self {
        Self {
            vocab_size: 30522,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            hidden_size: 384,
            num_hidden_layers: 6,
            num_attention_heads: 12,
            intermediate_size: 1536,
            dropout: 0.1,
            pooling: Pooling::Mean,
        }
    }
}

/// Which text encoder. In a checkpoint's configuration it is told by its fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TextEncoderConfig {
    /// DistilBERT (arXiv:1910.01108): `tiny` and `lecture`.
    DistilBert(DistilBertConfig),
    /// BERT (arXiv:1810.04805): `mini`.
    Bert(BertConfig),
}

impl TextEncoderConfig {
    /// Tokens that it knows; 0 where that is the tokenizer's number.
    pub fn vocab_size(&self) -> usize {
        match self {
            Self::DistilBert(c) => c.vocab_size,
            Self::Bert(c) => c.vocab_size,
        }
    }

    /// The same for another number of tokens.
    pub fn with_vocab_size(self, vocab_size: usize) -> Self {
        match self {
            Self::DistilBert(c) => DistilBertConfig { vocab_size, ..c }.into(),
            Self::Bert(c) => BertConfig { vocab_size, ..c }.into(),
        }
    }

    /// The longest text, tokens.
    pub fn max_position_embeddings(&self) -> usize {
        match self {
            Self::DistilBert(c) => c.max_position_embeddings,
            Self::Bert(c) => c.max_position_embeddings,
        }
    }
}

impl From<DistilBertConfig> for TextEncoderConfig {
    fn from(config: DistilBertConfig) -> Self {
        Self::DistilBert(config)
    }
}

impl From<BertConfig> for TextEncoderConfig {
    fn from(config: BertConfig) -> Self {
        Self::Bert(config)
    }
}
