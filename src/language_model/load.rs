//! Language models as transformers writes them: `config.json`, and `model.safetensors` or `pytorch_model.bin`.

use std::path::{Path, PathBuf};

use candle_core::Device;
use serde_json::Value;

use super::{CausalLm, Gpt2, Llama};
use crate::checkpoint::{StateDict, load_pt, load_safetensors};
use crate::config::{Gpt2Config, LlamaConfig};
use crate::nn::Params;
use crate::text::BpeTokenizer;
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

/// A state dict of transformers' `LlamaForCausalLM` or `LlamaModel` as ours: every key below `model.`, without what old files
/// carry (the rotary frequencies) and without the head where the table is the head.
fn from_transformers_llama(state: &StateDict, tied: bool) -> StateDict {
    let kept =
        |key: &str| !key.ends_with("rotary_emb.inv_freq") && (!tied || key != "lm_head.weight");
    let name = |key: &str| match key.starts_with("model.") || key.starts_with("lm_head.") {
        true => key.to_string(),
        false => format!("model.{key}"),
    };
    state.iter().filter(|(k, _)| kept(k)).map(|(k, v)| (name(k), v.clone())).collect()
}

impl Gpt2 {
    /// Reads a folder with a GPT-2 as transformers writes it (`save_pretrained`, or the files of `gpt2` on the hub).
    ///
    /// # Errors
    /// When a file is missing or damaged, or the model is another one: the first key that does not fit is named.
    pub fn from_folder(folder: &Path, device: &Device) -> Result<Self> {
        Self::from_folder_in(folder, &Params::new(device, 0))
    }

    /// As [`from_folder`](Self::from_folder), with its parameters below `params`.
    ///
    /// # Errors
    /// As [`from_folder`](Self::from_folder).
    pub fn from_folder_in(folder: &Path, params: &Params) -> Result<Self> {
        let config = read_config(&read_json(folder)?, folder)?;
        let model = params.to_be_loaded(|| Self::new(&config, params))?;
        fill(folder, params, from_transformers)?;
        Ok(model)
    }
}

impl Llama {
    /// Reads a folder with a Llama as transformers writes it (`save_pretrained`, or the files of SmolLM2 on the hub).
    ///
    /// # Errors
    /// When a file is missing or damaged, or the model is another one: the first key that does not fit is named.
    pub fn from_folder(folder: &Path, device: &Device) -> Result<Self> {
        Self::from_folder_in(folder, &Params::new(device, 0))
    }

    /// As [`from_folder`](Self::from_folder), with its parameters below `params`.
    ///
    /// # Errors
    /// As [`from_folder`](Self::from_folder).
    pub fn from_folder_in(folder: &Path, params: &Params) -> Result<Self> {
        let config = read_llama_config(&read_json(folder)?, folder)?;
        let model = params.to_be_loaded(|| Self::new(&config, params))?;
        fill(folder, params, |state| {
            Ok(from_transformers_llama(state, config.tie_word_embeddings))
        })?;
        Ok(model)
    }
}

/// Reads a language model with its tokenizer, its parameters below `params`: from a folder as transformers writes it, from a
/// folder with one `.gguf` file, or from such a file.
///
/// # Errors
/// When a file is missing or damaged, or the model is neither a GPT-2 nor a Llama.
pub fn open(path: &Path, params: &Params) -> Result<(Box<dyn CausalLm>, BpeTokenizer)> {
    if let Some(file) = gguf_in(path)? {
        let (model, tokenizer) = Llama::from_gguf_in(&file, params)?;
        return Ok((Box::new(model), tokenizer));
    }
    let model: Box<dyn CausalLm> = match read_json(path)?["model_type"].as_str() {
        Some("llama") => Box::new(Llama::from_folder_in(path, params)?),
        // An unknown one is named there.
        _ => Box::new(Gpt2::from_folder_in(path, params)?),
    };
    Ok((model, BpeTokenizer::from_folder(path)?))
}

/// The GGUF file that `path` is, or the only one of a folder without a `config.json`.
fn gguf_in(path: &Path) -> Result<Option<PathBuf>> {
    let is_gguf = |path: &Path| path.extension().is_some_and(|ending| ending == "gguf");
    if is_gguf(path) {
        return Ok(Some(path.into()));
    }
    if path.join("config.json").is_file() {
        return Ok(None);
    }
    let entries = std::fs::read_dir(path).map_err(Error::io(path))?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| is_gguf(p)).collect();
    files.sort();
    match files.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        [a, b, ..] => Err(Error::value(
            format!("the folder {}", path.display()),
            "one .gguf file",
            format!("{} and {}", a.display(), b.display()),
        )),
    }
}

fn read_json(folder: &Path) -> Result<Value> {
    let path = folder.join("config.json");
    let text = std::fs::read(&path).map_err(Error::io(&path))?;
    serde_json::from_slice(&text).map_err(|e| wrong(&path, e.to_string()))
}

/// Loads the folder's weights, renamed, into `params`.
fn fill(
    folder: &Path,
    params: &Params,
    renamed: impl Fn(&StateDict) -> Result<StateDict>,
) -> Result<()> {
    let (path, state) = weights(folder)?;
    params.load_below(&renamed(&state)?).map_err(|e| Error::Checkpoint {
        path,
        why: e.to_string(),
        next: "put the weights that belong to config.json beside it".into(),
    })
}

