//! # `quantize`: a picture's code, soft in training, hard afterwards
//!
//! The encoder of DALL-E's discrete VAE gives `k` logits at every place of a grid. At inference the code there is the one with
//! the largest logit. That choice has no gradient; so in training the choice is made soft, and drawn at random as often as the
//! softmax says, by the Gumbel-softmax with noise `g = −ln(−ln u)` and a temperature τ that falls:
//!
//! ```text
//! training    z = softmax((logits + g) / τ)      over the k codes of each place: sums to 1, has a gradient
//! inference   z = one-hot(argmax logits)         1 at the largest logit, 0 elsewhere
//! ```
//!
//! The noise comes in as an argument; where there is none, it is inference. For τ → 0 the soft code becomes one-hot.
//!
//! Example: logits 1 and 3 with noise 0 and 0 at τ = 2 give softmax(½, 3/2) = 0.2689 and 0.7311; without noise 0 and 1.

use vision_language::prelude::*;

/// Logits `(b, k, h, w)`, temperature, Gumbel noise of the same shape or none → codes `(b, k, h, w)`.
pub fn quantize(logits: &Tensor, temperature: f64, noise: Option<&Tensor>) -> Result<Tensor> {
    // STUB todo!("quantize: write your code")
    // BEGIN SOLUTION
    match noise {
        Some(noise) => Ok(softmax(&((logits + noise)? / temperature)?, 1)?),
        None => {
            let best = logits.argmax_keepdim(1)?; // (b, 1, h, w)
            let k = logits.dim(1)? as u32;
            let numbers = Tensor::arange(0, k, logits.device())?.reshape((1, (), 1, 1))?;
            Ok(numbers.broadcast_eq(&best)?.to_dtype(logits.dtype())?)
        }
    }
    // END SOLUTION
}
