//! Questions to a student's code, and its answers.
//!
//! A check never touches the student's items: it puts questions, those of the table "Over the pipe" in CONTRACTS.md. So
//! the same check asks code in a notebook's cell ([`Local`]), and code in a worker on the other end of a pipe.

pub mod answers;
pub mod frame;
mod halt;
mod local;
pub mod worker;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use candle_core::Tensor;

pub(in crate::exercise) use local::within;
pub use local::{LIMIT, Local};

use crate::{Error, Result};

/// One question about an exercise.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The exercise's id.
    pub exercise: String,
    /// Which of its questions: `forward`.
    pub name: String,
    /// Where initial values and dropout come from.
    pub seed: u64,
    /// Tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
    /// Texts by name; lists as JSON.
    pub words: BTreeMap<String, String>,
}

impl Question {
    /// A question with nothing sent along yet.
    pub fn new(exercise: &str, name: &str) -> Self {
        Self { exercise: exercise.into(), name: name.into(), ..Self::default() }
    }

    /// With this seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// With a tensor.
    pub fn tensor(mut self, name: &str, tensor: &Tensor) -> Self {
        self.tensors.insert(name.into(), tensor.clone());
        self
    }

    /// With a text, or a number as a text.
    pub fn word(mut self, name: &str, word: impl ToString) -> Self {
        self.words.insert(name.into(), word.to_string());
        self
    }

    /// With a list, as JSON.
    pub fn list(self, name: &str, list: &[String]) -> Self {
        let json = serde_json::Value::from(list.to_vec()).to_string();
        self.word(name, json)
    }

    /// The tensor `name` of this question.
    pub(crate) fn get(&self, name: &str) -> Result<&Tensor> {
        self.tensors.get(name).ok_or_else(|| self.lacks(name))
    }

    /// The text `name`, parsed.
    pub(crate) fn parse<T: std::str::FromStr>(&self, name: &str) -> Result<T> {
        let word = self.words.get(name).ok_or_else(|| self.lacks(name))?;
        word.parse().map_err(|_| Error::value(format!("question, `{name}`"), "a number", word))
    }

    /// The text `name` as a list.
    pub(crate) fn strings(&self, name: &str) -> Result<Vec<String>> {
        let word = self.words.get(name).ok_or_else(|| self.lacks(name))?;
        Ok(serde_json::from_str(word)?)
    }

    fn lacks(&self, name: &str) -> Error {
        Error::value(format!("question `{}` of {}", self.name, self.exercise), name, "nothing")
    }
}

/// What the student's code answered.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Tensors by name.
    pub tensors: BTreeMap<String, Tensor>,
    /// Texts by name; lists as JSON.
    pub words: BTreeMap<String, String>,
}

impl Answer {
    /// With a tensor.
    pub fn tensor(mut self, name: &str, tensor: Tensor) -> Self {
        self.tensors.insert(name.into(), tensor);
        self
    }

    /// With a text.
    pub fn word(mut self, name: &str, word: impl ToString) -> Self {
        self.words.insert(name.into(), word.to_string());
        self
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The stub's `todo!()` is still there.
    NotYet,
    /// The code gave an `Err`: its message.
    Error(String),
    /// The code panicked: its message.
    Panic(String),
    /// No answer came within this time.
    TimedOut(Duration),
    /// The process of the code ended: how.
    Died(String),
}

/// Somebody who can be asked: code in this process, or a worker.
pub trait Ask {
    /// Puts one question and waits for its answer.
    ///
    /// # Errors
    /// Why there is no answer.
    fn ask(&self, question: &Question) -> std::result::Result<Answer, Failure>;

    /// The questions that come next are those of the check `id`.
    fn about(&self, _id: &str) {}

    /// Where a check puts files that it asks about.
    fn folder(&self) -> PathBuf {
        std::env::temp_dir()
    }

    /// Whether the next check is worth a question after one that got no answer: a grader starts the code again and
    /// takes only that check's points, a student would wait for the same loop once more.
    fn goes_on(&self) -> bool {
        false
    }
}
