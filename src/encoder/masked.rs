//! A masked language model: which word is hidden behind `[MASK]`, from what stands on both of its sides (BERT,
//! arXiv:1810.04805, section 3.1), with the parameter names of transformers' `DistilBertForMaskedLM`.
//!
//! `logits = LN(gelu(W h)) Eᵀ + b`, `E` the table of word vectors: tied.

use std::path::Path;

use candle_core::{Device, Tensor};

use super::DistilBert;
use crate::checkpoint::{StateDict, load_tensors};
use crate::config::DistilBertConfig;
use crate::nn::{Init, LayerNorm, Linear, Mode, Param, Params, ops};
use crate::text::Tokenizer;
use crate::{Error, Result};

/// The masked language model of `tiny`; `data/tiny/README.md` says how it was made.
const TOKENIZER: &[u8] = include_bytes!("../../data/tiny/masked_tokenizer.json");
const WEIGHTS: &[u8] = include_bytes!("../../data/tiny/masked_lm.safetensors");

/// A DistilBERT with the head that it was pretrained with.
pub struct MaskedLm {
    encoder: DistilBert,
    transform: Linear,
    layer_norm: LayerNorm,
    bias: Param,
    params: Params,
    features: usize,
}

crate::display::shows_its_parameters!(MaskedLm);

impl MaskedLm {
    /// Takes its parameters from `params`, under transformers' names: `distilbert.…`, `vocab_transform.…`.
    ///
    /// # Errors
    /// When the parameters exist with other shapes.
    pub fn new(config: &DistilBertConfig, params: &Params) -> Result<Self> {
        Self::in_places(config, &params.pp("distilbert"), params)
    }

    /// As [`new`](Self::new), with the encoder and the head in places of their own.
    pub(crate) fn in_places(
        config: &DistilBertConfig,
        encoder: &Params,
        head: &Params,
    ) -> Result<Self> {
        Ok(Self {
            encoder: DistilBert::new(config, encoder)?,
            transform: Linear::bert(config.dim, config.dim, &head.pp("vocab_transform"))?,
            layer_norm: LayerNorm::new(config.dim, 1e-12, &head.pp("vocab_layer_norm"))?,
            bias: head.pp("vocab_projector").get(config.vocab_size, "bias", Init::Const(0.))?,
            params: head.clone(),
            features: config.dim,
        })
    }

    /// The small one that travels with the library, with its tokenizer: it has read captions of scenes, what some objects are,
    /// and what people say of movies.
    ///
    /// # Errors
    /// Never, unless the library was built from a damaged checkout.
    pub fn tiny() -> Result<(Self, Tokenizer)> {
        let tokenizer = Tokenizer::from_bytes(TOKENIZER)?;
        let config =
            DistilBertConfig { vocab_size: tokenizer.vocab_size(), ..DistilBertConfig::tiny() };
        let params = Params::new(&Device::Cpu, 0);
        let model = Self::new(&config, &params)?;
        let state = candle_core::safetensors::load_buffer(WEIGHTS, &Device::Cpu)?;
        params.load_state_dict(&state.into_iter().collect::<StateDict>())?;
        Ok((model, tokenizer))
    }

    /// Reads a folder with `config.json`, `tokenizer.json` and the weights of a `DistilBertForMaskedLM`, as
    /// `distilbert-base-uncased` has them on the hub.
    ///
    /// # Errors
    /// When a file is missing or damaged, or the model is another one.
    pub fn from_folder(folder: &Path, device: &Device) -> Result<(Self, Tokenizer)> {
        let tokenizer = Tokenizer::from_file(&folder.join("tokenizer.json"))?;
        let vocab_size = tokenizer.vocab_size();
        let config = DistilBertConfig { vocab_size, ..DistilBertConfig::base_uncased() };
        let params = Params::new(device, 0);
        let model = Self::new(&config, &params)?;
        let path = folder.join("model.safetensors");
        let mut state = load_tensors(&path)?;
        // The tied table, written a second time.
        state.remove("vocab_projector.weight");
        params.load_state_dict(&state).map_err(|e| Error::Checkpoint {
            path,
            why: e.to_string(),
            next: "use the files of distilbert-base-uncased".into(),
        })?;
        Ok((model, tokenizer))
    }

    /// The parameters, to train or to save.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The length of a token's vector.
    pub fn features(&self) -> usize {
        self.features
    }

    /// ids `(b, t)`, mask `(b, t)` → `(b, t, d)`: what the encoder makes of each token.
    ///
    /// # Errors
    /// When the text is longer than the position table, or the shapes differ.
    pub fn hidden(&self, input_ids: &Tensor, mask: &Tensor, mode: Mode) -> Result<Tensor> {
        self.encoder.hidden(input_ids, mask, mode)
    }

    /// Vectors of tokens `(…, d)` → logits `(…, v)`: of the word that stands there.
    ///
    /// # Errors
    /// When the last dimension is not the model's.
    pub fn predict(&self, hidden: &Tensor) -> Result<Tensor> {
        let hidden = ops::gelu(&self.transform.forward(hidden)?)?;
        let hidden = self.layer_norm.forward(&hidden)?;
        ops::linear(&hidden, &self.encoder.word_embeddings(), Some(&self.bias.tensor()))
    }

    /// ids `(b, t)`, mask `(b, t)` → logits `(b, t, v)`.
    ///
    /// # Errors
    /// As [`hidden`](Self::hidden).
    pub fn logits(&self, input_ids: &Tensor, mask: &Tensor, mode: Mode) -> Result<Tensor> {
        self.predict(&self.hidden(input_ids, mask, mode)?)
    }
}
