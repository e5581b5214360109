//! CLIP's own text encoder (arXiv:2103.00020, section 2.4), with transformers' parameter names (`CLIPTextModel`): a transformer
//! that reads from left to right; what stands for the sentence is the vector of its last token, `<|endoftext|>`.

use candle_core::Tensor;

use super::TextEncoder;
use super::pre_norm::{EPS, Sizes, Stack};
use crate::config::ClipTextConfig;
use crate::nn::{Embedding, LayerNorm, Mode, Params};
use crate::{Error, Result};

/// Token ids to the vector of each text's last token.
pub struct ClipText {
    token_embedding: Embedding,
    position_embedding: Embedding,
    stack: Stack,
    final_layer_norm: LayerNorm,
    config: ClipTextConfig,
}

impl ClipText {
    /// Takes its parameters from `params`, under transformers' names.
    ///
    /// # Errors
    /// When the heads do not divide the width.
    pub fn new(config: &ClipTextConfig, params: &Params) -> Result<Self> {
        let d = config.hidden_size;
        if config.num_attention_heads == 0 || !d.is_multiple_of(config.num_attention_heads) {
            let expected = format!("a divisor of hidden_size = {d}");
            let got = config.num_attention_heads;
            return Err(Error::value("config.text_encoder.num_attention_heads", expected, got));
        }
        let embeddings = params.pp("embeddings");
        let table = |rows: usize, name: &str| Embedding::new(rows, d, &embeddings.pp(name));
        let sizes = Sizes {
            d,
            inside: config.intermediate_size,
            layers: config.num_hidden_layers,
            heads: config.num_attention_heads,
            dropout: config.dropout,
            activation: config.hidden_act,
            causal: true,
        };
        Ok(Self {
            token_embedding: table(config.vocab_size, "token_embedding")?,
            position_embedding: table(config.max_position_embeddings, "position_embedding")?,
            stack: Stack::new(sizes, params)?,
            final_layer_norm: LayerNorm::new(d, EPS, &params.pp("final_layer_norm"))?,
            config: config.clone(),
        })
    }

    /// ids `(b, t)`, mask `(b, t)` with 1 = token → `(b, t, d)`: a vector a token, normalised.
    ///
    /// # Errors
    /// When the text is longer than the position table, or the shapes differ.
    pub fn hidden(&self, input_ids: &Tensor, mask: &Tensor, mode: Mode) -> Result<Tensor> {
        let (b, t) = input_ids.dims2()?;
        let longest = self.config.max_position_embeddings;
        if t > longest {
            let expected = format!("(batch, at most {longest} tokens)");
            return Err(Error::shape("text encoder, input_ids", expected, input_ids.shape()));
        }
        if mask.dims() != [b, t] {
            let expected = format!("({b}, {t}) as input_ids");
            return Err(Error::shape("text encoder, attention_mask", expected, mask.shape()));
        }
        let places = Tensor::arange(0, t as u32, input_ids.device())?;
        let tokens = self.token_embedding.forward(input_ids)?;
        let tokens = tokens.broadcast_add(&self.position_embedding.forward(&places)?)?;
        self.final_layer_norm.forward(&self.stack.forward(&tokens, mask, mode)?)
    }
}

impl TextEncoder for ClipText {
    fn forward(&self, input_ids: &Tensor, attention_mask: &Tensor, mode: Mode) -> Result<Tensor> {
        let hidden = self.hidden(input_ids, attention_mask, mode)?;
        let (b, t, d) = hidden.dims3()?;
        // The last token that is none of the padding.
        let mask = attention_mask.to_dtype(candle_core::DType::U32)?.to_vec2::<u32>()?;
        let last = |(row, mask): (usize, &Vec<u32>)| {
            (row * t + mask.iter().rposition(|one| *one == 1).unwrap_or(0)) as u32
        };
        let rows: Vec<u32> = mask.iter().enumerate().map(last).collect();
        let rows = Tensor::from_vec(rows, b, hidden.device())?;
        Ok(hidden.reshape((b * t, d))?.index_select(&rows, 0)?)
    }

    fn features(&self) -> usize {
        self.config.hidden_size
    }
}
