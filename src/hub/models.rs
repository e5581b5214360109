//! Which files the presets need, at which commit of the model hub, and what their bytes hash to.

use std::path::{Path, PathBuf};

use super::{Hub, bytes};
use crate::{Error, Result};

/// One file of a model.
#[derive(Clone, Copy, Debug)]
pub struct HubFile {
    /// Its name in the repository.
    pub name: &'static str,
    /// Its SHA-256, in hexadecimal. Where it is none, the sum that the hub announces is compared.
    pub sha256: Option<&'static str>,
    /// About how long it is, bytes.
    pub about: u64,
}

/// A model on the hub.
#[derive(Clone, Copy, Debug)]
pub struct HubModel {
    /// `OWNER/NAME`.
    pub repo: &'static str,
    /// Older names of the same repository, under which a cache may hold it.
    pub also: &'static [&'static str],
    /// The commit; or a branch, whose commit of the day of the first download is kept.
    pub revision: &'static str,
    /// The files that are needed, weights first.
    pub files: &'static [HubFile],
}

/// ResNet-50, trained on ImageNet.
pub const RESNET_50: HubModel = HubModel {
    repo: "microsoft/resnet-50",
    also: &[],
    revision: "34c2154c194f829b11125337b98c8f5f9965ff19",
    files: &[HubFile { name: "model.safetensors", sha256: None, about: 102_500_000 }],
};

/// DistilBERT, trained to guess masked words.
pub const DISTILBERT: HubModel = HubModel {
    repo: "distilbert/distilbert-base-uncased",
    also: &["distilbert-base-uncased"],
    revision: "12040accade4e8a0f71eabdb258fecc2e7e948be",
    files: &[
        HubFile {
            name: "model.safetensors",
            sha256: Some("5e3f1108e3cb34ee048634875d8482665b65ac713291a7e32396fb18f6ff0063"),
            about: 268_000_000,
        },
        HubFile {
            name: "tokenizer.json",
            sha256: Some("ce64fce797c24f68df90b40a3f74f579b336a493db14bd583fd520ea0d8c9a98"),
            about: 466_000,
        },
    ],
};

/// EfficientNet-Lite0, trained on ImageNet.
pub const EFFICIENTNET_LITE0: HubModel = HubModel {
    repo: "timm/tf_efficientnet_lite0.in1k",
    also: &[],
    revision: "main",
    files: &[HubFile { name: "model.safetensors", sha256: None, about: 18_800_000 }],
};

