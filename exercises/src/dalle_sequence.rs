//! # `dalle_sequence`: text and picture as one row of tokens
//!
//! DALL-E's transformer reads `t` text tokens and then the `h·w` codes of a picture, and learns to say at each place what comes
//! next. Put the row together for `t = 3`, a text vocabulary of 10 (0 is padding), 2 × 2 places of 5 codes:
//!
//! ```text
//! text 7 4 (0)   codes 2 0 0 4
//! ids            7   4  12  15  13  13  17      text as it is; padding at text place i becomes 10 + i; code c becomes 10 + 3 + c
//! positions      0   1   2   0   1   2   3      text places from 0, image places again from 0
//! targets        4  12  15  13  13  17   0      the next id; 0 at the last place
//! weights      1/16 1/16 ………… 7/32 each …   0   for one text: ⅛ over 2 text targets, ⅞ over 4 image targets
//! ```
//!
//! - Every text place has a padding token of its own, and it counts like a word (section 2.2 of the paper).
//! - `layout.first_code()` is the id of code 0: vocabulary and padding tokens stand before it.
//! - All text targets of the batch weigh `layout.text_weight` together, all image targets `layout.image_weight`, each as much as
//!   the next of its sort. What a target is decides, not where it is predicted: the first code is predicted at the last text
//!   place. The last place predicts nothing: weight 0.

use vision_language::prelude::*;

/// Text ids `(b, t)`, codes `(b, h·w)`, the layout → ids, positions, targets, weights, each `(b, t + h·w)`.
pub fn dalle_sequence(
    text_ids: &Tensor,
    image_codes: &Tensor,
    layout: &SequenceLayout,
) -> Result<Sequence> {
    todo!("dalle_sequence: write your code")
}
