//! # `prompt_template`: a task in words
//!
//! A *prompting function* turns an input x into a text that a language model can go on with. The slide's template for what
//! people say of a movie:
//!
//! ```text
//! template:  "[X] Overall, it was a [Z] movie."
//! x:         "I love this movie."
//! prompt x′: "I love this movie. Overall, it was a [Z] movie."
//! ```
//!
//! [X] is where the input goes, [Z] the slot where the model's answer will stand. `prompt_template` fills [X] and leaves [Z].
//! A template wants one of each: without, or with more, it is an error (`Err(Error::value(…))`).
//!
//! `read_answer` goes the way back. It gets the prompt, the text as a model has completed it, and the answers that mean
//! something; it says which of them, counted from 0, stands where [Z] stood:
//!
//! ```text
//! prompt:     "It was not terrible. Overall, it was a [Z] movie."
//! completed:  "It was not terrible. Overall, it was a great movie. I"
//! answers:    ["terrible", "great"]        → Some(1)
//! ```
//!
//! Only the slot counts, not what the input says. The answer is there as whole words (`good` is not in `goodness`), letter
//! case and spaces around it aside; of `very` and `very good` the longer one is meant where both fit. Another word in the
//! slot: `None`. What comes after the slot can be anything: a model that writes on does not know the prompt's end. A text
//! that does not begin as the prompt does, or a prompt without [Z], is an error.

use vision_language::prelude::*;

/// `f_prompt(x)`: the template with [X] filled, and [Z] as it is.
pub fn prompt_template(template: &str, x: &str) -> Result<String> {
    todo!("prompt_template: write your code")
}

/// The number of the answer that stands where [Z] stood.
pub fn read_answer(prompt: &str, completed: &str, answers: &[String]) -> Result<Option<usize>> {
    todo!("read_answer: write your code")
}
