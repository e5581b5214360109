//! The encoder of "Attention is all you need" (arXiv:1706.03762), as BERT and DistilBERT have it: embedded tokens, then
//! layers of attention and a feed-forward network, each followed by a sum with what came in and a layer norm.
//!
//! The two differ in their parameters' names, in BERT's token types, and in one dropout.

use candle_core::Tensor;

use crate::nn::{Dropout, Embedding, LayerNorm, Linear, Mode, Params, ops};
use crate::{Error, Result};

/// BERT's, which is not PyTorch's default of 1e-5.
const EPS: f64 = 1e-12;

/// What a layer's parts are called in checkpoints.
pub(super) struct Names {
    /// The place of layer 0 is `LAYERS.0`.
    pub layers: &'static str,
    pub query: &'static str,
    pub key: &'static str,
    pub value: &'static str,
    pub out: &'static str,
    pub attention_norm: &'static str,
    pub lin1: &'static str,
    pub lin2: &'static str,
    pub output_norm: &'static str,
}

/// The sizes of the whole.
pub(super) struct Sizes {
    pub vocabulary: usize,
    /// The longest text, tokens.
    pub positions: usize,
    /// Kinds of text; 0 where the model has no such table.
    pub types: usize,
    /// The length of a token's vector.
    pub d: usize,
    /// The width inside a feed-forward network.
    pub inside: usize,
    pub layers: usize,
    pub heads: usize,
    pub dropout: f64,
    /// Whether what comes out of the attention is dropped from, too.
    pub drops_attention_output: bool,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    attention_norm: LayerNorm,
    lin1: Linear,
    lin2: Linear,
    output_norm: LayerNorm,
    attention_dropout: Dropout,
    dropout: Dropout,
    drops_attention_output: bool,
    heads: usize,
}

impl Layer {
    fn new(sizes: &Sizes, names: &Names, params: &Params) -> Result<Self> {
        let d = sizes.d;
        let square = |name: &str| Linear::bert(d, d, &params.pp(name));
        Ok(Self {
            query: square(names.query)?,
            key: square(names.key)?,
            value: square(names.value)?,
            out: square(names.out)?,
            attention_norm: LayerNorm::new(d, EPS, &params.pp(names.attention_norm))?,
            lin1: Linear::bert(d, sizes.inside, &params.pp(names.lin1))?,
            lin2: Linear::bert(sizes.inside, d, &params.pp(names.lin2))?,
            output_norm: LayerNorm::new(d, EPS, &params.pp(names.output_norm))?,
            attention_dropout: Dropout::new(sizes.dropout, params),
            dropout: Dropout::new(sizes.dropout, params),
            drops_attention_output: sizes.drops_attention_output,
            heads: sizes.heads,
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
        let query = self.query.forward(wanted)?;
        let (key, value) = (self.key.forward(hidden)?, self.value.forward(hidden)?);
        let drops = self.attention_dropout.drops(mode);
        let context = ops::attention(&query, &key, &value, mask, self.heads, drops)?;
        let mut attended = self.out.forward(&context)?;
        if self.drops_attention_output {
            attended = self.dropout.forward(&attended, mode)?;
        }
        let hidden = self.attention_norm.forward(&(attended + wanted)?)?;
        let inside = ops::gelu(&self.lin1.forward(&hidden)?)?;
        let ffn = self.dropout.forward(&self.lin2.forward(&inside)?, mode)?;
        self.output_norm.forward(&(ffn + hidden)?)
    }
}

/// Token ids to one vector a token.
pub(super) struct Transformer {
    words: Embedding,
    positions: Embedding,
    types: Option<Embedding>,
    layer_norm: LayerNorm,
    dropout: Dropout,
    layers: Vec<Layer>,
    longest: usize,
}

impl Transformer {
    /// Takes its parameters from `params`.
    pub fn new(sizes: &Sizes, names: &Names, params: &Params) -> Result<Self> {
        let embeddings = params.pp("embeddings");
        let table = |rows: usize, name: &str| Embedding::new(rows, sizes.d, &embeddings.pp(name));
        let layer =
            |i: usize| Layer::new(sizes, names, &params.pp(format!("{}.{i}", names.layers)));
        Ok(Self {
            words: table(sizes.vocabulary, "word_embeddings")?,
            positions: table(sizes.positions, "position_embeddings")?,
            types: match sizes.types {
                0 => None,
                types => Some(table(types, "token_type_embeddings")?),
            },
            layer_norm: LayerNorm::new(sizes.d, EPS, &embeddings.pp("LayerNorm"))?,
            dropout: Dropout::new(sizes.dropout, params),
            layers: (0..sizes.layers).map(layer).collect::<Result<_>>()?,
            longest: sizes.positions,
        })
    }

    /// ids `(b, t)`, mask `(b, t)` with 1 = token → `(b, t, d)`: a vector a token.
    pub fn hidden(&self, input_ids: &Tensor, mask: &Tensor, mode: Mode) -> Result<Tensor> {
        let (last, before) = self.split_last()?;
        let hidden = self.up_to(before, input_ids, mask, mode)?;
        last.forward(&hidden, &hidden, mask, mode)
    }

    /// ids `(b, t)`, mask `(b, t)` → `(b, d)`: the vector of `[CLS]`. Nobody looks at the other rows of the last layer:
    /// only [CLS] asks there.
    pub fn cls(&self, input_ids: &Tensor, mask: &Tensor, mode: Mode) -> Result<Tensor> {
        let (last, before) = self.split_last()?;
        let hidden = self.up_to(before, input_ids, mask, mode)?;
        let cls = hidden.narrow(1, 0, 1)?;
        Ok(last.forward(&hidden, &cls, mask, mode)?.squeeze(1)?)
    }

    /// The table of word vectors, `(v, d)`.
    pub fn word_embeddings(&self) -> Tensor {
        self.words.weight()
    }

    fn split_last(&self) -> Result<(&Layer, &[Layer])> {
        let none = || Error::value("the layers of config.text_encoder", "at least 1", 0);
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
        let mut hidden = self.embed(input_ids, mask, mode)?;
        for layer in layers {
            hidden = layer.forward(&hidden, &hidden, mask, mode)?;
        }
        Ok(hidden)
    }

    fn embed(&self, input_ids: &Tensor, mask: &Tensor, mode: Mode) -> Result<Tensor> {
        let (b, t) = input_ids.dims2()?;
        if t > self.longest {
            let expected = format!("(batch, at most {} tokens)", self.longest);
            return Err(Error::shape("text encoder, input_ids", expected, input_ids.shape()));
        }
        if mask.dims() != [b, t] {
            let expected = format!("({b}, {t}) as input_ids");
            return Err(Error::shape("text encoder, attention_mask", expected, mask.shape()));
        }
        let positions = Tensor::arange(0, t as u32, input_ids.device())?;
        let mut everywhere = self.positions.forward(&positions)?; // (t, d)
        if let Some(types) = &self.types {
            // A caption is one text: every token is of the first type.
            let first = Tensor::zeros(1, candle_core::DType::U32, input_ids.device())?;
            everywhere = everywhere.broadcast_add(&types.forward(&first)?)?;
        }
        let embedded = self.words.forward(input_ids)?.broadcast_add(&everywhere)?; // (b, t, d)
        self.dropout.forward(&self.layer_norm.forward(&embedded)?, mode)
    }
}
