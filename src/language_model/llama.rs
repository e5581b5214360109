//! Llama (arXiv:2302.13971) in the form of SmolLM2, with transformers' parameter names (`LlamaForCausalLM`).
//!
//! ```text
//! x₀ = embed_tokens[ids]
//! x ← x + attention(RMS₁(x)),  x ← x + W_down (silu(W_gate RMS₂(x)) ⊙ W_up RMS₂(x))      a layer
//! logits = W RMS(x)                                              W tied to the table, or its own
//! ```
//!
//! Beside GPT-2: places are turns of queries and keys in each layer instead of a table of vectors, several heads of queries
//! share one of keys and values, nothing has a bias, and nothing drops.

use candle_core::Tensor;

use super::causal::{check_input, resized};
use super::{CausalLm, KvCache, LmInput};
use crate::config::LlamaConfig;
use crate::nn::{Embedding, Linear, Mode, Params, RmsNorm, ops};
use crate::{Error, Result};

struct Block {
    input_layernorm: RmsNorm,
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    o_proj: Linear,
    post_attention_layernorm: RmsNorm,
    gate_proj: Linear,
    up_proj: Linear,
    down_proj: Linear,
    heads: usize,
}

impl Block {
    fn new(config: &LlamaConfig, params: &Params) -> Result<Self> {
        let (d, inside, eps) = (config.hidden_size, config.intermediate_size, config.rms_norm_eps);
        let narrow = d / config.num_attention_heads * config.num_key_value_heads;
        let (attn, mlp) = (params.pp("self_attn"), params.pp("mlp"));
        let linear = |inp, out, place: &Params, name: &str| {
            Linear::normal_no_bias(inp, out, 0.02, &place.pp(name))
        };
        let norm = |name: &str| RmsNorm::new(d, eps, &params.pp(name));
        Ok(Self {
            input_layernorm: norm("input_layernorm")?,
            q_proj: linear(d, d, &attn, "q_proj")?,
            k_proj: linear(d, narrow, &attn, "k_proj")?,
            v_proj: linear(d, narrow, &attn, "v_proj")?,
            o_proj: linear(d, d, &attn, "o_proj")?,
            post_attention_layernorm: norm("post_attention_layernorm")?,
            gate_proj: linear(d, inside, &mlp, "gate_proj")?,
            up_proj: linear(d, inside, &mlp, "up_proj")?,
            down_proj: linear(inside, d, &mlp, "down_proj")?,
            heads: config.num_attention_heads,
        })
    }

    /// `(b, s, d)`, mask `(b, t)`, the angles of the new places → `(b, s, d)`; `cache` adds what was read before.
    fn forward(
        &self,
        x: &Tensor,
        mask: &Tensor,
        (cos, sin): &(Tensor, Tensor),
        cache: Option<(&mut KvCache, usize)>,
    ) -> Result<Tensor> {
        let normed = self.input_layernorm.forward(x)?;
        let q = ops::rotary(&self.q_proj.forward(&normed)?, cos, sin)?;
        let k = ops::rotary(&self.k_proj.forward(&normed)?, cos, sin)?;
        let v = self.v_proj.forward(&normed)?; // (b, s, d·kv/heads)
        let (k, v) = match cache {
            Some((cache, layer)) => cache.extend(layer, &k, &v)?,
            None => (k, v),
        };
        let context = ops::causal_attention(&q, &k, &v, mask, self.heads, None)?;
        let x = (x + self.o_proj.forward(&context)?)?;
        let normed = self.post_attention_layernorm.forward(&x)?;
        let inside =
            ops::silu_gate(&self.gate_proj.forward(&normed)?, &self.up_proj.forward(&normed)?)?;
        Ok((&x + self.down_proj.forward(&inside)?)?)
    }
}

/// A causal language model with rotary positions, RMS norm before each part, and gated feed-forward layers.
pub struct Llama {
    embed_tokens: Embedding,
    blocks: Vec<Block>,
    norm: RmsNorm,
    /// Where the table is not the output layer.
    lm_head: Option<Embedding>,
    config: LlamaConfig,
    params: Params,
}