fn weights(folder: &Path) -> Result<(PathBuf, StateDict)> {
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

fn wrong(path: &Path, why: String) -> Error {
    Error::Checkpoint {
        path: path.into(),
        why,
        next: "use the folder of a GPT-2 (`gpt2`, `distilgpt2`, …) or of a Llama with byte-level tokens (`SmolLM2-135M`, …)"
            .into(),
    }
}

/// That a field, where it is there, has one of the values that this library's model means.
fn says(json: &Value, path: &Path, key: &str, allowed: &[Value]) -> Result<()> {
    let value = &json[key];
    if value.is_null() || allowed.contains(value) {
        return Ok(());
    }
    let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    Err(wrong(path, format!("`{key}`: expected {}, got {value}", allowed.join(" or "))))
}

fn read_config(json: &Value, path: &Path) -> Result<Gpt2Config> {
    says(json, path, "model_type", &["gpt2".into()])?;
    says(json, path, "activation_function", &["gelu_new".into(), "gelu_pytorch_tanh".into()])?;
    if let Some(inner) = json["n_inner"].as_u64()
        && Some(inner) != json["n_embd"].as_u64().map(|d| 4 * d)
    {
        return Err(wrong(path, format!("`n_inner`: expected 4 · n_embd, got {inner}")));
    }
    serde_json::from_value(json.clone()).map_err(|e| wrong(path, e.to_string()))
}

fn read_llama_config(json: &Value, path: &Path) -> Result<LlamaConfig> {
    says(json, path, "model_type", &["llama".into()])?;
    says(json, path, "hidden_act", &["silu".into()])?;
    for bias in ["attention_bias", "mlp_bias"] {
        says(json, path, bias, &[false.into()])?;
    }
    says(json, path, "rope_scaling", &[])?;
    // Newer files keep what belongs to the rotary positions together.
    let rope = &json["rope_parameters"];
    says(rope, path, "rope_type", &["default".into()])?;
    let mut json = json.clone();
    let fields = json.as_object_mut().ok_or_else(|| wrong(path, "expected an object".into()))?;
    let mut default = |key: &str, value: Value| {
        if fields.get(key).is_none_or(Value::is_null) {
            fields.insert(key.into(), value);
        }
    };
    default(
        "rope_theta",
        if rope["rope_theta"].is_null() { 1e4.into() } else { rope["rope_theta"].clone() },
    );
    default("tie_word_embeddings", false.into());
    let heads = json["num_attention_heads"].clone();
    if json["num_key_value_heads"].is_null() {
        json["num_key_value_heads"] = heads;
    }
    let config: LlamaConfig =
        serde_json::from_value(json.clone()).map_err(|e| wrong(path, e.to_string()))?;
    if let Some(width) = json["head_dim"].as_u64()
        && width * config.num_attention_heads as u64 != config.hidden_size as u64
    {
        let expected = "`head_dim`: expected hidden_size / num_attention_heads";
        return Err(wrong(path, format!("{expected}, got {width}")));
    }
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn another_model_is_refused_by_name() {
        let read = |text: &str| read_config(&json(text), Path::new("config.json"));
        let sizes = r#""vocab_size":9,"n_positions":8,"n_embd":4,"n_layer":1,"n_head":2,"layer_norm_epsilon":1e-5"#;
        let config =
            read(&format!("{{{sizes},\"resid_pdrop\":0.1,\"model_type\":\"gpt2\"}}")).unwrap();
        assert_eq!((config.n_embd, config.dropout), (4, 0.1));
        for (more, word) in [
            (r#""model_type":"bloom""#, "bloom"),
            (r#""activation_function":"relu""#, "relu"),
            (r#""n_inner":99"#, "99"),
        ] {
            let error = read(&format!("{{{sizes},{more}}}")).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_llamas_config_in_its_older_and_newer_form() {
        let read = |text: &str| read_llama_config(&json(text), Path::new("config.json"));
        let sizes = r#""vocab_size":9,"max_position_embeddings":8,"hidden_size":4,"intermediate_size":6,"num_hidden_layers":1,"num_attention_heads":2,"rms_norm_eps":1e-5,"model_type":"llama""#;
        let old = read(&format!(
            r#"{{{sizes},"rope_theta":5.0,"num_key_value_heads":1,"rope_scaling":null}}"#
        ))
        .unwrap();
        assert_eq!(
            (old.rope_theta, old.num_key_value_heads, old.tie_word_embeddings),
            (5., 1, false)
        );
        let new = read(&format!(
            r#"{{{sizes},"rope_parameters":{{"rope_theta":7.0,"rope_type":"default"}},"tie_word_embeddings":true}}"#
        ))
        .unwrap();
        assert_eq!(
            (new.rope_theta, new.num_key_value_heads, new.tie_word_embeddings),
            (7., 2, true)
        );
        for (more, word) in [
            (r#""hidden_act":"gelu""#, "gelu"),
            (r#""attention_bias":true"#, "attention_bias"),
            (r#""head_dim":3"#, "head_dim"),
            (r#""rope_parameters":{"rope_type":"yarn"}"#, "yarn"),
            (r#""rope_scaling":{"type":"linear","factor":2.0}"#, "linear"),
        ] {
            let error = read(&format!("{{{sizes},{more}}}")).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
