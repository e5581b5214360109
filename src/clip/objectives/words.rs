//! Predicting which words a picture's caption has (A. Joulin and others, arXiv:1511.02251): the paper's middle baseline.

use std::collections::BTreeSet;

use candle_core::{D, Tensor};
use candle_nn::ops::log_softmax;

use crate::config::{Config, Start};
use crate::display::shows_its_parameters;
use crate::encoder::{self, ImageEncoder};
use crate::nn::{AdamW, Linear, Mode, ParamGroup, Params};
use crate::text::Tokenizer;
use crate::{Error, Result};

/// An image encoder and one linear layer over the vocabulary: `ln P(word | picture) = log softmax(W f + b)`.
///
/// Keys: `image_encoder.model.…`, `words.{weight (v, d), bias (v)}`.
pub struct BagOfWords {
    config: Config,
    tokenizer: Tokenizer,
    params: Params,
    image_encoder: Box<dyn ImageEncoder>,
    words: Linear,
}

shows_its_parameters!(BagOfWords);

impl BagOfWords {
    /// The image encoder as `config` says, the rest from random weights.
    ///
    /// # Errors
    /// When the preset's files are missing.
    pub fn new(config: &Config) -> Result<Self> {
        let model = Self::bare(config, encoder::tokenizer(config)?)?;
        if config.image_start == Start::Pretrained {
            encoder::load_pretrained_image(config, &model.params.pp("image_encoder.model"))?;
        }
        Ok(model)
    }

    /// With random weights everywhere, for a tokenizer.
    ///
    /// # Errors
    /// When the device cannot be used.
    pub fn bare(config: &Config, tokenizer: Tokenizer) -> Result<Self> {
        let params = Params::new(&config.device()?, config.seed);
        let place = params.pp("image_encoder.model");
        let image_encoder = encoder::image_encoder(&config.image_encoder, &place)?;
        let (d, v) = (image_encoder.features(), tokenizer.vocab_size());
        let words = Linear::new(d, v, &params.pp("words"))?;
        Ok(Self { config: config.clone(), tokenizer, params, image_encoder, words })
    }

    /// All its parameters, by key.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Pictures `(b, 3, s, s)` → `ln P(word | picture)`, `(b, v)`.
    ///
    /// # Errors
    /// When the pictures have another shape.
    pub fn log_probabilities(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        let features = self.image_encoder.forward(images, mode)?; // (b, d)
        Ok(log_softmax(&self.words.forward(&features)?, D::Minus1)?)
    }

    /// The mean over the pictures of the mean `−ln P` of their captions' words, nats a word: pictures `(b, 3, s, s)`, ids
    /// `(b, t)`. A word that a caption has twice counts once; padding and the special tokens are no words.
    ///
    /// # Errors
    /// When the numbers differ, or a caption has no word.
    pub fn loss(&self, images: &Tensor, input_ids: &Tensor, mode: Mode) -> Result<Tensor> {
        let shares = self.shares(&input_ids.to_vec2::<u32>()?, |words| 1. / words as f32)?;
        let chances = self.log_probabilities(images, mode)?;
        Ok(((chances * shares)?.sum_all()? / -(input_ids.dim(0)? as f64))?)
    }

    /// Pictures `(b, 3, s, s)` → `(b, c)`: for each label the sum of the log-probabilities of its words.
    ///
    /// # Errors
    /// When a label has no word.
    pub fn label_scores(&self, images: &Tensor, names: &[String]) -> Result<Tensor> {
        let rows = names.iter().map(|name| self.tokenizer.encode(name, usize::MAX));
        let ones = self.shares(&rows.collect::<Result<Vec<_>>>()?, |_| 1.)?; // (c, v)
        let chances = self.log_probabilities(images, Mode::Eval)?.detach();
        Ok(chances.matmul(&ones.t()?)?)
    }

    /// Texts → `(n, v)`: `share(k)` at each of the `k` words of a text, 0 elsewhere.
    fn shares(&self, texts: &[Vec<u32>], share: fn(usize) -> f32) -> Result<Tensor> {
        let v = self.tokenizer.vocab_size();
        let special: BTreeSet<u32> =
            Tokenizer::SPECIAL.iter().filter_map(|t| self.tokenizer.token_to_id(t)).collect();
        let mut values = vec![0f32; texts.len() * v];
        for (row, (text, values)) in texts.iter().zip(values.chunks_exact_mut(v)).enumerate() {
            let words: BTreeSet<u32> = text.iter().copied().collect();
            let words: Vec<u32> = words.difference(&special).copied().collect();
            if words.is_empty() {
                let what = format!("a bag of words, text {row}");
                return Err(Error::value(
                    what,
                    "at least one word that the tokenizer knows",
                    "none",
                ));
            }
            words.iter().for_each(|word| values[*word as usize] = share(words.len()));
        }
        Ok(Tensor::from_vec(values, (texts.len(), v), self.params.device())?)
    }

    /// AdamW over the image encoder and the layer of words.
    pub fn optimizer(&self) -> AdamW {
        let group = |name: &str, lr: f64, weight_decay: f64| ParamGroup {
            name: name.into(),
            params: self.params.pp(name).trainable(),
            lr,
            weight_decay,
        };
        let config = &self.config;
        AdamW::new(vec![
            group("image_encoder", config.image_encoder_lr, 0.),
            group("words", config.head_lr, config.weight_decay),
        ])
    }
}
