//! CLIP as it is published, behind the same interface as the course's own model, so that whatever searches or classifies with
//! one does with the other: in transformers' form (`CLIPModel`), and under OpenAI's own names, as OpenAI's code and open_clip
//! have it.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ClipLoss, ClipModel, HeadBuilder, LinearHead, head, openai};
use crate::checkpoint::{StateDict, drop_untracked, load_tensors};
use crate::config::{ClipTextConfig, Config, Fit, ImageEncoderConfig, Start, VitConfig};
use crate::dataset::Transform;
use crate::text::Tokenizer;
use crate::{Error, Result};

/// transformers' weights, then open_clip's.
const TRANSFORMERS: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];
const OPEN_CLIP: [&str; 2] = ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"];

/// CLIP's merges: transformers' file, and OpenAI's.
const MERGES: [&str; 2] = ["merges.txt", "bpe_simple_vocab_16e6.txt"];

impl ClipModel {
    /// Opens what a command's `--checkpoint` names: a checkpoint of this library ([`load`](Self::load)), or a folder with a
    /// published CLIP ([`from_clip_folder`](Self::from_clip_folder)), which has heads of its own.
    ///
    /// # Errors
    /// As these two.
    pub fn open(path: &Path, head: HeadBuilder, loss: ClipLoss) -> Result<Self> {
        match path.is_dir() {
            true => Self::from_clip_folder(path, &Config::lecture(), loss),
            false => Self::load(path, head, loss),
        }
    }

    /// The file with the weights of what [`open`](Self::open) opens: to tell one model from another.
    ///
    /// # Errors
    /// When a folder has none.
    pub fn weights_of(path: &Path) -> Result<PathBuf> {
        if path.is_dir() { weights(path) } else { Ok(path.into()) }
    }

    /// A published CLIP from its folder, to search and to classify with. As [`shipped`](Self::shipped) it does not train, since
    /// it has no loss: [`from_clip_folder`](Self::from_clip_folder) takes one.
    ///
    /// # Errors
    /// As [`from_clip_folder`](Self::from_clip_folder).
    pub fn published(folder: &Path) -> Result<Self> {
        let no_loss: ClipLoss = |_, _, _| Err(Error::NotYet { id: "clip_loss".into() });
        Self::from_clip_folder(folder, &Config::lecture(), no_loss)
    }

    /// Reads a folder with a published CLIP:
    ///
    /// - as transformers writes it: `config.json`, and `model.safetensors` or `pytorch_model.bin`
    ///   (`openai/clip-vit-base-patch32` on the hub);
    /// - as open_clip writes it: `open_clip_config.json`, and `open_clip_model.safetensors` or `open_clip_pytorch_model.bin`,
    ///   with a vision transformer or CLIP's ResNet (`timm/resnet50_clip.openai`);
    /// - with OpenAI's state dict alone, in one file of any name, saved by `torch.save(model.state_dict(), path)`. OpenAI's own
    ///   downloads (`RN50.pt`) are programs (TorchScript), which are not read.
    ///
    /// The tokenizer is `tokenizer.json`, or made of `merges.txt` or OpenAI's `bpe_simple_vocab_16e6.txt`.
    ///
    /// Pictures are prepared as CLIP's are ([`Fit::Crop`]). The device, the seed and the learning rates are those of `base`;
    /// the loss is the caller's. Everything trains, but for the picture's head with CLIP's ResNet: its attention pooling ends
    /// in the projection, so that the head behind it is the identity and stays it.
    ///
    /// # Errors
    /// When a file is missing or damaged, or the model is another one: the first key that does not fit is named.
    pub fn from_clip_folder(folder: &Path, base: &Config, loss: ClipLoss) -> Result<Self> {
        let file = weights(folder)?;
        let mut state = load_tensors(&file)?;
        drop_untracked(&mut state);
        let (config, state) = match openai::knows(&state) {
            true => {
                let about = read_json(&folder.join("open_clip_config.json"))?;
                let config = openai::read_config(&state, &about, base);
                (config, openai::renamed(state).map_err(|why| wrong(&file, why))?)
            }
            false => {
                let about = read_json(&folder.join("config.json"))?;
                (read_config(&about, base), from_transformers(state))
            }
        };
        let config = config.map_err(|why| wrong(folder, why))?;
        let said = read_json(&folder.join("preprocessor_config.json"))?;
        check_pictures(&said["image_mean"], &said["image_std"])
            .map_err(|why| wrong(folder, why))?;
        let model =
            Self::build(&config, tokenizer(folder)?, head::<LinearHead>(), loss, [true; 2])?;
        model.params().load_state_dict(&state).map_err(|e| wrong(&file, e.to_string()))?;
        if matches!(config.image_encoder, ImageEncoderConfig::ClipResNet(_)) {
            model.params().pp("image_projection").set_trainable(false);
        }
        Ok(model)
    }
}

