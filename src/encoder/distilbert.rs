//! DistilBERT (arXiv:1910.01108), with transformers' parameter names (`DistilBertModel`).

use candle_core::Tensor;

use super::TextEncoder;
use crate::Result;
use crate::config::DistilBertConfig;
use crate::nn::{Dropout, Embedding, LayerNorm, Linear, Mode, Params, ops};

struct Layer {
    q: Linear,
    k: Linear,
    v: Linear,
    out: Linear,
    sa_layer_norm: LayerNorm,
    lin1: Linear,
    lin2: Linear,
    output_layer_norm: LayerNorm,
    attention_dropout: Dropout,
    dropout: Dropout,
    heads: usize,
}

impl Layer {
    fn new(config: &DistilBertConfig, params: &Params) -> Result<Self> {
        let d = config.dim;
        let attention = params.pp("attention");
        let ffn = params.pp("ffn");
        Ok(Self {
            q: Linear::bert(d, d, &attention.pp("q_lin"))?,
            k: Linear::bert(d, d, &attention.pp("k_lin"))?,
            v: Linear::bert(d, d, &attention.pp("v_lin"))?,
            out: Linear::bert(d, d, &attention.pp("out_lin"))?,
            sa_layer_norm: LayerNorm::new(d, 1e-12, &params.pp("sa_layer_norm"))?,
            lin1: Linear::bert(d, config.hidden_dim, &ffn.pp("lin1"))?,
            lin2: Linear::bert(config.hidden_dim, d, &ffn.pp("lin2"))?,
            output_layer_norm: LayerNorm::new(d, 1e-12, &params.pp("output_layer_norm"))?,
            attention_dropout: Dropout::new(config.dropout, params),
            dropout: Dropout::new(config.dropout, params),
            heads: config.n_heads,
        })
    }

    /// hidden `(b, t, d)`, the `s` of its rows that are wanted `(b, s, d)`, mask `(b, t)` → `(b, s, d)`
    fn forward(
        &self,
        hidden: &Tensor,
        wanted: &Tensor,
        mask: &Tensor,
        mode: Mode,
    ) -> Result<Tensor> {
        let q = self.q.forward(wanted)?;
        let (k, v) = (self.k.forward(hidden)?, self.v.forward(hidden)?);
        let drops = self.attention_dropout.drops(mode);
        let context = ops::attention(&q, &k, &v, mask, self.heads, drops)?;
        let hidden = self.sa_layer_norm.forward(&(self.out.forward(&context)? + wanted)?)?;
        let inside = ops::gelu(&self.lin1.forward(&hidden)?)?;
        let ffn = self.dropout.forward(&self.lin2.forward(&inside)?, mode)?;
        self.output_layer_norm.forward(&(ffn + hidden)?)
    }
}

/// Token ids to one vector a token, and the vector of `[CLS]` for the sentence.
pub struct DistilBert {
    words: Embedding,
    positions: Embedding,
    layer_norm: LayerNorm,
    dropout: Dropout,
    layers: Vec<Layer>,
    config: DistilBertConfig,
}

impl DistilBert {
    /// Takes its parameters from `params`, under transformers' names.
    pub fn new(config: &DistilBertConfig, params: &Params) -> Result<Self> {
        let embeddings = params.pp("embeddings");
        let d = config.dim;
        let layer = |i: usize| Layer::new(config, &params.pp(format!("transformer.layer.{i}")));
        Ok(Self {
            words: Embedding::new(config.vocab_size, d, &embeddings.pp("word_embeddings"))?,
            positions: Embedding::new(
                config.max_position_embeddings,
                d,
                &embeddings.pp("position_embeddings"),
            )?,
            layer_norm: LayerNorm::new(d, 1e-12, &embeddings.pp("LayerNorm"))?,
            dropout: Dropout::new(config.dropout, params),
            layers: (0..config.n_layers).map(layer).collect::<Result<_>>()?,
            config: config.clone(),
        })
    }

    /// ids `(b, t)`, mask `(b, t)` with 1 = token → `(b, t, d)`: a vector a token.
    ///
    /// # Errors
    /// When the text is longer than the position table, or the shapes differ.
    pub fn hidden(&self, input_ids: &Tensor, mask: &Tensor, mode: Mode) -> Result<Tensor> {
        let (last, before) = self.split_last()?;
        let hidden = self.up_to(before, input_ids, mask, mode)?;
        last.forward(&hidden, &hidden, mask, mode)
    }

    fn split_last(&self) -> Result<(&Layer, &[Layer])> {
        let none = || crate::Error::value("config.text_encoder.n_layers", "at least 1", 0);
        self.layers.split_last().ok_or_else(none)
    }

    /// The embedded tokens after these layers.
    fn up_to(
        &self,
        layers: &[Layer],
        input_ids: &Tensor,
        mask: &Tensor,
        mode: Mode,
    ) -> Result<Tensor> {
        let (b, t) = input_ids.dims2()?;
        if t > self.config.max_position_embeddings {
            let most = self.config.max_position_embeddings;
            return Err(crate::Error::shape(
                "text encoder, input_ids",
                format!("(batch, at most {most} tokens)"),
                input_ids.shape(),
            ));
        }
        if mask.dims() != [b, t] {
            let expected = format!("({b}, {t}) as input_ids");
            return Err(crate::Error::shape(
                "text encoder, attention_mask",
                expected,
                mask.shape(),
            ));
        }
        let positions = Tensor::arange(0, t as u32, input_ids.device())?;
        let embedded =
            self.words.forward(input_ids)?.broadcast_add(&self.positions.forward(&positions)?)?;
        let mut hidden = self.dropout.forward(&self.layer_norm.forward(&embedded)?, mode)?;
        for layer in layers {
            hidden = layer.forward(&hidden, &hidden, mask, mode)?;
        }
        Ok(hidden)
    }

    /// The table of word vectors, `(v, d)`: the tied output layer of masked-word pretraining.
    pub fn word_embeddings(&self) -> Tensor {
        self.words.weight()
    }
}

impl TextEncoder for DistilBert {
    fn forward(&self, input_ids: &Tensor, attention_mask: &Tensor, mode: Mode) -> Result<Tensor> {
        // Nobody looks at the other rows of the last layer: only [CLS] asks there.
        let (last, before) = self.split_last()?;
        let hidden = self.up_to(before, input_ids, attention_mask, mode)?;
        let cls = hidden.narrow(1, 0, 1)?;
        Ok(last.forward(&hidden, &cls, attention_mask, mode)?.squeeze(1)?)
    }

    fn features(&self) -> usize {
        self.config.dim
    }
}
