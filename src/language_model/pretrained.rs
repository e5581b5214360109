//! The language model that a configuration says.

use candle_core::Device;

use super::{CausalLm, Gpt2, Llama, open};
use crate::config::{Config, LanguageModelConfig};
use crate::hub::PresetModels;
use crate::nn::Params;
use crate::text::BpeTokenizer;
use crate::{Error, Result};

/// The language model that `config` says, with random weights.
///
/// # Errors
/// When its sizes do not fit together.
pub fn language_model(config: &LanguageModelConfig, params: &Params) -> Result<Box<dyn CausalLm>> {
    Ok(match config {
        LanguageModelConfig::Gpt2(c) => Box::new(Gpt2::new(c, params)?),
        LanguageModelConfig::Llama(c) => Box::new(Llama::new(c, params)?),
    })
}

/// A preset's pretrained language model, its parameters below `params`, with its tokenizer: `tiny`'s travels with the library;
/// `mini`'s is SmolLM2-135M and `lecture`'s GPT-2, from the folder `SmolLM2-135M` or `gpt2` of `config.models` (which may hold
/// one `.gguf` file instead), or from the hub's cache.
///
/// # Errors
/// [`Error::Missing`] when the files are not there, with the command that fetches them; when the configuration has other sizes
/// than the file.
pub fn pretrained(config: &Config, params: &Params) -> Result<(Box<dyn CausalLm>, BpeTokenizer)> {
    let (model, tokenizer): (Box<dyn CausalLm>, _) = match PresetModels::of(&config.preset) {
        None if config.preset == "tiny" => {
            let (model, tokenizer) = Gpt2::tiny_in(params)?;
            (Box::new(model), tokenizer)
        }
        None => return Err(Error::value("config.preset", "tiny, mini or lecture", &config.preset)),
        Some(models) => open(&models.language_folder(config.models.as_deref())?, params)?,
    };
    Ok((model, tokenizer))
}

/// The tokenizer of [`pretrained`] alone.
pub(crate) fn tokenizer(config: &Config) -> Result<BpeTokenizer> {
    match config.preset.as_str() {
        "tiny" => Gpt2::tiny_tokenizer(),
        _ => Ok(pretrained(config, &Params::new(&Device::Cpu, 0))?.1),
    }
}
