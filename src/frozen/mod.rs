//! Frozen (arXiv:2106.13884): a language model that never changes learns to see. A vision encoder turns a picture into a few
//! vectors that stand where words would stand; the gradient of the captions' loss passes through the frozen model to it.
//!
//! ```text
//! prefix = vision_proj_m(vision_encoder(picture))      (b, n · d) → (b, n, d)
//! loss   = −mean ln P(caption | prefix)                the language model's parameters have no gradient
//! ```
//!
//! Three of its parts are exercises: which parameters train ([`FreezeLm`]), the prefix ([`VisualPrefix`]), the loss
//! ([`CaptionLoss`]).

mod answer;
mod checkpoint;
mod config;
mod contract;
mod features;
mod model;
mod overfitting;
mod shipped;
mod texts;
mod train;
mod vqa;

pub use config::{FrozenConfig, LmStart};
pub use contract::{CaptionLoss, FreezeLm, FrozenHoles, VisualPrefix};
pub use model::Frozen;
pub use overfitting::{EpochScores, overfitting};
pub use train::{FrozenLog, FrozenStep, train_frozen_epoch, valid_frozen_epoch};
pub use vqa::{Example, VqaScore, caption_score, examples, examples_as, vqa};
