//! A suite of classification tasks, all about the same pictures: the lecture's 27 datasets in small.
//!
//! The ground truth of scenes says what is there, how many, where, in which colour and in whose style. Each is a task
//! ([`Task`]); none has a picture of its own, so a model's features are computed once ([`Gallery`]), and every experiment
//! after that is arithmetic: zero-shot with three ways of prompting ([`zero_shot_scores`]), linear probes
//! ([`probe_scores`]), few-shot curves ([`few_shot`]), and the same under corruptions ([`Corruption`]). Fine-tuning ([`FineTuned`]) goes through
//! the encoder again.

mod corrupt;
mod fine_tune;
mod gallery;
mod limits;
mod measure;
mod probes;
mod prompts;
mod shift;
mod table;
mod task;

pub use corrupt::Corruption;
pub use fine_tune::{FineTuneOptions, FineTuned};
pub use gallery::{Gallery, Painted, draw_scenes, plain_encoder};
pub use limits::{FineGrained, Relations, fine_grained, relations, typographic_attack};
pub use measure::{Scores, ZeroShotScores, paired_test, zero_shot_of_task, zero_shot_scores};
pub use probes::{FewShot, ProbeScores, few_shot, few_shot_probes, probe_scores};
pub use prompts::Prompts;
pub use shift::{Shift, effective_robustness, expected_accuracy, robustness_by_shift, shifts};
pub use table::{VISUAL_N_GRAMS, slides_table};
pub use task::{Task, TaskData};
