//! The vision transformer (arXiv:2010.11929) as CLIP has it, with transformers' parameter names (`CLIPVisionModel`): a picture
//! is cut into patches, each patch is a token, and one more token that belongs to no patch gathers what the picture shows.

use candle_core::{DType, Tensor};

use super::ImageEncoder;
use super::pre_norm::{EPS, Sizes, Stack};
use crate::config::VitConfig;
use crate::nn::{Conv2d, Embedding, Init, LayerNorm, Mode, Param, Params};
use crate::{Error, Result};

/// Pictures to the vector of the class token.
pub struct Vit {
    class_embedding: Param,
    patch_embedding: Conv2d,
    position_embedding: Embedding,
    pre_layrnorm: LayerNorm,
    stack: Stack,
    post_layernorm: LayerNorm,
    config: VitConfig,
}

impl Vit {
    /// Takes its parameters from `params`, under transformers' names (`pre_layrnorm` is theirs).
    ///
    /// # Errors
    /// When patches do not fill the picture, or the heads do not divide the width.
    pub fn new(config: &VitConfig, params: &Params) -> Result<Self> {
        let (side, patch, d) = (config.image_size, config.patch_size, config.hidden_size);
        if patch == 0 || side == 0 || !side.is_multiple_of(patch) {
            let expected = format!("a divisor of image_size = {side}");
            return Err(Error::value("config.image_encoder.patch_size", expected, patch));
        }
        if config.num_attention_heads == 0 || !d.is_multiple_of(config.num_attention_heads) {
            let expected = format!("a divisor of hidden_size = {d}");
            let got = config.num_attention_heads;
            return Err(Error::value("config.image_encoder.num_attention_heads", expected, got));
        }
        let embeddings = params.pp("embeddings");
        let tokens = (side / patch).pow(2) + 1;
        let sizes = Sizes {
            d,
            inside: config.intermediate_size,
            layers: config.num_hidden_layers,
            heads: config.num_attention_heads,
            dropout: config.dropout,
            activation: config.hidden_act,
            causal: false,
        };
        let conv = Conv2d::new(3, d, patch, patch, &embeddings.pp("patch_embedding"))?;
        Ok(Self {
            class_embedding: embeddings.get(d, "class_embedding", Init::Normal(0.02))?,
            patch_embedding: conv.with_padding(0),
            position_embedding: Embedding::new(tokens, d, &embeddings.pp("position_embedding"))?,
            pre_layrnorm: LayerNorm::new(d, EPS, &params.pp("pre_layrnorm"))?,
            stack: Stack::new(sizes, params)?,
            post_layernorm: LayerNorm::new(d, EPS, &params.pp("post_layernorm"))?,
            config: config.clone(),
        })
    }

    /// `(b, 3, s, s)` → `(b, 1 + patches, d)`: the class token's vector and those of the patches, row by row.
    ///
    /// # Errors
    /// When the pictures have another side than the table of places.
    pub fn hidden(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        let side = self.config.image_size;
        let b = match images.dims() {
            [b, 3, h, w] if (*h, *w) == (side, side) => *b,
            _ => {
                let expected = format!("(batch, 3, {side}, {side})");
                return Err(Error::shape("vision transformer, images", expected, images.shape()));
            }
        };
        let d = self.config.hidden_size;
        let patches = self.patch_embedding.forward(images)?.flatten_from(2)?.transpose(1, 2)?; // (b, patches, d)
        let class = self.class_embedding.tensor().reshape((1, 1, d))?.broadcast_as((b, 1, d))?;
        let tokens = Tensor::cat(&[&class.contiguous()?, &patches.contiguous()?], 1)?;
        let tokens = tokens.broadcast_add(&self.position_embedding.weight())?;
        let mask = Tensor::ones((b, tokens.dim(1)?), DType::U32, images.device())?;
        self.stack.forward(&self.pre_layrnorm.forward(&tokens)?, &mask, mode)
    }
}

impl ImageEncoder for Vit {
    fn forward(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        let class = self.hidden(images, mode)?.narrow(1, 0, 1)?.squeeze(1)?; // (b, d)
        self.post_layernorm.forward(&class.contiguous()?)
    }

    fn features(&self) -> usize {
        self.config.hidden_size
    }
}
