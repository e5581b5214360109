//! GPT-2 (Radford et al. 2019), with transformers' parameter names (`GPT2LMHeadModel`).
//!
//! ```text
//! x₀ = wte[ids] + wpe[positions]
//! x ← x + attention(LN₁(x)),  x ← x + W₂ gelu(W₁ LN₂(x))      a layer
//! logits = LN(x) wteᵀ                                          tied embeddings
//! ```
//!
//! transformers keeps the weights of a layer as `(in, out)` (`Conv1D`); here they are `(out, in)`, as in every other
//! [`Linear`]. [`from_transformers`](super::from_transformers) turns them.

use candle_core::{D, DType, Tensor};
use candle_nn::ops::softmax;

use super::causal::{check_input, resized};
use super::{CausalLm, KvCache, LmInput};
use crate::config::Gpt2Config;
use crate::display::shows_its_parameters;
use crate::nn::{Dropout, Embedding, LayerNorm, Linear, Mode, Params, ops};
use crate::{Error, Result};

/// A layer: attention and a small network, each added to the residual stream.
pub(crate) struct Block {
    ln_1: LayerNorm,
    c_attn: Linear,
    attn_proj: Linear,
    ln_2: LayerNorm,
    c_fc: Linear,
    mlp_proj: Linear,
    attn_dropout: Dropout,
    dropout: Dropout,
    heads: usize,
}

impl Block {
    /// Takes its parameters from `params`, under transformers' names: `ln_1`, `attn.c_attn`, ….
    pub(crate) fn new(config: &Gpt2Config, params: &Params) -> Result<Self> {
        let (d, eps) = (config.n_embd, config.layer_norm_epsilon);
        // What is added to the residual stream starts smaller, the more layers add to it (GPT-2, section 2.3).
        let small = 0.02 / (2. * config.n_layer as f32).sqrt();
        let (attn, mlp) = (params.pp("attn"), params.pp("mlp"));
        Ok(Self {
            ln_1: LayerNorm::new(d, eps, &params.pp("ln_1"))?,
            c_attn: Linear::normal(d, 3 * d, 0.02, &attn.pp("c_attn"))?,
            attn_proj: Linear::normal(d, d, small, &attn.pp("c_proj"))?,
            ln_2: LayerNorm::new(d, eps, &params.pp("ln_2"))?,
            c_fc: Linear::normal(d, 4 * d, 0.02, &mlp.pp("c_fc"))?,
            mlp_proj: Linear::normal(4 * d, d, small, &mlp.pp("c_proj"))?,
            attn_dropout: Dropout::new(config.dropout, params),
            dropout: Dropout::new(config.dropout, params),
            heads: config.n_head,
        })
    }

    /// `(b, s, d)` → three of `(b, s, d)`.
    fn queries_keys_values(&self, x: &Tensor) -> Result<[Tensor; 3]> {
        let d = x.dim(2)?;
        let qkv = self.c_attn.forward(&self.ln_1.forward(x)?)?; // (b, s, 3d)
        Ok([qkv.narrow(2, 0, d)?, qkv.narrow(2, d, d)?, qkv.narrow(2, 2 * d, d)?])
    }

    /// How much each place looks at each: `(b, t, d)`, mask `(b, t)` → `(b, heads, t, t)`, rows of sum 1.
    fn attention_weights(&self, x: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let [q, k, _] = self.queries_keys_values(x)?;
        causal_weights(&q, &k, mask, self.heads)
    }

    /// `(b, s, d)`, mask `(b, t)` → `(b, s, d)`; `cache` adds the keys and values of places read before.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        mask: &Tensor,
        mode: Mode,
        cache: Option<(&mut KvCache, usize)>,
    ) -> Result<Tensor> {
        let [q, k, v] = self.queries_keys_values(x)?;
        let (k, v) = match cache {
            Some((cache, layer)) => cache.extend(layer, &k, &v)?,
            None => (k, v),
        };
        let drops = self.attn_dropout.drops(mode);
        let context = ops::causal_attention(&q, &k, &v, mask, self.heads, drops)?;
        let x = (x + self.dropout.forward(&self.attn_proj.forward(&context)?, mode)?)?;
        let inside = ops::gelu_tanh(&self.c_fc.forward(&self.ln_2.forward(&x)?)?)?;
        Ok((&x + self.dropout.forward(&self.mlp_proj.forward(&inside)?, mode)?)?)
    }
}

