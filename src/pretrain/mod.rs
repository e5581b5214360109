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

use std::time::{Duration, Instant};

use crate::checkpoint::StateDict;
use crate::nn::{AdamW, warm_cosine};

pub use documents::{MADE_UP, document, question_and_answer};
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

/// A learning rate that rises over the first twentieth and falls to zero along a cosine.
pub(crate) struct Cosine {
    start: Instant,
    steps: usize,
    budget: Option<Duration>,
    peak: Vec<f64>,
}

impl Cosine {
    /// For `optimizer`'s learning rates as they are now, over `steps`, or `budget` if that ends first.
    pub(crate) fn new(optimizer: &AdamW, steps: usize, budget: Option<Duration>) -> Self {
        let peak = optimizer.groups().iter().map(|g| g.lr).collect();
        Self { start: Instant::now(), steps, budget, peak }
    }

    /// How much of the training is behind, 0 to 1.
    pub(crate) fn progress(&self, step: usize) -> f64 {
        let by_steps = step as f64 / self.steps.max(1) as f64;
        let by_time =
            self.budget.map_or(0., |b| self.start.elapsed().as_secs_f64() / b.as_secs_f64());
        by_steps.max(by_time).min(1.)
    }

    /// Sets the learning rates for `step`; gives whether there is still something to do.
    pub(crate) fn set(&self, optimizer: &mut AdamW, step: usize) -> bool {
        let done = self.progress(step);
        let factor = warm_cosine(done);
        for (group, peak) in optimizer.groups_mut().iter_mut().zip(&self.peak) {
            group.lr = peak * factor;
        }
        done < 1.
    }
}
