//! GPT-2's files, as transformers writes them: `config.json`, and `model.safetensors` or `pytorch_model.bin`.

use std::path::Path;

use candle_core::Device;
use serde_json::Value;

use super::Gpt2;
use crate::checkpoint::{StateDict, load_pt, load_safetensors};
use crate::config::Gpt2Config;
use crate::nn::Params;
use crate::{Error, Result};

/// The layers whose weight transformers keeps as `(in, out)`.
const TURNED: [&str; 4] =
    ["attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight"];

/// A state dict of transformers' `GPT2LMHeadModel` or `GPT2Model` as ours: every key below `transformer.`, weights `(out,
/// in)`, without the causal masks that old files carry and without the tied `lm_head`.
///
/// # Errors
/// When a weight has not two dimensions.
pub fn from_transformers(state: &StateDict) -> Result<StateDict> {
    let mut ours = StateDict::new();
    for (key, value) in state {
        if key == "lm_head.weight" || key.ends_with(".attn.bias") || key.ends_with(".masked_bias") {
            continue;
        }
        let bare = key.strip_prefix("transformer.").unwrap_or(key);
        let value = match TURNED.iter().any(|name| bare.ends_with(name)) {
            true => value.t()?.contiguous()?,
            false => value.clone(),
        };
        ours.insert(format!("transformer.{bare}"), value);
    }
    Ok(ours)
}

impl Gpt2 {
    /// Reads a folder with a GPT-2 as transformers writes it (`save_pretrained`, or the files of `gpt2` on the hub).
    ///
    /// # Errors
    /// When a file is missing or damaged, or the model is another one: the first key that does not fit is named.
    pub fn from_folder(folder: &Path, device: &Device) -> Result<Self> {
        let path = folder.join("config.json");
        let text = std::fs::read(&path).map_err(Error::io(&path))?;
        let config = read_config(&path, &text)?;
        let (path, state) = weights(folder)?;
        let params = Params::new(device, 0);
        let model = Self::new(&config, &params)?;
        params.load_state_dict(&from_transformers(&state)?).map_err(|e| Error::Checkpoint {
            path,
            why: e.to_string(),
            next: "put the weights that belong to config.json beside it".into(),
        })?;
        Ok(model)
    }
}

fn weights(folder: &Path) -> Result<(std::path::PathBuf, StateDict)> {
    let (tensors, zip) = (folder.join("model.safetensors"), folder.join("pytorch_model.bin"));
    if tensors.is_file() {
        let state = load_safetensors(&tensors)?;
        return Ok((tensors, state));
    }
    if zip.is_file() {
        let state = load_pt(&zip)?.state;
        return Ok((zip, state));
    }
    Err(Error::Missing {
        what: "model.safetensors or pytorch_model.bin".into(),
        place: folder.into(),
        next: "put the model's weights beside its config.json".into(),
    })
}

fn read_config(path: &Path, text: &[u8]) -> Result<Gpt2Config> {
    let wrong = |why: String| Error::Checkpoint {
        path: path.into(),
        why,
        next: "use the folder of a GPT-2: `gpt2`, `gpt2-medium`, `distilgpt2`, …".into(),
    };
    let json: Value = serde_json::from_slice(text).map_err(|e| wrong(e.to_string()))?;
    let says = |key: &str, allowed: &[&str]| match json[key].as_str() {
        Some(value) if !allowed.contains(&value) => {
            Err(wrong(format!("`{key}`: expected {}, got {value:?}", allowed.join(" or "))))
        }
        _ => Ok(()),
    };
    says("model_type", &["gpt2"])?;
    says("activation_function", &["gelu_new", "gelu_pytorch_tanh"])?;
    if let Some(inner) = json["n_inner"].as_u64()
        && Some(inner) != json["n_embd"].as_u64().map(|d| 4 * d)
    {
        return Err(wrong(format!("`n_inner`: expected 4 · n_embd, got {inner}")));
    }
    serde_json::from_value(json).map_err(|e| wrong(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_model_is_refused_by_name() {
        let read = |json: &str| read_config(Path::new("config.json"), json.as_bytes());
        let sizes = r#""vocab_size":9,"n_positions":8,"n_embd":4,"n_layer":1,"n_head":2,"layer_norm_epsilon":1e-5"#;
        let config = read(&format!("{{{sizes},\"resid_pdrop\":0.1,\"model_type\":\"gpt2\"}}")).unwrap();
        assert_eq!((config.n_embd, config.dropout), (4, 0.1));
        for (more, word) in [
            (r#""model_type":"llama""#, "llama"),
            (r#""activation_function":"relu""#, "relu"),
            (r#""n_inner":99"#, "99"),
        ] {
            let error = read(&format!("{{{sizes},{more}}}")).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