crate::display::shows_its_parameters!(Llama);

impl Llama {
    /// Takes its parameters from `params`, under transformers' names: `model.embed_tokens.weight`, ….
    ///
    /// # Errors
    /// When the parameters exist with other shapes, or the numbers of heads do not divide what they must.
    pub fn new(config: &LlamaConfig, params: &Params) -> Result<Self> {
        let (heads, shared) = (config.num_attention_heads, config.num_key_value_heads);
        if heads == 0 || !config.hidden_size.is_multiple_of(heads) {
            let expected = format!("a divisor of hidden_size = {}", config.hidden_size);
            return Err(Error::value("config.num_attention_heads", expected, heads));
        }
        if shared == 0 || !heads.is_multiple_of(shared) {
            let expected = format!("a divisor of num_attention_heads = {heads}");
            return Err(Error::value("config.num_key_value_heads", expected, shared));
        }
        let inside = params.pp("model");
        let (v, d) = (config.vocab_size, config.hidden_size);
        let block = |i: usize| Block::new(config, &inside.pp(format!("layers.{i}")));
        Ok(Self {
            embed_tokens: Embedding::new(v, d, &inside.pp("embed_tokens"))?,
            blocks: (0..config.num_hidden_layers).map(block).collect::<Result<_>>()?,
            norm: RmsNorm::new(d, config.rms_norm_eps, &inside.pp("norm"))?,
            lm_head: match config.tie_word_embeddings {
                true => None,
                false => Some(Embedding::new(v, d, &params.pp("lm_head"))?),
            },
            config: config.clone(),
            params: params.clone(),
        })
    }

    /// The sizes.
    pub fn config(&self) -> &LlamaConfig {
        &self.config
    }
}

impl CausalLm for Llama {
    fn params(&self) -> &Params {
        &self.params
    }

    fn vocab_size(&self) -> usize {
        self.config.vocab_size
    }

    fn width(&self) -> usize {
        self.config.hidden_size
    }

    fn longest(&self) -> usize {
        self.config.max_position_embeddings
    }

    fn embed(&self, input_ids: &Tensor) -> Result<Tensor> {
        self.embed_tokens.forward(input_ids)
    }

    fn hidden(
        &self,
        input: &LmInput,
        _mode: Mode,
        mut cache: Option<&mut KvCache>,
    ) -> Result<Tensor> {
        let cached = cache.as_ref().map_or(0, |cache| cache.len());
        check_input(input, cached, self.config.max_position_embeddings)?;
        let width = self.config.hidden_size / self.config.num_attention_heads;
        let angles = ops::rotary_angles(&input.position_ids, width, self.config.rope_theta)?;
        let mut x = input.embeddings.clone();
        for (layer, block) in self.blocks.iter().enumerate() {
            let cache = cache.as_deref_mut().map(|cache| (cache, layer));
            x = block.forward(&x, &input.attention_mask, &angles, cache)?;
        }
        self.norm.forward(&x)
    }

    fn predict(&self, hidden: &Tensor) -> Result<Tensor> {
        let table = self.lm_head.as_ref().unwrap_or(&self.embed_tokens);
        ops::linear(hidden, &table.weight(), None)
    }

    fn bfloat16(&self) -> Result<Box<dyn CausalLm>> {
        Ok(Box::new(Self::new(&self.config, &self.params.bfloat16()?)?))
    }

    fn resize_token_embeddings(&mut self, vocab_size: usize) -> Result<()> {
        let grow = |table: &Embedding, place: &Params| -> Result<Embedding> {
            place.replace("weight", &resized(&table.weight().detach(), vocab_size)?)?;
            Embedding::new(vocab_size, self.config.hidden_size, place)
        };
        let embed_tokens = grow(&self.embed_tokens, &self.params.pp("model.embed_tokens"))?;
        let lm_head =
            self.lm_head.as_ref().map(|head| grow(head, &self.params.pp("lm_head"))).transpose()?;
        (self.embed_tokens, self.lm_head) = (embed_tokens, lm_head);
        self.config.vocab_size = vocab_size;
        Ok(())
    }
}
