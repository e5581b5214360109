//! What Frozen lets you choose.

use serde::{Deserialize, Serialize};

use crate::config::{Config, Start};

/// What happens to the language model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LmStart {
    /// Pretrained, and never changed.
    Frozen,
    /// Pretrained, and trained on captions with the rest: the paper's "fine-tuned".
    FineTuned,
    /// Random, and trained on captions with the rest.
    Scratch,
}

/// The sizes and choices of [`Frozen`](super::Frozen).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrozenConfig {
    /// The picture's size, the vision encoder with its start, batch size, epochs, seed and device. The rest is not used.
    pub base: Config,
    /// How many vectors stand for a picture: the slide's `num_visual_prefix`.
    pub num_visual_prefix: usize,
    /// What happens to the language model.
    pub language_model: LmStart,
    /// Learning rate of `vision_proj_m`.
    pub projection_lr: f64,
    /// Learning rate of the language model, where it trains.
    pub lm_lr: f64,
    /// Whether every picture is black: the baseline that has only the text to go by.
    pub blind: bool,
    /// The longest caption, tokens.
    pub max_length: usize,
    /// Epochs at the beginning in which only `vision_proj_m` trains, and the language model where it is not frozen: the
    /// vision encoder's features of each picture are then computed once.
    #[serde(default)]
    pub projection_epochs: usize,
    /// A training text holds captions of one up to this many pictures, one behind the other, each next one in half of the
    /// cases: the prefix then is at home in other places than the first, as in a prompt with examples. The paper's
    /// language model has relative positions and needs no such thing.
    #[serde(default = "one")]
    pub pictures_per_text: usize,
}

fn one() -> usize {
    1
}

impl FrozenConfig {
    /// Scenes at 64², the small ResNet that has learned to name objects, the small GPT-2.
    pub fn tiny() -> Self {
        Self {
            base: Config { image_start: Start::Pretrained, epochs: 8, ..Config::tiny() },
            num_visual_prefix: 2,
            language_model: LmStart::Frozen,
            projection_lr: 3e-3,
            lm_lr: 1e-3,
            blind: false,
            max_length: 48,
            projection_epochs: 0,
            pictures_per_text: 1,
        }
    }

    /// Real weights: EfficientNet-Lite0 at 224², which stays as it is, so that a picture's features are computed once, and
    /// SmolLM2-135M. `vision_proj_m` alone trains: 1.5 million numbers.
    pub fn mini() -> Self {
        let base = Config {
            image_start: Start::Pretrained,
            image_trainable: false,
            batch_size: 16,
            epochs: 2,
            ..Config::mini()
        };
        Self { base, ..Self::tiny() }
    }
}
