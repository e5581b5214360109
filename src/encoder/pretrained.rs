//! What the presets' encoders start from.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::{load_image_weights, load_text_weights};
use crate::config::Config;
use crate::hub::PresetModels;
use crate::nn::Params;
use crate::text::Tokenizer;
use crate::{Error, Result};

/// The preset `tiny` travels inside the library; `data/tiny/README.md` says how each file was made.
const TINY_TOKENIZER: &[u8] = include_bytes!("../../data/tiny/tokenizer.json");
const TINY_IMAGE: &[u8] = include_bytes!("../../data/tiny/image_encoder.safetensors");
const TINY_TEXT: &[u8] = include_bytes!("../../data/tiny/text_encoder.safetensors");

/// Where a preset's files come from: none for `tiny`.
fn models(config: &Config) -> Result<Option<PresetModels>> {
    match PresetModels::of(&config.preset) {
        None if config.preset != "tiny" => {
            Err(Error::value("config.preset", "tiny, mini or lecture", &config.preset))
        }
        found => Ok(found),
    }
}

/// The tokenizer of a preset.
///
/// # Errors
/// [`Error::Missing`] when the preset's files are not there, with the command that fetches them.
pub fn tokenizer(config: &Config) -> Result<Tokenizer> {
    match models(config)? {
        None => Tokenizer::from_bytes(TINY_TOKENIZER),
        Some(models) => Tokenizer::from_file(&models.tokenizer(config.models.as_deref())?),
    }
}

/// Fills an image encoder's parameters with a preset's pretrained ones.
///
/// # Errors
/// [`Error::Missing`] when the preset's files are not there, with the command that fetches them; when the configuration
/// has other sizes than the file, the first key is named.
pub fn load_pretrained_image(config: &Config, params: &Params) -> Result<()> {
    let Some(models) = models(config)? else { return load(TINY_IMAGE, params) };
    let path = models.weights(&models.image, config.models.as_deref())?;
    load_image_weights(&config.image_encoder, &path, params)
}

/// As [`load_pretrained_image`], for the text encoder.
///
/// # Errors
/// As [`load_pretrained_image`].
pub fn load_pretrained_text(config: &Config, params: &Params) -> Result<()> {
    let Some(models) = models(config)? else { return load(TINY_TEXT, params) };
    let path = models.weights(&models.text, config.models.as_deref())?;
    load_text_weights(&config.text_encoder, &path, params)
}

/// Weights that travel with the library, under our own names.
fn load(bytes: &[u8], params: &Params) -> Result<()> {
    let tensors = candle_core::safetensors::load_buffer(bytes, params.device())?;
    let full = |(name, tensor): (String, Tensor)| (format!("{}.{name}", params.prefix()), tensor);
    let state: BTreeMap<String, Tensor> = tensors.into_iter().map(full).collect();
    params.load_state_dict(&state)
}
