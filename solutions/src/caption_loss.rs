//! # `caption_loss`: the loss of a caption, given its picture
//!
//! The slide's `cal_celoss`. Image tokens stand in `input_ids` where the prefix stands in the text; the language model gives
//! logits at every place. Those of place `i` say what comes at place `i + 1`:
//!
//! ```text
//! input_ids   <image> <image>    a   dog     .  <end>  (pad)
//! predicted           <image>    a   dog     .  <end>  (pad)       by the logits of the place before
//! counts                no      yes  yes   yes   yes    no
//! L = mean of −ln P(target) over the targets that count
//! ```
//!
//! A target counts where the mask says that it is a token, and where it is not the image token. The first word is predicted by
//! the last image token: so the gradient reaches the picture.
//!
//! (The slide puts the prefix in front of the text's ids and calls the number of places that logits then run ahead
//! `num_logits_shift`. The sum is the same.)
//!
//! Example: logits of zeros give `ln v` for every text, 1.7918 for six tokens.

use vision_language::prelude::*;

/// Logits `(b, t, v)`, ids `(b, t)`, mask `(b, t)`, the image token → the mean cross-entropy of the next words.
pub fn caption_loss(
    logits: &Tensor,
    input_ids: &Tensor,
    attention_mask: &Tensor,
    image_token_id: u32,
) -> Result<Tensor> {
    // STUB todo!("caption_loss: write your code")
    // BEGIN SOLUTION
    let (b, t, v) = logits.dims3()?;
    let logits = logits.narrow(1, 0, t - 1)?.reshape((b * (t - 1), v))?;
    let targets = input_ids.narrow(1, 1, t - 1)?.flatten_all()?;
    let is_token = attention_mask.narrow(1, 1, t - 1)?.flatten_all()?.to_vec1::<u32>()?;
    let words = targets.to_vec1::<u32>()?.into_iter().zip(is_token).enumerate();
    let counted = words.filter(|(_, (id, token))| *token == 1 && *id != image_token_id);
    let places: Vec<u32> = counted.map(|(place, _)| place as u32).collect();
    let places = Tensor::new(places, logits.device())?;
    Ok(cross_entropy(&logits.index_select(&places, 0)?, &targets.index_select(&places, 0)?)?)
    // END SOLUTION
}
