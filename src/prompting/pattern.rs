//! A task as a template and a verbalizer: zero-shot classification, nothing trained.

use super::{Length, PromptTemplate, ReadAnswer, SlotFiller, Verbalizer, best, calibrate, chances};
use crate::Result;

/// The template that a task is put in, and what its answers mean.
#[derive(Clone)]
pub struct Pattern {
    /// `[X] overall, it was a [Z] movie.`
    pub template: String,
    /// Which answers stand for which label.
    pub verbalizer: Verbalizer,
    /// What counts of an answer of several tokens.
    pub length: Length,
    /// What fills the template: the exercise.
    pub fill: PromptTemplate,
}

impl Pattern {
    /// A template with its verbalizer; the mean a token counts.
    pub fn new(template: &str, verbalizer: &Verbalizer, fill: PromptTemplate) -> Self {
        Self {
            template: template.into(),
            verbalizer: verbalizer.clone(),
            length: Length::PerToken,
            fill,
        }
    }

    /// The prompt of every input.
    ///
    /// # Errors
    /// What the exercise reports.
    pub fn prompts(&self, inputs: &[String]) -> Result<Vec<String>> {
        inputs.iter().map(|x| (self.fill)(&self.template, x)).collect()
    }

    /// The labels' chances for every input.
    ///
    /// # Errors
    /// What the exercise or the model reports.
    pub fn chances(&self, model: &dyn SlotFiller, inputs: &[String]) -> Result<Vec<Vec<f64>>> {
        let found = model.likelihoods(&self.prompts(inputs)?, &self.verbalizer.answers)?;
        let labels = |each: &Vec<_>| self.verbalizer.of_labels(&chances(each, self.length));
        Ok(found.iter().map(labels).collect())
    }

    /// As [`chances`](Self::chances), calibrated against inputs that say nothing.
    ///
    /// # Errors
    /// As [`chances`](Self::chances).
    pub fn calibrated(
        &self,
        model: &dyn SlotFiller,
        inputs: &[String],
        content_free: &[String],
    ) -> Result<Vec<Vec<f64>>> {
        let nothing = self.chances(model, content_free)?;
        self.chances(model, inputs)?.iter().map(|each| calibrate(each, &nothing)).collect()
    }

    /// The labels that a model has written: for each completed prompt the label of the answer that is read in the slot.
    ///
    /// # Errors
    /// What the exercises report.
    pub fn read(
        &self,
        read: ReadAnswer,
        inputs: &[String],
        completed: &[String],
    ) -> Result<Vec<Option<usize>>> {
        let each = self.prompts(inputs)?.into_iter().zip(completed);
        each.map(|(prompt, text)| {
            let found = read(&prompt, text, &self.verbalizer.answers)?;
            Ok(found.and_then(|answer| self.verbalizer.label_of.get(answer).copied()))
        })
        .collect()
    }
}

/// The share of inputs whose likeliest label is the right one.
pub fn accuracy(chances: &[Vec<f64>], labels: &[usize]) -> f64 {
    let right = chances.iter().zip(labels).filter(|(c, label)| best(c) == **label).count();
    right as f64 / labels.len().max(1) as f64
}
