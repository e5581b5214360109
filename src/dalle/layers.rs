//! What encoder and decoder are made of: residual layers, and an upsampling that differentiates right.

use candle_core::Tensor;

use crate::Result;
use crate::nn::{Conv2d, Params, ops};

/// `x + conv₁ₓ₁(relu(conv₃ₓ₃(relu x)))`: `(b, c, h, w)` → the same.
pub(super) struct Residual {
    conv3: Conv2d,
    conv1: Conv2d,
}

impl Residual {
    pub(super) fn new(channels: usize, params: &Params) -> Result<Self> {
        Ok(Self {
            conv3: conv(channels, channels, 3, 1, &params.pp("conv3"))?,
            conv1: conv(channels, channels, 1, 1, &params.pp("conv1"))?,
        })
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let inside = self.conv3.forward_relu(&ops::relu(x)?)?;
        Ok((x + self.conv1.forward(&inside)?)?)
    }
}

/// A convolution with a bias.
pub(super) fn conv(
    inp: usize,
    out: usize,
    kernel: usize,
    stride: usize,
    params: &Params,
) -> Result<Conv2d> {
    Conv2d::new(inp, out, kernel, stride, params)?.biased(params)
}

/// `(b, 4c, h, w)` → `(b, c, 2h, 2w)`: four channels become the four pixels of a square, as `nn.PixelShuffle(2)`
/// (arXiv:1609.05158). Made of reshaping alone, so the gradient is right: that of candle's nearest upsampling is not.
pub(super) fn pixel_shuffle(x: &Tensor) -> Result<Tensor> {
    let (b, c4, h, w) = x.dims4()?;
    let c = c4 / 4;
    let squares = x.reshape((b, c, 2, 2, h, w))?.permute((0, 1, 4, 2, 5, 3))?; // (b, c, h, 2, w, 2)
    Ok(squares.contiguous()?.reshape((b, c, 2 * h, 2 * w))?)
}
