//! The lecture's `CFG`: every choice of the practice in one plain struct, in three sizes.

use std::path::PathBuf;

use candle_core::Device;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

mod image_encoder;
mod language;
mod text_encoder;

pub(crate) use image_encoder::CLIP_NORMALISATION;
pub use image_encoder::{
    Activation, ClipResNetConfig, EfficientNetLiteConfig, ImageEncoderConfig, InvertedStage,
    ResNetConfig, ResidualLayer, Stem, VitConfig,
};
pub use language::{Gpt2Config, LanguageModelConfig, LlamaConfig};
pub use text_encoder::{
    BertConfig, CbowConfig, ClipTextConfig, DistilBertConfig, Pooling, TextEncoderConfig,
};

/// What starts an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Weights of an earlier training: the lecture's `pretrained = True`.
    Pretrained,
    /// Random weights.
    Scratch,
}

/// The temperature of the similarities.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Temperature {
    /// A learned `logit_scale`, started at `1 / value` and clamped so that logits are never scaled by more than
    /// 100 (arXiv:2103.00020, section 2.5). The paper starts at 0.07.
    Learned(f64),
    /// The tutorial's fixed temperature.
    Fixed(f64),
}

/// How the learning rates move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The lecture's: lowered by `factor` when the validation loss has not fallen for `patience` epochs.
    Plateau,
    /// Up from zero over the first twentieth of the training and down to zero along a cosine: better when the time is
    /// short and known beforehand.
    Cosine,
}

/// How a picture of any shape becomes the encoder's square.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Both sides are scaled, each for itself, and nothing is cut off: the lecture's `Resize((s, s))`, bilinear.
    #[default]
    Stretch,
    /// The shorter side is scaled to `s`, bicubic, and the middle square is kept: what CLIP's published weights expect.
    Crop,
}

/// Everything that the practice lets you choose: the lecture's `CFG`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// The preset that this configuration started from: `tiny`, `mini` or `lecture`.
    pub preset: String,
    /// `auto` (the first that works), `cpu`, `cuda` or `metal`.
    pub device: String,
    /// The seed of initial weights, shuffles and dropout.
    pub seed: u64,
    /// The side of a transformed picture, pixels.
    pub size: usize,
    /// How a picture becomes that square.
    #[serde(default)]
    pub fit: Fit,
    /// The longest caption, tokens with `[CLS]` and `[SEP]`.
    pub max_length: usize,
    /// Pairs in a batch.
    pub batch_size: usize,
    /// Threads that decode pictures.
    pub num_workers: usize,
    /// Passes over the training captions.
    pub epochs: usize,
    /// Learning rate of both projection heads and of the temperature.
    pub head_lr: f64,
    /// Learning rate of the image encoder.
    pub image_encoder_lr: f64,
    /// Learning rate of the text encoder.
    pub text_encoder_lr: f64,
    /// Weight decay of the projection heads (the encoders have none, as in the lecture's practice).
    pub weight_decay: f64,
    /// How the learning rates move.
    pub schedule: Schedule,
    /// Epochs without improvement before the plateau scheduler lowers the learning rates.
    pub patience: usize,
    /// What it multiplies them with.
    pub factor: f64,
    /// Where the image encoder starts.
    pub image_start: Start,
    /// Where the text encoder starts.
    pub text_start: Start,
    /// Whether the image encoder trains. A frozen one is used as it is, in evaluation mode: its batch norms go by their
    /// running statistics and keep them, and the backward pass does not enter it.
    pub image_trainable: bool,
    /// Whether the text encoder trains. A frozen one is used in evaluation mode, without dropout.
    pub text_trainable: bool,
    /// The image encoder.
    pub image_encoder: ImageEncoderConfig,
    /// The text encoder.
    pub text_encoder: TextEncoderConfig,
    /// The causal language model of the later chapters: Frozen, perplexity, prompting.
    #[serde(default)]
    pub language_model: LanguageModelConfig,
    /// A folder with the preset's model files, a folder a model, as `cargo vl fetch --out` makes it; none: the model
    /// hub's cache on this machine. `tiny` needs none of them. Not kept in checkpoints.
    #[serde(skip)]
    pub models: Option<PathBuf>,
    /// The length of an embedding.
    pub projection_dim: usize,
    /// Dropout in the projection heads.
    pub dropout: f64,
    /// The temperature.
    pub temperature: Temperature,
}

impl Config {
    /// Two CPU cores, offline, minutes: scenes at 64², a small ResNet, a small DistilBERT.
    pub fn tiny() -> Self {
        Self {
            preset: "tiny".into(),
            device: "auto".into(),
            seed: 42,
            size: 64,
            fit: Fit::Stretch,
            max_length: 32,
            batch_size: 64,
            num_workers: 2,
            epochs: 4,
            head_lr: 1e-3,
            image_encoder_lr: 1e-3,
            text_encoder_lr: 1e-3,
            weight_decay: 1e-3,
            schedule: Schedule::Cosine,
            patience: 1,
            factor: 0.8,
            image_start: Start::Pretrained,
            text_start: Start::Pretrained,
            image_trainable: true,
            text_trainable: true,
            image_encoder: ResNetConfig::tiny().into(),
            text_encoder: DistilBertConfig::tiny().into(),
            language_model: Gpt2Config::tiny().into(),
            models: None,
            projection_dim: 128,
            dropout: 0.1,
            temperature: Temperature::Learned(0.07),
        }
    }

    /// A laptop and real pretrained weights, 110 MB for CLIP: EfficientNet-Lite0 (1280) and MiniLM (384) at 224², on Flickr8k
    /// or scenes; SmolLM2-135M where a language model is wanted; the rest as the lecture has it.
    pub fn mini() -> Self {
        Self {
            preset: "mini".into(),
            max_length: 64,
            image_encoder: EfficientNetLiteConfig::lite0().into(),
            text_encoder: BertConfig::minilm_l6().into(),
            language_model: LlamaConfig::smollm2_135m().into(),
            ..Self::lecture()
        }
    }

    /// What the lecture runs: ResNet-50 (2048) and DistilBERT (768) on Flickr8k at 224².
    pub fn lecture() -> Self {
        Self {
            preset: "lecture".into(),
            size: 224,
            max_length: 200,
            batch_size: 32,
            schedule: Schedule::Plateau,
            image_encoder_lr: 1e-4,
            text_encoder_lr: 1e-5,
            image_encoder: ResNetConfig::resnet50().into(),
            text_encoder: DistilBertConfig::base_uncased().into(),
            language_model: Gpt2Config::gpt2().into(),
            projection_dim: 256,
            ..Self::tiny()
        }
    }

    /// The device that [`device`](Config::device) names; `auto` takes CUDA, then Metal, then the CPU.
    ///
    /// # Errors
    /// When the device is unknown or cannot be used, with the crate's feature that it needs.
    pub fn device(&self) -> Result<Device> {
        let unusable = |feature: &str, e: candle_core::Error| {
            Error::value(
                "config.device",
                format!(
                    "a usable device; `{feature}` needs the crate's feature `{feature}` and its hardware"
                ),
                e,
            )
        };
        match self.device.as_str() {
            "cpu" => Ok(Device::Cpu),
            "cuda" => Device::new_cuda(0).map_err(|e| unusable("cuda", e)),
            "metal" => Device::new_metal(0).map_err(|e| unusable("metal", e)),
            "auto" => {
                Ok(Device::new_cuda(0).or_else(|_| Device::new_metal(0)).unwrap_or(Device::Cpu))
            }
            other => Err(Error::value("config.device", "auto, cpu, cuda or metal", other)),
        }
    }
}