fn wrong(path: &Path, why: String) -> Error {
    let next = "use the folder of a CLIP that transformers, open_clip or OpenAI published: `openai/clip-vit-base-patch32`, \
                `timm/resnet50_clip.openai`, …";
    Error::Checkpoint { path: path.into(), why, next: next.into() }
}

/// The file with a folder's weights. A folder may have those of several programs: transformers' count where `config.json` is a
/// CLIP's (beside open_clip's it may be that of the image encoder alone).
fn weights(folder: &Path) -> Result<PathBuf> {
    let transformers = read_json(&folder.join("config.json"))?["model_type"] == "clip";
    let names = match transformers {
        true => [TRANSFORMERS, OPEN_CLIP],
        false => [OPEN_CLIP, TRANSFORMERS],
    };
    let named = names.as_flattened().iter().map(|name| folder.join(name));
    if let Some(file) = named.into_iter().find(|path| path.is_file()) {
        return Ok(file);
    }
    let mut others = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        if ["pt", "pth", "bin", "safetensors"].contains(&ending) {
            others.push(path);
        }
    }
    match &others[..] {
        [one] => Ok(one.clone()),
        _ => Err(Error::Missing {
            what: format!(
                "a CLIP's weights ({}, or one file with a state dict; there are {} such)",
                names.as_flattened().join(", "),
                others.len()
            ),
            place: folder.into(),
            next: "put the model's weights beside its config.json or open_clip_config.json".into(),
        }),
    }
}

/// A JSON file; null where there is none.
fn read_json(path: &Path) -> Result<Value> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(|e| wrong(path, e.to_string())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Value::Null),
        Err(e) => Err(Error::io(path)(e)),
    }
}

fn tokenizer(folder: &Path) -> Result<Tokenizer> {
    let whole = folder.join("tokenizer.json");
    if whole.is_file() {
        return Tokenizer::from_file(&whole);
    }
    let merges = MERGES.map(|name| folder.join(name)).into_iter().find(|path| path.is_file());
    let merges = merges.ok_or_else(|| Error::Missing {
        what: "CLIP's tokenizer (tokenizer.json, merges.txt or bpe_simple_vocab_16e6.txt)".into(),
        place: folder.into(),
        next: "every CLIP of OpenAI's has the same: put the tokenizer.json of `openai/clip-vit-base-patch32` there, or, \
               unpacked, the bpe_simple_vocab_16e6.txt.gz of OpenAI's code or of the Python package open_clip_torch"
            .into(),
    })?;
    Tokenizer::clip(&std::fs::read_to_string(&merges).map_err(Error::io(&merges))?)
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
fn read_config(json: &Value, base: &Config) -> std::result::Result<Config, String> {
    if json.is_null() {
        return Err("it has no config.json, and its weights have not OpenAI's names".into());
    }
    if json["model_type"].as_str().is_some_and(|kind| kind != "clip") {
        return Err(format!("`model_type`: expected \"clip\", got {}", json["model_type"]));
    }
    let image: VitConfig = over(VitConfig::base_patch32(), &json["vision_config"])?;
    let text: ClipTextConfig = over(ClipTextConfig::base_patch32(), &json["text_config"])?;
    let p = json["projection_dim"].as_u64().map_or(512, |p| p as usize);
    Ok(clip_config(image.image_size, image.into(), text, p, base))
}

/// A published CLIP's configuration; what no file says is as `base` has it.
pub(super) fn clip_config(
    size: usize,
    image: ImageEncoderConfig,
    text: ClipTextConfig,
    projection_dim: usize,
    base: &Config,
) -> Config {
    Config {
        preset: "clip".into(),
        size,
        fit: Fit::Crop,
        max_length: text.max_position_embeddings,
        image_start: Start::Pretrained,
        text_start: Start::Pretrained,
        projection_dim,
        image_encoder: image,
        text_encoder: text.into(),
        ..base.clone()
    }
}

/// Mean and deviation that a folder's file asks for: other ones than OpenAI's would spoil every picture without a word.
pub(super) fn check_pictures(mean: &Value, std: &Value) -> std::result::Result<(), String> {
    let ours = Transform::clip(1);
    for (what, json, ours) in [("mean", mean, ours.mean), ("deviation", std, ours.std)] {
        let Some(theirs) = json.as_array() else { continue };
        let near =
            |(a, b): (&Value, f32)| a.as_f64().is_some_and(|a| (a - f64::from(b)).abs() < 1e-3);
        if theirs.len() != 3 || !theirs.iter().zip(ours).all(near) {
            return Err(format!("pictures of another {what} than CLIP's {ours:?}: {json}"));
        }
    }
    Ok(())
}

/// The fields of `sizes` that `json` has, by those of `json`.
fn over<T: Serialize + DeserializeOwned>(sizes: T, json: &Value) -> std::result::Result<T, String> {
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
