//! CLIP as OpenAI published it, in transformers' form (`CLIPModel`): a vision transformer and a text transformer behind the same
//! interface as the course's own model, so that whatever searches or classifies with one does with the other.

use std::path::Path;

use serde_json::Value;

use super::{ClipLoss, ClipModel, LinearHead, head};
use crate::checkpoint::{StateDict, load_tensors};
use crate::config::{ClipTextConfig, Config, Start, VitConfig};
use crate::text::Tokenizer;
use crate::{Error, Result};

impl ClipModel {
    /// Reads a folder with a CLIP as transformers writes it: `config.json`, `tokenizer.json`, and `model.safetensors` or
    /// `pytorch_model.bin`, as `openai/clip-vit-base-patch32` has them on the hub. The device, the seed and the learning rates are
    /// those of `base`; everything trains, and the loss is the caller's.
    ///
    /// # Errors
    /// When a file is missing or damaged, or the model is another one: the first key that does not fit is named.
    pub fn from_clip_folder(folder: &Path, base: &Config, loss: ClipLoss) -> Result<Self> {
        let path = folder.join("config.json");
        let text = std::fs::read(&path).map_err(Error::io(&path))?;
        let config = read_config(&text, base).map_err(|why| wrong(&path, why))?;
        let tokenizer = Tokenizer::from_file(&folder.join("tokenizer.json"))?;
        let names = ["model.safetensors", "pytorch_model.bin"];
        let file = names.iter().map(|name| folder.join(name)).find(|path| path.is_file());
        let file = file.ok_or_else(|| Error::Missing {
            what: "model.safetensors or pytorch_model.bin".into(),
            place: folder.into(),
            next: "put the model's weights beside its config.json".into(),
        })?;
        let state = from_transformers(load_tensors(&file)?);
        let model = Self::bare(&config, tokenizer, head::<LinearHead>(), loss)?;
        model.params().load_state_dict(&state).map_err(|e| wrong(&file, e.to_string()))?;
        Ok(model)
    }
}

fn wrong(path: &Path, why: String) -> Error {
    Error::Checkpoint {
        path: path.into(),
        why,
        next:
            "use the folder of a CLIP with a vision transformer: `openai/clip-vit-base-patch32`, …"
                .into(),
    }
}

/// A state dict of transformers' `CLIPModel` under our names.
fn from_transformers(state: StateDict) -> StateDict {
    let name = |key: &str| -> Option<String> {
        if key.ends_with("position_ids") {
            return None;
        }
        let moved = [
            ("vision_model.", "image_encoder.model."),
            ("text_model.", "text_encoder.model."),
            ("visual_projection.", "image_projection.projection."),
            ("text_projection.", "text_projection.projection."),
        ];
        let ours = moved.iter().find_map(|(theirs, ours)| {
            key.strip_prefix(theirs).map(|rest| format!("{ours}{rest}"))
        });
        Some(ours.unwrap_or_else(|| key.to_string()))
    };
    state.into_iter().filter_map(|(key, value)| Some((name(&key)?, value))).collect()
}

/// What `config.json` leaves out is as in `clip-vit-base-patch32`, transformers' defaults.
fn read_config(text: &[u8], base: &Config) -> std::result::Result<Config, String> {
    let json: Value = serde_json::from_slice(text).map_err(|e| e.to_string())?;
    if json["model_type"].as_str().is_some_and(|kind| kind != "clip") {
        return Err(format!("`model_type`: expected \"clip\", got {}", json["model_type"]));
    }
    let image: VitConfig = over(VitConfig::base_patch32(), &json["vision_config"])?;
    let text: ClipTextConfig = over(ClipTextConfig::base_patch32(), &json["text_config"])?;
    Ok(Config {
        preset: "clip".into(),
        size: image.image_size,
        max_length: text.max_position_embeddings,
        image_start: Start::Pretrained,
        text_start: Start::Pretrained,
        projection_dim: json["projection_dim"].as_u64().map_or(512, |p| p as usize),
        image_encoder: image.into(),
        text_encoder: text.into(),
        ..base.clone()
    })
}

/// The fields of `sizes` that `json` has, by those of `json`.
fn over<T: serde::Serialize + serde::de::DeserializeOwned>(
    sizes: T,
    json: &Value,
) -> std::result::Result<T, String> {
    let mut all = serde_json::to_value(sizes).map_err(|e| e.to_string())?;
    if let (Some(fields), Some(given)) = (all.as_object_mut(), json.as_object()) {
        for (key, value) in fields.iter_mut() {
            if let Some(given) = given.get(key).filter(|v| !v.is_null()) {
                *value = given.clone();
            }
        }
    }
    serde_json::from_value(all).map_err(|e| e.to_string())
}