/// `softmax(q kᵀ / √width)` of each head, places after the own and padding left out: queries and keys `(b, t, d)`, mask
/// `(b, t)` → `(b, heads, t, t)`.
fn causal_weights(q: &Tensor, k: &Tensor, mask: &Tensor, heads: usize) -> Result<Tensor> {
    let (b, t, d) = q.dims3()?;
    let width = d / heads;
    let split = |x: &Tensor| x.reshape((b, t, heads, width))?.transpose(1, 2)?.contiguous();
    let scores = (split(q)?.matmul(&split(k)?.t()?.contiguous()?)? / (width as f64).sqrt())?; // (b, heads, t, t)
    let read = mask.to_dtype(DType::U32)?.to_vec2::<u32>()?;
    let seen = |row: usize, i: usize, j: usize| j <= i && (read[row][j] == 1 || j == i);
    let bias: Vec<f32> = (0..b * t * t)
        .map(|at| if seen(at / (t * t), at / t % t, at % t) { 0. } else { f32::NEG_INFINITY })
        .collect();
    let bias = Tensor::from_vec(bias, (b, 1, t, t), q.device())?;
    Ok(softmax(&scores.broadcast_add(&bias)?, D::Minus1)?)
}

/// A causal language model with tied embeddings, learned positions, and layer norm before each part.
pub struct Gpt2 {
    wte: Embedding,
    wpe: Embedding,
    dropout: Dropout,
    blocks: Vec<Block>,
    ln_f: LayerNorm,
    config: Gpt2Config,
    params: Params,
}

shows_its_parameters!(Gpt2);

impl Gpt2 {
    /// Takes its parameters from `params`, under transformers' names: `transformer.wte.weight`, ….
    ///
    /// # Errors
    /// When the parameters exist with other shapes, or the heads do not divide the width.
    pub fn new(config: &Gpt2Config, params: &Params) -> Result<Self> {
        if config.n_head == 0 || !config.n_embd.is_multiple_of(config.n_head) {
            let expected = format!("a divisor of n_embd = {}", config.n_embd);
            return Err(Error::value("config.n_head", expected, config.n_head));
        }
        let inside = params.pp("transformer");
        let d = config.n_embd;
        let block = |i: usize| Block::new(config, &inside.pp(format!("h.{i}")));
        Ok(Self {
            wte: Embedding::new(config.vocab_size, d, &inside.pp("wte"))?,
            wpe: Embedding::new(config.n_positions, d, &inside.pp("wpe"))?,
            dropout: Dropout::new(config.dropout, &inside),
            blocks: (0..config.n_layer).map(block).collect::<Result<_>>()?,
            ln_f: LayerNorm::new(d, config.layer_norm_epsilon, &inside.pp("ln_f"))?,
            config: config.clone(),
            params: params.clone(),
        })
    }

    /// The sizes.
    pub fn config(&self) -> &Gpt2Config {
        &self.config
    }

    /// The parameters, to freeze, to train or to save.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// ids `(b, t)` → word embeddings `(b, t, d)`, without positions.
    ///
    /// # Errors
    /// When an id is not in the vocabulary.
    pub fn embed(&self, input_ids: &Tensor) -> Result<Tensor> {
        self.wte.forward(input_ids)
    }

    /// ids `(b, t)`, mask `(b, t)` → what [`hidden`](Self::hidden) reads.
    ///
    /// # Errors
    /// When an id is not in the vocabulary, or the shapes differ.
    pub fn input(&self, input_ids: &Tensor, attention_mask: &Tensor) -> Result<LmInput> {
        LmInput::new(&self.embed(input_ids)?, attention_mask)
    }

    /// ids `(b, t)`, mask `(b, t)` → logits `(b, t, v)`: at each place, of the token that comes next.
    ///
    /// # Errors
    /// As [`input`](Self::input) and [`hidden`](Self::hidden).
    pub fn logits(
        &self,
        input_ids: &Tensor,
        attention_mask: &Tensor,
        mode: Mode,
    ) -> Result<Tensor> {
        self.forward(&self.input(input_ids, attention_mask)?, mode)
    }

