//! The sizes of the language models.

use serde::{Deserialize, Serialize};

/// The sizes of a GPT-2. The fields that `gpt2`'s own `config.json` has are named as there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gpt2Config {
    /// Tokens that it knows.
    pub vocab_size: usize,
    /// The longest text, tokens.
    pub n_positions: usize,
    /// The length of a token's vector.
    pub n_embd: usize,
    /// Layers.
    pub n_layer: usize,
    /// Attention heads; they divide `n_embd`.
    pub n_head: usize,
    /// What is added to a variance before its root is taken.
    pub layer_norm_epsilon: f64,
    /// Dropout in training, of embeddings, attention and residuals.
    #[serde(alias = "resid_pdrop", default)]
    pub dropout: f64,
}

impl Gpt2Config {
    /// For scenes: four layers of 128. The vocabulary is the one of `data/tiny/lm_tokenizer.json`.
    pub fn tiny() -> Self {
        Self {
            vocab_size: 1536,
            n_positions: 192,
            n_embd: 128,
            n_layer: 4,
            n_head: 4,
            layer_norm_epsilon: 1e-5,
            dropout: 0.,
        }
    }

    /// `gpt2`: twelve layers of 768, 124 million parameters.
    pub fn gpt2() -> Self {
        Self {
            vocab_size: 50257,
            n_positions: 1024,
            n_embd: 768,
            n_layer: 12,
            n_head: 12,
            layer_norm_epsilon: 1e-5,
            dropout: 0.1,
        }
    }
}
