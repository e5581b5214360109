//! # `freeze_lm`: a language model that stays as it is
//!
//! Frozen keeps its language model: *freeze all params in Pretrained LM. LMs usually adopts LayerNorm, which does not changes
//! during training/validation stages.* On the slide: `for param in self.text_encoder.parameters(): param.requires_grad = False`.
//!
//! ```text
//! before:  ∂L/∂w for all w of the language model, and an optimiser that changes them
//! after:   no gradient for any of them; ∂L/∂prefix passes through as before
//! ```
//!
//! Example: a GPT-2 of two layers has 28 parameters (two tables, 12 in each layer, two of the last norm). Afterwards
//! `language_model.trainable()` lists none of them, and their values are what they were.

use vision_language::prelude::*;

/// Afterwards nothing below `language_model` trains.
pub fn freeze_lm(language_model: &Params) -> Result<()> {
    todo!("freeze_lm: write your code")
}