    /// Embeddings, mask and positions → logits `(b, t, v)`.
    ///
    /// # Errors
    /// As [`hidden`](Self::hidden).
    pub fn forward(&self, input: &LmInput, mode: Mode) -> Result<Tensor> {
        self.predict(&self.hidden(input, mode, None)?)
    }

    /// Embeddings, mask and positions → `(b, s, d)`: the last layer's vectors, normalised. With a cache, the places that
    /// were read before are not read again, and the new ones are added to it.
    ///
    /// # Errors
    /// When a text is longer than the position table, or the shapes differ.
    pub fn hidden(
        &self,
        input: &LmInput,
        mode: Mode,
        mut cache: Option<&mut KvCache>,
    ) -> Result<Tensor> {
        let mut x = self.dropout.forward(&self.placed(input, cache.as_deref())?, mode)?;
        for (layer, block) in self.blocks.iter().enumerate() {
            let cache = cache.as_deref_mut().map(|cache| (cache, layer));
            x = block.forward(&x, &input.attention_mask, mode, cache)?;
        }
        self.ln_f.forward(&x)
    }

    /// Embeddings, mask and positions → the attention weights of every layer, from the first: each `(b, heads, t, t)`, of
    /// which row `i` says how much place `i` looks at each place, itself included. transformers'
    /// `output_attentions=True`. To look at: no gradient passes.
    ///
    /// # Errors
    /// As [`hidden`](Self::hidden).
    pub fn attention_weights(&self, input: &LmInput) -> Result<Vec<Tensor>> {
        let mut x = self.placed(input, None)?.detach();
        let mut weights = Vec::new();
        for block in &self.blocks {
            weights.push(block.attention_weights(&x, &input.attention_mask)?.detach());
            x = block.forward(&x, &input.attention_mask, Mode::Eval, None)?.detach();
        }
        Ok(weights)
    }

    /// Embeddings with their positions added, `(b, s, d)`.
    fn placed(&self, input: &LmInput, cache: Option<&KvCache>) -> Result<Tensor> {
        check_input(input, cache.map_or(0, KvCache::len), self.config.n_positions)?;
        Ok((&input.embeddings + self.wpe.forward(&input.position_ids)?)?)
    }

    /// `(…, d)` → logits `(…, v)`, by the table of word embeddings.
    ///
    /// # Errors
    /// When the last dimension is not the model's.
    pub fn predict(&self, hidden: &Tensor) -> Result<Tensor> {
        ops::linear(hidden, &self.wte.weight(), None)
    }

    /// Makes the vocabulary `vocab_size` tokens large, as the slide's `resize_token_embeddings(len(tokenizer))`. Each new
    /// token starts as the mean of the others: it is then as unlikely as an average token, where a random vector could be
    /// likelier than all that the model knows.
    ///
    /// # Errors
    /// When `vocab_size` is 0.
    pub fn resize_token_embeddings(&mut self, vocab_size: usize) -> Result<()> {
        let table = resized(&self.wte.weight().detach(), vocab_size)?;
        let place = self.params.pp("transformer.wte");
        place.replace("weight", &table)?;
        self.wte = Embedding::new(vocab_size, self.config.n_embd, &place)?;
        self.config.vocab_size = vocab_size;
        Ok(())
    }
}

/// The same methods, for whoever holds any language model.
impl CausalLm for Gpt2 {
    fn params(&self) -> &Params {
        &self.params
    }

    fn vocab_size(&self) -> usize {
        self.config.vocab_size
    }

    fn width(&self) -> usize {
        self.config.n_embd
    }

    fn longest(&self) -> usize {
        self.config.n_positions
    }

    fn embed(&self, input_ids: &Tensor) -> Result<Tensor> {
        self.embed(input_ids)
    }

    fn hidden(&self, input: &LmInput, mode: Mode, cache: Option<&mut KvCache>) -> Result<Tensor> {
        self.hidden(input, mode, cache)
    }

    fn predict(&self, hidden: &Tensor) -> Result<Tensor> {
        self.predict(hidden)
    }

    fn bfloat16(&self) -> Result<Box<dyn CausalLm>> {
        Ok(Box::new(Self::new(&self.config, &self.params.bfloat16()?)?))
    }

    fn resize_token_embeddings(&mut self, vocab_size: usize) -> Result<()> {
        self.resize_token_embeddings(vocab_size)
    }
}
