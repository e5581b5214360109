//! The masters of the exercises: one file an exercise, `// BEGIN SOLUTION` to `// END SOLUTION` is what a student
//! writes, and `// STUB` lines before it are what the student's copy shows in its place.

pub mod caption_loss;
pub mod clip_dataset;
pub mod clip_loss;
pub mod dalle_sequence;
pub mod few_shot_prompt;
pub mod find_matches;
pub mod freeze_lm;
pub mod guidance;
pub mod keep_best;
pub mod perplexity;
pub mod projection_head;
pub mod prompt_template;
pub mod quantize;
pub mod visual_prefix;
pub mod zero_shot_classifier;

pub use caption_loss::caption_loss;
pub use clip_dataset::ClipDataset;
pub use clip_loss::clip_loss;
pub use dalle_sequence::dalle_sequence;
pub use few_shot_prompt::few_shot_prompt;
pub use find_matches::find_matches;
pub use freeze_lm::freeze_lm;
pub use guidance::ClassifierFree;
pub use keep_best::keep_best;
pub use perplexity::{early_stopping, perplexity};
pub use projection_head::ProjectionHead;
pub use prompt_template::{prompt_template, read_answer};
pub use quantize::quantize;
pub use visual_prefix::visual_prefix;
pub use zero_shot_classifier::zero_shot_classifier;
