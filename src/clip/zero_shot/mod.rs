//! Zero-shot classification: a classifier made of words (arXiv:2103.00020, section 3.1; the slide's steps 2 and 3).
//!
//! The names of the classes go into sentences ("a photo of a {label}."), the sentences through the text encoder. With
//! `t` sentences a class, each class is the mean direction of its own:
//!
//! ```text
//! w_k = normalise( Σ_t  normalise(text encoder(sentence t of class k)) )        (c, p), rows of unit length
//! p(k | picture) = softmax_k( exp(s) · w_k · normalise(image encoder(picture)) )  s: the learned temperature's log
//! ```
//!
//! So no picture of a class is needed, and a new class costs one sentence. The first line is the exercise
//! `zero_shot_classifier` (contract [`ZeroShotClassifier`](super::ZeroShotClassifier)); what is here takes its result, and
//! for itself it needs one sentence a class at most ([`TextClassifier::of_sentences`]).

mod classifier;
mod confusion;
mod search;
mod show;
mod table;
mod templates;

pub use classifier::{Prediction, TextClassifier, top_k_accuracy};
pub use confusion::Confusion;
pub use search::{PromptSearch, search_prompts};
pub use show::prediction_grid;
pub use table::TextTable;
pub use templates::{fill, imagenet_templates, read_templates, scene_templates};
