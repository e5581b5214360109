//! The text encoders: which one, and its sizes.

use serde::{Deserialize, Serialize};

use super::Activation;

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

/// The sizes of CLIP's own text encoder, named as in its `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipTextConfig {
    /// Tokens that it knows; 0: as many as the tokenizer has.
    pub vocab_size: usize,
    /// The longest text, tokens.
    pub max_position_embeddings: usize,
    /// The length of a token's vector, and of the features.
    pub hidden_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Attention heads; they divide `hidden_size`.
    pub num_attention_heads: usize,
    /// The width inside a feed-forward layer.
    pub intermediate_size: usize,
    /// The function there.
    pub hidden_act: Activation,
    /// Dropout in training.
    pub dropout: f64,
}

impl ClipTextConfig {
    /// For scene captions: two layers of 128. It has no pretrained weights: `text_start: Start::Scratch`.
    pub fn tiny() -> Self {
        Self {
            vocab_size: 0,
            max_position_embeddings: 64,
            hidden_size: 128,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            intermediate_size: 512,
            hidden_act: Activation::Gelu,
            dropout: 0.1,
        }
    }

    /// `openai/clip-vit-base-patch32`: twelve layers of 512.
    pub fn base_patch32() -> Self {
        Self {
            vocab_size: 49408,
            max_position_embeddings: 77,
            hidden_size: 512,
            num_hidden_layers: 12,
            num_attention_heads: 8,
            intermediate_size: 2048,
            hidden_act: Activation::QuickGelu,
            dropout: 0.,
        }
    }
}

/// The sizes of a bag of words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CbowConfig {
    /// Tokens that it knows; 0: as many as the tokenizer has.
    pub vocab_size: usize,
    /// The length of a word's vector, and of the features.
    pub width: usize,
}

impl CbowConfig {
    /// For scene captions: vectors of 128. It has no pretrained weights: `text_start: Start::Scratch`.
    pub fn tiny() -> Self {
        Self { vocab_size: 0, width: 128 }
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
    /// CLIP's own (arXiv:2103.00020).
    ClipText(ClipTextConfig),
    /// A bag of words (arXiv:1301.3781).
    Cbow(CbowConfig),
}

impl TextEncoderConfig {
    /// Tokens that it knows; 0 where that is the tokenizer's number.
    pub fn vocab_size(&self) -> usize {
        match self {
            Self::DistilBert(c) => c.vocab_size,
            Self::Bert(c) => c.vocab_size,
            Self::ClipText(c) => c.vocab_size,
            Self::Cbow(c) => c.vocab_size,
        }
    }

    /// The same for another number of tokens.
    pub fn with_vocab_size(self, vocab_size: usize) -> Self {
        match self {
            Self::DistilBert(c) => DistilBertConfig { vocab_size, ..c }.into(),
            Self::Bert(c) => BertConfig { vocab_size, ..c }.into(),
            Self::ClipText(c) => ClipTextConfig { vocab_size, ..c }.into(),
            Self::Cbow(c) => CbowConfig { vocab_size, ..c }.into(),
        }
    }

    /// The longest text, tokens; a bag of words takes any.
    pub fn max_position_embeddings(&self) -> usize {
        match self {
            Self::DistilBert(c) => c.max_position_embeddings,
            Self::Bert(c) => c.max_position_embeddings,
            Self::ClipText(c) => c.max_position_embeddings,
            Self::Cbow(_) => usize::MAX,
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

impl From<ClipTextConfig> for TextEncoderConfig {
    fn from(config: ClipTextConfig) -> Self {
        Self::ClipText(config)
    }
}

impl From<CbowConfig> for TextEncoderConfig {
    fn from(config: CbowConfig) -> Self {
        Self::Cbow(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkpoint's configuration does not say which encoder it is: its fields do.
    #[test]
    fn every_encoder_is_told_by_its_fields() {
        let all: [TextEncoderConfig; 4] = [
            DistilBertConfig::tiny().into(),
            BertConfig::minilm_l6().into(),
            ClipTextConfig::tiny().into(),
            CbowConfig::tiny().into(),
        ];
        for config in all {
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<TextEncoderConfig>(&json).unwrap(), config);
        }
    }
}
