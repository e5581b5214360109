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

/// The sizes of a Llama (arXiv:2302.13971; its small relatives too), named as in its `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LlamaConfig {
    /// Tokens that it knows.
    pub vocab_size: usize,
    /// The longest text, tokens.
    pub max_position_embeddings: usize,
    /// The length of a token's vector.
    pub hidden_size: usize,
    /// The width inside a feed-forward layer.
    pub intermediate_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Attention heads; they divide `hidden_size`.
    pub num_attention_heads: usize,
    /// Heads of keys and values; they divide `num_attention_heads`.
    pub num_key_value_heads: usize,
    /// What is added to a mean square before its root is taken.
    pub rms_norm_eps: f64,
    /// The base of the rotary positions' angles.
    pub rope_theta: f64,
    /// Whether the table of word vectors is the output layer, too.
    pub tie_word_embeddings: bool,
}

impl LlamaConfig {
    /// `HuggingFaceTB/SmolLM2-135M`: thirty layers of 576, 135 million parameters.
    pub fn smollm2_135m() -> Self {
        Self {
            vocab_size: 49152,
            max_position_embeddings: 8192,
            hidden_size: 576,
            intermediate_size: 1536,
            num_hidden_layers: 30,
            num_attention_heads: 9,
            num_key_value_heads: 3,
            rms_norm_eps: 1e-5,
            rope_theta: 1e5,
            tie_word_embeddings: true,
        }
    }
}

/// Which causal language model. In a checkpoint's configuration it is told by its fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LanguageModelConfig {
    /// GPT-2 (Radford et al. 2019): `tiny` and `lecture`.
    Gpt2(Gpt2Config),
    /// Llama (arXiv:2302.13971): `mini`, as SmolLM2.
    Llama(LlamaConfig),
}

impl LanguageModelConfig {
    /// Tokens that it knows.
    pub fn vocab_size(&self) -> usize {
        match self {
            Self::Gpt2(c) => c.vocab_size,
            Self::Llama(c) => c.vocab_size,
        }
    }

    /// The same for another number of tokens.
    pub fn with_vocab_size(self, vocab_size: usize) -> Self {
        match self {
            Self::Gpt2(c) => Gpt2Config { vocab_size, ..c }.into(),
            Self::Llama(c) => LlamaConfig { vocab_size, ..c }.into(),
        }
    }
}

impl From<Gpt2Config> for LanguageModelConfig {
    fn from(config: Gpt2Config) -> Self {
        Self::Gpt2(config)
    }
}

impl From<LlamaConfig> for LanguageModelConfig {
    fn from(config: LlamaConfig) -> Self {
        Self::Llama(config)
    }
}

impl Default for LanguageModelConfig {
    /// `tiny`'s: what checkpoints had that do not name one.
    fn default() -> Self {
        Gpt2Config::tiny().into()
    }
}
