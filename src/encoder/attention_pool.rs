//! Attention pooling (arXiv:2103.00020, section 2.4): a picture's mean asks its places what they show.
//!
//! "A single layer of transformer-style multi-head QKV attention where the query is conditioned on the global average-pooled
//! representation of the image."

use candle_core::Tensor;

use crate::Result;
use crate::nn::{Init, Linear, Param, Params, ops};

/// `(b, d, h, w)` → `(b, p)`, with OpenAI's parameter names.
pub(super) struct AttentionPool {
    /// `(1 + h·w, d)`: of the mean, then of the places, row by row.
    positional_embedding: Param,
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    c_proj: Linear,
    heads: usize,
}

impl AttentionPool {
    /// For maps of `side × side` places with `d` channels, to vectors of `output_dim`.
    pub fn new(
        side: usize,
        d: usize,
        heads: usize,
        output_dim: usize,
        params: &Params,
    ) -> Result<Self> {
        let deviation = (d as f32).sqrt().recip();
        let linear = |out: usize, name: &str| Linear::normal(d, out, deviation, &params.pp(name));
        let places = (side * side + 1, d);
        Ok(Self {
            positional_embedding: params.get(
                places,
                "positional_embedding",
                Init::Normal(deviation),
            )?,
            q_proj: linear(d, "q_proj")?,
            k_proj: linear(d, "k_proj")?,
            v_proj: linear(d, "v_proj")?,
            c_proj: linear(output_dim, "c_proj")?,
            heads,
        })
    }

    /// `(b, d, h, w)` → `(b, p)`; there is no dropout.
    pub fn forward(&self, maps: &Tensor) -> Result<Tensor> {
        let mean = ops::global_avg_pool(maps)?.unsqueeze(1)?; // (b, 1, d)
        let places = maps.flatten_from(2)?.transpose(1, 2)?.contiguous()?; // (b, h·w, d)
        let tokens = Tensor::cat(&[&mean, &places], 1)?; // (b, 1 + h·w, d)
        let tokens = tokens.broadcast_add(&self.positional_embedding.tensor())?;
        let (b, t, _) = tokens.dims3()?;
        let query = self.q_proj.forward(&tokens.narrow(1, 0, 1)?.contiguous()?)?;
        let (keys, values) = (self.k_proj.forward(&tokens)?, self.v_proj.forward(&tokens)?);
        let mask = Tensor::ones((b, t), candle_core::DType::U32, maps.device())?;
        let seen = ops::attention(&query, &keys, &values, &mask, self.heads, None)?; // (b, 1, d)
        self.c_proj.forward(&seen.squeeze(1)?)
    }
}
