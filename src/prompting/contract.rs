//! The contracts of `prompt_template` and `few_shot_prompt`.

use serde::{Deserialize, Serialize};

use crate::Result;

/// The slide's prompting function `f_prompt(x)`: a template with one \[X] and one \[Z], an input x → the prompt x′, in which
/// \[X] is filled and \[Z] is not.
pub type PromptTemplate = fn(&str, &str) -> Result<String>;

/// A prompt with its \[Z], the same text as a model has completed it, the possible answers → the number of the answer that
/// stands where \[Z] stood; none, if it is another one.
pub type ReadAnswer = fn(&str, &str, &[String]) -> Result<Option<usize>>;

/// What the task is, examples with their outputs, and what is asked → the prompt, in reading order. Pictures are numbered
/// from 0, those of the first example first.
pub type FewShotPrompt = fn(&str, &[Shot], &Shot) -> Result<Vec<Segment>>;

/// The parts of prompting that are exercises.
#[derive(Clone, Copy)]
pub struct PromptingHoles {
    /// Fills a template.
    pub template: PromptTemplate,
    /// Reads the answer back.
    pub read: ReadAnswer,
    /// Puts examples into a prompt.
    pub few_shot: FewShotPrompt,
}

/// An example of a task, or the query at the end of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shot {
    /// How many pictures stand before the text.
    pub images: usize,
    /// The text: `question: how many dogs are there? answer:`.
    pub input: String,
    /// What is to be written after it; none where nobody knows it.
    pub output: Option<String>,
}

impl Shot {
    /// An example in words alone.
    pub fn text(input: impl Into<String>, output: impl Into<String>) -> Self {
        Self { images: 0, input: input.into(), output: Some(output.into()) }
    }

    /// A query in words alone.
    pub fn query(input: impl Into<String>) -> Self {
        Self { images: 0, input: input.into(), output: None }
    }

    /// With this many pictures before the text.
    pub fn with_images(self, images: usize) -> Self {
        Self { images, ..self }
    }
}

/// A piece of a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// Words.
    Text(String),
    /// The picture of this number.
    Image(usize),
}

impl Segment {
    /// The same prompt with as few segments as can be: texts that touch are one, empty ones are gone.
    pub fn joined(segments: &[Self]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for segment in segments {
            match (all.last_mut(), segment) {
                (_, Self::Text(text)) if text.is_empty() => {}
                (Some(Self::Text(before)), Self::Text(text)) => before.push_str(text),
                _ => all.push(segment.clone()),
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_touch_are_one() {
        let text = |t: &str| Segment::Text(t.into());
        let parts =
            [text("a"), text(""), text("b"), Segment::Image(0), text(""), Segment::Image(1)];
        let joined = Segment::joined(&parts);
        assert_eq!(joined, [text("ab"), Segment::Image(0), Segment::Image(1)]);
    }

    #[test]
    fn a_prompt_crosses_the_pipe_as_json() {
        let parts = vec![Segment::Image(0), Segment::Text("a".into())];
        let json = serde_json::to_string(&parts).unwrap();
        assert_eq!(json, r#"[{"image":0},{"text":"a"}]"#);
        assert_eq!(serde_json::from_str::<Vec<Segment>>(&json).unwrap(), parts);
    }
}
