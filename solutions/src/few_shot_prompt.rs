//! # `few_shot_prompt`: zero, one, or a few examples
//!
//! GPT-3's three settings differ in one thing: how many examples stand between what the task is and what is asked. No
//! parameter changes; the model reads the examples and goes on.
//!
//! ```text
//! instruction   Translate English to French:
//! shots         sea otter => loutre de mer
//!               cheese => fromage
//! query         mint =>
//! ```
//!
//! The layout, exactly: the instruction and a new line (nothing at all where the instruction is empty); for every shot its
//! `input`, a space, its `output` and a new line; then the query's `input`, and nothing after it: the model writes the space
//! and the word. A query may carry its output, for whoever judges the answer: it must not stand in the prompt. A shot without
//! an output is an error (`Err(Error::value(…))`).
//!
//! Frozen's prompts have pictures among the words. A shot, or the query, has `images` pictures, and they stand right before
//! its input. In the result, `Segment::Image(i)` is the place of picture i: pictures are numbered in reading order, from 0,
//! through the whole prompt. Whether neighbouring words are one `Segment::Text` or several does not matter.
//!
//! Example: two shots with a picture each and a query with one give
//! `Text("…\n") Image(0) Text("this is a dax\n") Image(1) Text("this is a wug\n") Image(2) Text("this is a")`.

use vision_language::prelude::*;

/// Instruction, examples and query → the prompt in reading order.
pub fn few_shot_prompt(instruction: &str, shots: &[Shot], query: &Shot) -> Result<Vec<Segment>> {
    // STUB todo!("few_shot_prompt: write your code")
    // BEGIN SOLUTION
    let mut segments = Vec::new();
    if !instruction.is_empty() {
        segments.push(Segment::Text(format!("{instruction}\n")));
    }
    let mut next = 0;
    for (number, shot) in shots.iter().chain([query]).enumerate() {
        segments.extend((next..next + shot.images).map(Segment::Image));
        next += shot.images;
        let text = match &shot.output {
            _ if number == shots.len() => shot.input.clone(),
            Some(output) => format!("{} {output}\n", shot.input),
            None => return Err(Error::value("shots", "an output in each", &shot.input)),
        };
        segments.push(Segment::Text(text));
    }
    Ok(segments)
    // END SOLUTION
}
