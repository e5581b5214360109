//! What the presets' encoders start from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_core::Tensor;

use crate::config::Config;
use crate::nn::Params;
use crate::text::Tokenizer;
use crate::{Error, Result};

/// The preset `tiny` travels inside the library; `data/tiny/README.md` says how each file was made.
const TINY_TOKENIZER: &[u8] = include_bytes!("../../data/tiny/tokenizer.json");
const TINY_IMAGE: &[u8] = include_bytes!("../../data/tiny/image_encoder.safetensors");
const TINY_TEXT: &[u8] = include_bytes!("../../data/tiny/text_encoder.safetensors");

fn only_tiny(config: &Config, what: &str) -> Result<()> {
    if config.preset == "tiny" {
        return Ok(());
    }
    Err(Error::Missing {
        what: format!("{what} of the preset `{}`", config.preset),
        place: PathBuf::from("this version of the library"),
        next: "use `Config::tiny()`, which needs no download; loading the larger presets is not there yet".into(),
    })
}

/// The tokenizer of a preset.
///
/// # Errors
/// When the preset's files are not there.
pub fn tokenizer(config: &Config) -> Result<Tokenizer> {
    only_tiny(config, "the tokenizer")?;
    Tokenizer::from_bytes(TINY_TOKENIZER)
}

/// Fills an image encoder's parameters with a preset's pretrained ones.
///
/// # Errors
/// When the preset's files are not there, or the configuration has other sizes: the first key is named.
pub fn load_pretrained_image(config: &Config, params: &Params) -> Result<()> {
    only_tiny(config, "the pretrained image encoder")?;
    load(TINY_IMAGE, "image_encoder.model.", params)
}

/// As [`load_pretrained_image`], for the text encoder.
pub fn load_pretrained_text(config: &Config, params: &Params) -> Result<()> {
    only_tiny(config, "the pretrained text encoder")?;
    load(TINY_TEXT, "text_encoder.model.", params)
}

fn load(bytes: &[u8], prefix: &str, params: &Params) -> Result<()> {
    let tensors = candle_core::safetensors::load_buffer(bytes, params.device())?;
    let state: BTreeMap<String, Tensor> =
        tensors.into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)).collect();
    params.load_state_dict(&state)
}
