//! Why contrastive? The paper's own reason for its objective (arXiv:2103.00020, section 2.3 and figure 2), as an experiment:
//! one image encoder, the same pictures in the same order, and three things to do with their captions.
//!
//! ```text
//! caption       −ln P(w₁ w₂ … | picture)                      predict it word by word: a transformer decoder
//! words         −Σ ln softmax(W f)[w] / k over its k words     predict which words it has, in no order
//! contrastive   the symmetric loss over a batch               find it among the captions of other pictures
//! ```
//!
//! After each number of examples seen, each of the three is asked which object a held-out picture shows, with no other
//! training for that: by how likely the label's sentence is, by the sum of the log-probabilities of the label's words, by
//! the cosine to the label's sentence. The paper finds that predicting the bag of words learns three times as fast as
//! predicting the caption, and that the contrastive objective is four times as fast again, on 400 million pairs.

mod captioner;
mod curve;
mod learner;
mod words;

pub use captioner::Captioner;
pub use curve::{ObjectiveRow, objective_curve, objectives_plot};
pub use words::BagOfWords;

use crate::clip::fill;
use crate::clip::suite::{Prompts, Task};
use crate::config::{Config, Gpt2Config, Start};

/// What a caption is used for in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Objective {
    /// It is predicted word by word: [`Captioner`].
    Caption,
    /// Its words are predicted, in no order: [`BagOfWords`].
    Words,
    /// It is found among the captions of other pictures: [`ClipModel`](crate::clip::ClipModel).
    Contrastive,
}

impl Objective {
    /// All three, in the paper's order: the slowest first.
    pub const ALL: [Self; 3] = [Self::Caption, Self::Words, Self::Contrastive];

    /// What tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Caption => "caption",
            Self::Words => "words",
            Self::Contrastive => "contrastive",
        }
    }
}

/// What the experiment lets you choose.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectivesConfig {
    /// The image encoder with its start, the picture's size, batch size, learning rates and seed for all three; the text
    /// encoder and the temperature for the contrastive one. The schedule is the cosine over all examples.
    pub base: Config,
    /// The sizes of the captions' decoder; a `vocab_size` of 0 is the tokenizer's. It trains with `base.text_encoder_lr`.
    pub decoder: Gpt2Config,
    /// Pairs of picture and caption that each model sees.
    pub examples: usize,
    /// How often accuracy is measured: at even distances, the last time at the end.
    pub measurements: usize,
    /// What is asked of held-out pictures.
    pub task: Task,
}

impl ObjectivesConfig {
    /// Scenes at 64², the small ResNet from random weights, a decoder as large as the text encoder (two layers of 128);
    /// 128,000 examples, which are twenty passes over 6,400 pictures.
    pub fn tiny() -> Self {
        let base =
            Config { image_start: Start::Scratch, text_start: Start::Scratch, ..Config::tiny() };
        Self {
            base,
            decoder: Gpt2Config {
                vocab_size: 0,
                n_positions: 64,
                n_layer: 2,
                ..Gpt2Config::tiny()
            },
            examples: 128_000,
            measurements: 10,
            task: Task::Object,
        }
    }
}

/// The classes that a model is asked about, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// Their names: `hot dog`.
    pub names: Vec<String>,
    /// A sentence about each: `a photo of a hot dog`.
    pub sentences: Vec<String>,
}

impl Labels {
    /// Of a task, with its one sentence.
    pub fn of(task: Task) -> Self {
        let names = task.class_names();
        let template = task.templates(Prompts::One).remove(0);
        let sentences = names.iter().map(|name| fill(&template, name)).collect();
        Self { names, sentences }
    }
}
