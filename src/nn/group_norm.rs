//! The normalisation of diffusion's networks.

use candle_core::Tensor;

use super::{Init, Param, Params, ops};
use crate::{Error, Result};

/// Normalises groups of channels of each picture by itself, as `nn.GroupNorm`, and takes SiLU of it.
///
/// `(b, c, h, w)` → the same. Keys: `weight (c)`, `bias (c)`.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    weight: Param,
    bias: Param,
    groups: usize,
}

impl GroupNorm {
    /// Starts as the plain normalisation, with PyTorch's `eps`, 1e-5.
    ///
    /// # Errors
    /// When `groups` does not divide the channels.
    pub fn new(channels: usize, groups: usize, params: &Params) -> Result<Self> {
        if groups == 0 || !channels.is_multiple_of(groups) {
            let expected = format!("a divisor of {channels}");
            return Err(Error::value("GroupNorm::new, groups", expected, groups));
        }
        let weight = params.get(channels, "weight", Init::Const(1.))?;
        let bias = params.get(channels, "bias", Init::Const(0.))?;
        Ok(Self { weight, bias, groups })
    }

    /// `SiLU(GroupNorm(x))`
    ///
    /// # Errors
    /// When `x` has another number of channels.
    pub fn forward_silu(&self, x: &Tensor) -> Result<Tensor> {
        let (b, c, _, _) = x.dims4()?;
        let each = |param: &Param| param.tensor().broadcast_as((b, c))?.contiguous();
        ops::group_norm(x, &each(&self.weight)?, &each(&self.bias)?, self.groups, 1e-5, true)
    }

    /// `SiLU(GroupNorm(x) · (1 + scale) + shift)`, where each picture has its own: `by (b, 2c)` is scales, then shifts
    /// (arXiv:2105.05233, section 3.1: adaptive group normalisation).
    ///
    /// # Errors
    /// When `x` has another number of channels or `by` another shape.
    pub fn forward_silu_by(&self, x: &Tensor, by: &Tensor) -> Result<Tensor> {
        let c = self.weight.var().elem_count();
        let scale = (by.narrow(1, 0, c)? + 1.)?;
        let shift = (scale.broadcast_mul(&self.bias.tensor())? + by.narrow(1, c, c)?)?;
        let scale = scale.broadcast_mul(&self.weight.tensor())?;
        ops::group_norm(x, &scale, &shift, self.groups, 1e-5, true)
    }
}
