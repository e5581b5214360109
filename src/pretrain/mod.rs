//! What `tiny`'s encoders know before CLIP, and its language model before Frozen: the small counterpart of the lecture's
//! ImageNet, BERT and GPT-2 weights.
//!
//! The image encoder learns to name the objects of scenes made on the way ([`pretrain_image`]), the text encoder to
//! guess hidden words of scene captions ([`pretrain_text`]), the language model to write on ([`pretrain_lm`]). All draw from [`Split::Train`] with generators of their
//! own: no validation picture, no unseen pair and no picture of the unseen style is ever seen.
//!
//! [`Split::Train`]: crate::dataset::scenes::Split::Train

mod documents;
mod image;
mod lm;
mod text;

use std::time::Duration;

use crate::checkpoint::StateDict;
use crate::nn::Cosine;

pub use documents::{document, question_and_answer};
pub use image::{ImageReport, pretrain_image};
pub use lm::{LmReport, pretrain_lm, tiny_bpe};
pub use text::{TextReport, masked_tokenizer, pretrain_masked, pretrain_text, tiny_tokenizer};

/// How long to train and how.
#[derive(Clone, Debug)]
pub struct PretrainConfig {
    /// The seed of initial weights, pictures and words.
    pub seed: u64,
    /// Examples in a step.
    pub batch_size: usize,
    /// The largest learning rate.
    pub lr: f64,
    /// Steps in all.
    pub steps: usize,
    /// Weights of an earlier training to go on from, by the encoder's own names.
    pub start: Option<StateDict>,
    /// Ends earlier after this time. The learning rate follows whichever of time and steps is further.
    pub budget: Option<Duration>,
}