/// MiniLM with six layers, trained to embed sentences.
pub const MINILM_L6: HubModel = HubModel {
    repo: "sentence-transformers/all-MiniLM-L6-v2",
    also: &[],
    revision: "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
    files: &[
        HubFile {
            name: "model.safetensors",
            sha256: Some("53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
            about: 90_900_000,
        },
        HubFile {
            name: "tokenizer.json",
            sha256: Some("be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
            about: 466_000,
        },
    ],
};

/// SmolLM2 with 135 million parameters, trained to write on.
pub const SMOLLM2_135M: HubModel = HubModel {
    repo: "HuggingFaceTB/SmolLM2-135M",
    also: &[],
    revision: "main",
    files: &[
        HubFile { name: "model.safetensors", sha256: None, about: 269_000_000 },
        HubFile { name: "config.json", sha256: None, about: 700 },
        HubFile { name: "tokenizer.json", sha256: None, about: 2_100_000 },
    ],
};

/// GPT-2 with 124 million parameters.
pub const GPT2: HubModel = HubModel {
    repo: "openai-community/gpt2",
    also: &["gpt2"],
    revision: "main",
    files: &[
        HubFile { name: "model.safetensors", sha256: None, about: 548_000_000 },
        HubFile { name: "config.json", sha256: None, about: 700 },
        HubFile { name: "tokenizer.json", sha256: None, about: 1_360_000 },
    ],
};

/// The models that a preset starts from.
#[derive(Clone, Copy, Debug)]
pub struct PresetModels {
    /// The preset's name.
    pub preset: &'static str,
    /// Its image encoder.
    pub image: HubModel,
    /// Its text encoder, with the tokenizer.
    pub text: HubModel,
    /// Its causal language model, with a tokenizer of its own: for the later chapters, fetched when asked for.
    pub language: HubModel,
}

/// Every preset that needs files.
pub const PRESETS: [PresetModels; 2] = [
    PresetModels {
        preset: "mini",
        image: EFFICIENTNET_LITE0,
        text: MINILM_L6,
        language: SMOLLM2_135M,
    },
    PresetModels { preset: "lecture", image: RESNET_50, text: DISTILBERT, language: GPT2 },
];

impl PresetModels {
    /// The models of the preset of this name, where it needs any.
    pub fn of(preset: &str) -> Option<Self> {
        PRESETS.into_iter().find(|models| models.preset == preset)
    }

    /// About how long the files of its encoders are, bytes.
    pub fn about(&self) -> u64 {
        self.image.about() + self.text.about()
    }

    /// Where the weights of one of its models lie: in the folder NAME of `folder` (NAME is the last part of the
    /// repository's), else in the hub's cache.
    ///
    /// # Errors
    /// [`Error::Missing`] with the command that fetches them; [`Error::Value`] where several files may be meant.
    pub fn weights(&self, model: &HubModel, folder: Option<&Path>) -> Result<PathBuf> {
        self.found(model, folder, "the weights", &weights_in)
    }

    /// Where the tokenizer of its text encoder lies, as [`weights`](Self::weights).
    ///
    /// # Errors
    /// As [`weights`](Self::weights).
    pub fn tokenizer(&self, folder: Option<&Path>) -> Result<PathBuf> {
        self.found(&self.text, folder, "tokenizer.json", &|folder| {
            Ok(Some(folder.join("tokenizer.json")).filter(|path| path.is_file()))
        })
    }

    /// The folder of its language model: `folder`'s `SmolLM2-135M` or `gpt2`, else the hub's cache.
    ///
    /// # Errors
    /// As [`weights`](Self::weights).
    pub fn language_folder(&self, folder: Option<&Path>) -> Result<PathBuf> {
        self.found(&self.language, folder, "the language model", &|folder| {
            let whole = self.language.files.iter().all(|f| folder.join(f.name).is_file());
            let gguf = || {
                let entries = std::fs::read_dir(folder).ok()?;
                let mut paths = entries.filter_map(|e| Some(e.ok()?.path()));
                paths.find(|p| p.extension().is_some_and(|ending| ending == "gguf"))
            };
            Ok((whole || gguf().is_some()).then(|| folder.to_path_buf()))
        })
    }

    fn found(
        &self,
        model: &HubModel,
        folder: Option<&Path>,
        what: &str,
        find: &dyn Fn(&Path) -> Result<Option<PathBuf>>,
    ) -> Result<PathBuf> {
        let places = match folder {
            Some(folder) => vec![folder.join(model.name())],
            None => Hub::from_env().snapshots(model),
        };
        for place in &places {
            if let Some(path) = find(place)? {
                return Ok(path);
            }
        }
        let (language, size) = match model.repo == self.language.repo {
            true => (" --language-model", self.language.about()),
            false => ("", self.about()),
        };
        let (preset, size) = (self.preset, bytes(size));
        let out = folder.map_or(String::new(), |f| format!(" --out {}", f.display()));
        Err(Error::Missing {
            what: format!("{what} of {} (preset `{preset}`)", model.repo),
            place: places.into_iter().next().unwrap_or_default(),
            next: format!(
                "`cargo vl fetch {preset}{language}{out}` fetches the preset's files (about {size}); the preset `tiny` needs none"
            ),
        })
    }
}

impl HubModel {
    /// The last part of the repository's name: `resnet-50`.
    pub fn name(&self) -> &'static str {
        self.repo.rsplit('/').next().unwrap_or(self.repo)
    }

    /// About how long its files are, bytes.
    pub fn about(&self) -> u64 {
        self.files.iter().map(|file| file.about).sum()
    }
}

/// The file of weights in a folder: under one of the hub's usual names, else the only one that has such an ending.
fn weights_in(folder: &Path) -> Result<Option<PathBuf>> {
    for name in ["model.safetensors", "pytorch_model.bin"] {
        let path = folder.join(name);
        if path.is_file() {
            return Ok(Some(path));
        }
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(None) };
    let is_weights = |path: &PathBuf| {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        ["safetensors", "bin", "pth", "pt"].contains(&ending) && path.is_file()
    };
    let mut files: Vec<PathBuf> =
        entries.filter_map(|e| Some(e.ok()?.path())).filter(is_weights).collect();
    files.sort();
    match files.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        [a, b, ..] => Err(Error::value(
            format!("the folder {}", folder.display()),
            "one file of weights, or one called model.safetensors",
            format!("{} and {}", a.display(), b.display()),
        )),
    }
}
