//! DistilBERT (arXiv:1910.01108), with transformers' parameter names (`DistilBertModel`).

use candle_core::Tensor;

use super::TextEncoder;
use super::transformer::{Names, Sizes, Transformer};
use crate::Result;
use crate::config::DistilBertConfig;
use crate::nn::{Mode, Params};

const NAMES: Names = Names {
    layers: "transformer.layer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    out: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    lin1: "ffn.lin1",
    lin2: "ffn.lin2",
    output_norm: "output_layer_norm",
};

/// Token ids to one vector a token, and the vector of `[CLS]` for the sentence.
pub struct DistilBert {
    transformer: Transformer,
    features: usize,
}

impl DistilBert {
    /// Takes its parameters from `params`, under transformers' names.
    pub fn new(config: &DistilBertConfig, params: &Params) -> Result<Self> {
        let sizes = Sizes {
            vocabulary: config.vocab_size,
            positions: config.max_position_embeddings,
            types: 0,
            d: config.dim,
            inside: config.hidden_dim,
            layers: config.n_layers,
            heads: config.n_heads,
            dropout: config.dropout,
            drops_attention_output: false,
        };
        Ok(Self { transformer: Transformer::new(&sizes, &NAMES, params)?, features: config.dim })
    }

    /// ids `(b, t)`, mask `(b, t)` with 1 = token → `(b, t, d)`: a vector a token.
    ///
    /// # Errors
    /// When the text is longer than the position table, or the shapes differ.
    pub fn hidden(&self, input_ids: &Tensor, mask: &Tensor, mode: Mode) -> Result<Tensor> {
        self.transformer.hidden(input_ids, mask, mode)
    }

    /// The table of word vectors, `(v, d)`: the tied output layer of masked-word pretraining.
    pub fn word_embeddings(&self) -> Tensor {
        self.transformer.word_embeddings()
    }
}

impl TextEncoder for DistilBert {
    fn forward(&self, input_ids: &Tensor, attention_mask: &Tensor, mode: Mode) -> Result<Tensor> {
        self.transformer.cls(input_ids, attention_mask, mode)
    }

    fn features(&self) -> usize {
        self.features
    }
}
