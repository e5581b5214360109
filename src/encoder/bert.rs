//! BERT (arXiv:1810.04805), with transformers' parameter names (`BertModel`), without its pooler.

use candle_core::{DType, Tensor};

use super::TextEncoder;
use super::transformer::{Names, Sizes, Transformer};
use crate::Result;
use crate::config::{BertConfig, Pooling};
use crate::nn::{Mode, Params};

const NAMES: Names = Names {
    layers: "encoder.layer",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    out: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    lin1: "intermediate.dense",
    lin2: "output.dense",
    output_norm: "output.LayerNorm",
};

/// Token ids to one vector a token, and one for the sentence.
pub struct Bert {
    transformer: Transformer,
    features: usize,
    pooling: Pooling,
}

impl Bert {
    /// Takes its parameters from `params`, under transformers' names.
    pub fn new(config: &BertConfig, params: &Params) -> Result<Self> {
        let sizes = Sizes {
            vocabulary: config.vocab_size,
            positions: config.max_position_embeddings,
            types: config.type_vocab_size,
            d: config.hidden_size,
            inside: config.intermediate_size,
            layers: config.num_hidden_layers,
            heads: config.num_attention_heads,
            dropout: config.dropout,
            drops_attention_output: true,
        };
        Ok(Self {
            transformer: Transformer::new(&sizes, &NAMES, params)?,
            features: config.hidden_size,
            pooling: config.pooling,
        })
    }

    /// ids `(b, t)`, mask `(b, t)` with 1 = token → `(b, t, d)`: a vector a token.
    ///
    /// # Errors
    /// When the text is longer than the position table, or the shapes differ.
    pub fn hidden(&self, input_ids: &Tensor, mask: &Tensor, mode: Mode) -> Result<Tensor> {
        self.transformer.hidden(input_ids, mask, mode)
    }
}

impl TextEncoder for Bert {
    fn forward(&self, input_ids: &Tensor, attention_mask: &Tensor, mode: Mode) -> Result<Tensor> {
        match self.pooling {
            Pooling::Cls => self.transformer.cls(input_ids, attention_mask, mode),
            Pooling::Mean => {
                mean_of_tokens(&self.hidden(input_ids, attention_mask, mode)?, attention_mask)
            }
        }
    }

    fn features(&self) -> usize {
        self.features
    }
}

/// hidden `(b, t, d)`, mask `(b, t)` → `(b, d)`: the mean over the tokens of each text, padding left out.
pub(super) fn mean_of_tokens(hidden: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let mask = mask.to_dtype(DType::F32)?;
    // A text without any token has the mean 0.
    let count = mask.sum_keepdim(1)?.clamp(1f32, f32::INFINITY)?; // (b, 1)
    let share = mask.broadcast_div(&count)?.unsqueeze(1)?; // (b, 1, t)
    Ok(share.matmul(hidden)?.squeeze(1)?)
}
