//! A transformer's layer as CLIP and ViT have it: each part reads a normalised copy and adds to what came in.
//!
//! `x ← x + attention(LN₁(x))`, `x ← x + W₂ act(W₁ LN₂(x))`

use candle_core::Tensor;

use crate::Result;
use crate::config::Activation;
use crate::nn::{Dropout, LayerNorm, Linear, Mode, Params, ops};

/// CLIP's, PyTorch's default.
pub(super) const EPS: f64 = 1e-5;

/// The sizes of a stack of layers.
pub(super) struct Sizes {
    /// The length of a token's vector.
    pub d: usize,
    /// The width inside a feed-forward network.
    pub inside: usize,
    pub layers: usize,
    pub heads: usize,
    pub dropout: f64,
    pub activation: Activation,
    /// Whether a token sees only those before it.
    pub causal: bool,
}

struct Layer {
    layer_norm1: LayerNorm,
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    out_proj: Linear,
    layer_norm2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    attention_dropout: Dropout,
    dropout: Dropout,
}

impl Layer {
    fn new(sizes: &Sizes, params: &Params) -> Result<Self> {
        let Sizes { d, inside, dropout, .. } = *sizes;
        // What is added to the stream starts smaller, the more layers add to it.
        let small = 0.02 / (2. * sizes.layers as f32).sqrt();
        let (attention, mlp) = (params.pp("self_attn"), params.pp("mlp"));
        let square = |name: &str, std| Linear::normal(d, d, std, &attention.pp(name));
        let norm = |name: &str| LayerNorm::new(d, EPS, &params.pp(name));
        Ok(Self {
            layer_norm1: norm("layer_norm1")?,
            q_proj: square("q_proj", 0.02)?,
            k_proj: square("k_proj", 0.02)?,
            v_proj: square("v_proj", 0.02)?,
            out_proj: square("out_proj", small)?,
            layer_norm2: norm("layer_norm2")?,
            fc1: Linear::normal(d, inside, 0.02, &mlp.pp("fc1"))?,
            fc2: Linear::normal(inside, d, small, &mlp.pp("fc2"))?,
            attention_dropout: Dropout::new(dropout, params),
            dropout: Dropout::new(dropout, params),
        })
    }

    fn forward(&self, x: &Tensor, mask: &Tensor, sizes: &Sizes, mode: Mode) -> Result<Tensor> {
        let y = self.layer_norm1.forward(x)?;
        let (q, k, v) =
            (self.q_proj.forward(&y)?, self.k_proj.forward(&y)?, self.v_proj.forward(&y)?);
        let drops = self.attention_dropout.drops(mode);
        let context = match sizes.causal {
            true => ops::causal_attention(&q, &k, &v, mask, sizes.heads, drops)?,
            false => ops::attention(&q, &k, &v, mask, sizes.heads, drops)?,
        };
        let x = (x + self.dropout.forward(&self.out_proj.forward(&context)?, mode)?)?;
        let inside = self.fc1.forward(&self.layer_norm2.forward(&x)?)?;
        let inside = match sizes.activation {
            Activation::Gelu => ops::gelu(&inside)?,
            Activation::QuickGelu => ops::quick_gelu(&inside)?,
        };
        Ok((&x + self.dropout.forward(&self.fc2.forward(&inside)?, mode)?)?)
    }
}

/// Layers one after the other, at `encoder.layers.0`, ….
pub(super) struct Stack {
    layers: Vec<Layer>,
    sizes: Sizes,
}

impl Stack {
    pub fn new(sizes: Sizes, params: &Params) -> Result<Self> {
        let layer = |i: usize| Layer::new(&sizes, &params.pp(format!("encoder.layers.{i}")));
        let layers = (0..sizes.layers).map(layer).collect::<Result<_>>()?;
        Ok(Self { layers, sizes })
    }

    /// `(b, t, d)`, mask `(b, t)` → `(b, t, d)`
    pub fn forward(&self, x: &Tensor, mask: &Tensor, mode: Mode) -> Result<Tensor> {
        self.layers
            .iter()
            .try_fold(x.clone(), |x, layer| layer.forward(&x, mask, &self.sizes, mode))
    }
}
