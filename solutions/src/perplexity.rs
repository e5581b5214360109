//! # `perplexity`: among how many tokens does the model waver?
//!
//! A language model gives each token of a text a probability, given those before it. The slide multiplies them and takes a
//! root, so that long and short texts can be compared:
//!
//! ```text
//! P(W)  = P(w₁) · P(w₂|w₁) · … · P(w_N|w₁ … w_{N−1})
//! PP(W) = (1 / P(W))^(1/N)
//! ```
//!
//! Example: three tokens of probability 1/2, 1/4 and 1/8. `P = 1/64`, and the third root of 64 is 4: on average the model
//! wavered as between four equally likely tokens.
//!
//! What you are given are the *logarithms* `ln P(wᵢ|…)`, as `log_softmax` makes them. Stay with them as long as you can: the
//! product of a page of probabilities is smaller than the smallest number that a computer knows.
//!
//! The slide also asks: **does early stopping with the perplexity value is a good way to judge the overfitting in Frozen?**
//! Answer it in words, after you have looked at the curves.

use vision_language::prelude::*;

/// ln P of each token `(t)` → the slide's N-th root.
pub fn perplexity(log_probabilities: &Tensor) -> Result<f64> {
    // STUB todo!("perplexity: write your code")
    // BEGIN SOLUTION
    let mean = log_probabilities.to_dtype(DType::F64)?.mean_all()?.to_scalar::<f64>()?;
    Ok((-mean).exp())
    // END SOLUTION
}

/// Is early stopping on perplexity a good way to judge overfitting in Frozen? Thirty words or more.
pub fn early_stopping() -> &'static str {
    // STUB todo!("early_stopping: answer in words, between quotation marks")
    // BEGIN SOLUTION
    "Only in part. Perplexity falls mostly because the prefix learns what captions look like in general, and the frozen \
     language model knows that already; the few tokens that name what is in the picture hardly move the mean. So it can be \
     flat while captions still get better, and it can rise on words that have many right answers while the objects are still \
     named right. It judges the fit to the captions' wording. Whether the picture is understood, and what the model answers \
     to questions that it was not trained on, must be measured by captions and answers on held-out pictures. In the training \
     above, perplexity was best at epoch 27 of 40 and 2 % worse at the end, while 16.5 % of the captions named the main object \
     in place of 14 %, and answers fell from 44.5 to 43 %: of 200 pictures, all of it within chance. Nothing was spoiled by \
     training on, and nothing says that stopping at 27 was right."
    // END SOLUTION
}
