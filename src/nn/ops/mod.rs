//! The few operations where a CPU's time goes, each with a forward and a backward pass of our own.
//!
//! On a CPU with f32 values they run here: a convolution is a matrix product over unfolded pictures (`im2col`), a
//! normalisation two passes over memory, and both use all threads. On other devices and types the same functions
//! fall back to candle's own operations ([`fallback`]), in differentiable form. A test holds both against each other
//! and against PyTorch.

mod activation;
mod attention;
mod conv;
mod dropout;
pub mod fallback;
mod linear;
mod matrix;
mod norm;
mod pool;
mod rows;
mod slices;
mod windows;

pub(crate) use slices::{of as slice_of, vectorised};

use candle_core::{DType, Tensor};

pub use activation::{add_relu, gelu, gelu_tanh, relu};
pub use attention::{attention, causal_attention};
pub use conv::conv2d;
pub use dropout::{Drops, dropout};
pub use linear::linear;
pub use norm::{batch_norm, channel_moments, scale_channels};
pub use pool::{global_avg_pool, max_pool2d};
pub use rows::layer_norm;

/// Whether our own CPU implementation serves this tensor.
pub(crate) fn ours(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

#[cfg(test)]
mod tests;
