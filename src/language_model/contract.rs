//! The contract of `perplexity`.

use candle_core::Tensor;

use crate::Result;

/// `(t)`: ln P of each token given those before it → the slide's N-th root, a number from 1 up.
pub type Perplexity = fn(&Tensor) -> Result<f64>;

/// The written answer to the slide's question: does early stopping on perplexity judge overfitting in Frozen well?
pub type EarlyStopping = fn() -> &'static str;
