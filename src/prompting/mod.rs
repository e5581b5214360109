//! Prompting (survey: arXiv:2107.13586): a task becomes a text that a language model goes on with, and no parameter changes.
//!
//! ```text
//! x′ = f_prompt(x)                            "[X] Overall, it was a [Z] movie." → "I love this movie. Overall, it was a [Z] movie."
//! ẑ  = argmax over answers z of P(z | x′)     z: great, terrible
//! y  = the label that ẑ stands for            great → ++
//! ```
//!
//! Two of its parts are exercises: the template with what reads the answer back ([`PromptTemplate`], [`ReadAnswer`]), and
//! the prompt with examples in it ([`FewShotPrompt`]).
//!
//! [`Pattern`] asks a causal or a masked language model without any example, [`Classifier`] is the same model fine-tuned;
//! [`Episode`]s have examples in the prompt, in words or in pictures, and an [`InContext`] model answers them.

mod choice;
mod contract;
mod episode;
mod in_context;
mod pattern;
mod slot;
mod tune;

pub use choice::{Length, Verbalizer, best, calibrate, chances};
pub use contract::{FewShotPrompt, PromptTemplate, PromptingHoles, ReadAnswer, Segment, Shot};
pub use episode::{Episode, Shows, name_episodes, question_episodes};
pub use in_context::{
    InContext, Prompt, answer_chances, choose_answers, episode_prompts, right_choices, right_words,
    silenced,
};
pub use pattern::{Pattern, accuracy};
pub use slot::{CausalFiller, MaskedFiller, SlotFiller};
pub use tune::{Body, Classifier, TuneConfig};
