//! Differentiable layers, an optimiser and a scheduler: what candle lacks for training.
//!
//! candle's fused layers (`softmax_last_dim`, the `LayerNorm` module, `rms_norm`) stop gradients silently, its
//! convolution's backward pass is slow, and its random numbers take no seed on a CPU. Everything here
//! differentiates, and a test compares every gradient with PyTorch's.

mod ema;
mod group_norm;
mod layers;
mod memory;
pub mod ops;
mod optim;
mod params;
mod schedule;

pub use ema::Ema;
pub use group_norm::GroupNorm;
pub use layers::{
    BatchNorm2d, Conv2d, Dropout, Embedding, LayerNorm, Linear, RmsNorm, l2_normalize,
};
pub(crate) use memory::keep_freed_memory;
pub use optim::{AdamW, ParamGroup, ReduceLrOnPlateau, warm_cosine};
pub(crate) use params::normal;
pub use params::{Init, Param, Params};
pub use schedule::Cosine;

/// Whether a model is being trained (dropout, batch statistics) or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Dropout drops; batch norm uses the batch's statistics and updates the running ones.
    Train,
    /// Dropout passes everything; batch norm uses its running statistics.
    Eval,
}
