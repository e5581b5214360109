//! The few operations where a CPU's time goes, each with a forward and a backward pass of our own.
//!
//! On a CPU with f32 values they run here, on all threads. Convolutions, linear layers and attention are products, and all
//! products go through one inner loop (`kernel`), which nearly reaches what the processor can do; `pass` says which of a
//! picture's values a convolution multiplies. Normalisations go over memory as few times as they can. `graph` makes the
//! operations nodes of candle's graph, with gradients that are changed in place.
//!
//! On other devices and types the same functions fall back to candle's own operations ([`fallback`]), in
//! differentiable form. A test holds both against each other and against PyTorch.

mod activation;
mod attention;
mod conv;
mod depthwise;
mod dropout;
pub mod fallback;
mod few;
mod graph;
mod group_norm;
mod kernel;
mod linear;
mod matrix;
mod norm;
mod pass;

mod pool;
mod rotary;
mod rows;
mod slices;
mod upsample;
mod windows;

pub(crate) use matrix::{Matrix, Output, product};
pub(crate) use slices::{dot, of as slice_of, squares, unwritten, vectorised, with as with_values};

use candle_core::{DType, Tensor};

pub use activation::{add_relu, gelu, gelu_tanh, quick_gelu, relu, silu_gate};
pub use attention::{attention, causal_attention};
pub use conv::conv2d;
pub use dropout::{Drops, dropout};
pub use group_norm::{group_norm, silu};
pub use linear::linear;
pub use norm::{batch_norm, scale_channels};
pub use pool::{avg_pool2d, global_avg_pool, max_pool2d};
pub use rotary::{rotary, rotary_angles};
pub use rows::{layer_norm, rms_norm};
pub use upsample::upsample2;

/// Whether our own CPU implementation serves this tensor.
pub(crate) fn ours(x: &Tensor) -> bool {
    x.device().is_cpu() && x.dtype() == DType::F32
}

#[cfg(test)]
mod tests;
