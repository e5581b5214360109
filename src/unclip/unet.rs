//! A small U-Net: what a network sees of a noisy picture at full, half and quarter size, down and up again, each place on
//! the way up beside what was seen there on the way down.
//!
//! Pixels enter in squares of 2 × 2 (or `patch`²), as channels: a quarter of the work, and no part of the picture is lost. A
//! scale and a shift a channel cannot say *where* something is. So two things are added that can: a learned map at the entrance,
//! the same for all pictures, and at the bottom a map made of the condition.

use candle_core::Tensor;

use crate::nn::{Conv2d, GroupNorm, Init, Linear, Param, Params, ops};
use crate::{Error, Result};

/// Channels that are normalised together.
const GROUP: usize = 16;

/// Two convolutions behind normalisations, the second of which hears of the step and the condition; and a way past them.
struct ResBlock {
    norm1: GroupNorm,
    conv1: Conv2d,
    emb: Linear,
    norm2: GroupNorm,
    conv2: Conv2d,
    skip: Option<Conv2d>,
}

impl ResBlock {
    fn new(inp: usize, out: usize, width: usize, params: &Params) -> Result<Self> {
        Ok(Self {
            norm1: GroupNorm::new(inp, inp / GROUP, &params.pp("norm1"))?,
            conv1: Conv2d::new(inp, out, 3, 1, &params.pp("conv1"))?,
            emb: Linear::normal(width, 2 * out, 0.02, &params.pp("emb"))?,
            norm2: GroupNorm::new(out, out / GROUP, &params.pp("norm2"))?,
            conv2: zero_conv(out, out, &params.pp("conv2"))?,
            skip: match inp == out {
                true => None,
                false => Some(Conv2d::new(inp, out, 1, 1, &params.pp("skip"))?),
            },
        })
    }

    /// `(b, in, h, w)`, `(b, width)` → `(b, out, h, w)`
    fn forward(&self, x: &Tensor, condition: &Tensor) -> Result<Tensor> {
        let h = self.conv1.forward(&self.norm1.forward_silu(x)?)?;
        let h = self.norm2.forward_silu_by(&h, &self.emb.forward(condition)?)?;
        let h = self.conv2.forward(&h)?;
        let past = self.skip.as_ref().map_or(Ok(x.clone()), |skip| skip.forward(x))?;
        Ok((past + h)?)
    }
}

/// A convolution over 3 × 3 that starts at 0: a block adds nothing before it has learned to (arXiv:2105.05233, as in its
/// code).
fn zero_conv(inp: usize, out: usize, params: &Params) -> Result<Conv2d> {
    params.get((out, inp, 3, 3), "weight", Init::Const(0.))?;
    Conv2d::new(inp, out, 3, 1, params)
}

/// The network: pictures and a vector that says step and condition, to pictures.
pub(super) struct UNet {
    patch: usize,
    conv_in: Conv2d,
    position: Param,
    down: Vec<ResBlock>,
    shrink: Vec<Conv2d>,
    middle: ResBlock,
    grow: Vec<Conv2d>,
    up: Vec<ResBlock>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl UNet {
    /// For pictures of `size`, with `channels` at full size (of patches), half, quarter, …; multiples of 16.
    pub fn new(
        size: usize,
        channels: &[usize],
        patch: usize,
        width: usize,
        params: &Params,
    ) -> Result<Self> {
        let Some((&first, &last)) = channels.first().zip(channels.last()) else {
            return Err(Error::value(
                "decoder.channels",
                "one number a level, at least one",
                "none",
            ));
        };
        if let Some(c) = channels.iter().find(|c| **c == 0 || **c % GROUP != 0) {
            return Err(Error::value("decoder.channels", format!("multiples of {GROUP}"), c));
        }
        bottom(size, channels, patch)?;
        let pixels = 3 * patch * patch;
        let side = size / patch;
        let before = |i: usize| channels[i.saturating_sub(1)];
        let levels = 0..channels.len();
        let at = |name: &str, i: usize| params.pp(format!("{name}.{i}"));
        Ok(Self {
            patch,
            conv_in: Conv2d::new(pixels, first, 3, 1, &params.pp("conv_in"))?,
            position: params.get((1, first, side, side), "position", Init::Const(0.))?,
            down: levels
                .clone()
                .map(|i| ResBlock::new(before(i), channels[i], width, &at("down", i)))
                .collect::<Result<_>>()?,
            shrink: (1..channels.len())
                .map(|i| Conv2d::new(channels[i - 1], channels[i - 1], 3, 2, &at("shrink", i - 1)))
                .collect::<Result<_>>()?,
            middle: ResBlock::new(last, last, width, &params.pp("middle"))?,
            grow: (1..channels.len())
                .map(|i| Conv2d::new(channels[i], channels[i - 1], 3, 1, &at("grow", i - 1)))
                .collect::<Result<_>>()?,
            up: levels
                .map(|i| ResBlock::new(2 * channels[i], channels[i], width, &at("up", i)))
                .collect::<Result<_>>()?,
            norm_out: GroupNorm::new(first, first / GROUP, &params.pp("norm_out"))?,
            conv_out: zero_conv(first, pixels, &params.pp("conv_out"))?,
        })
    }

    /// Pictures `(b, 3, s, s)`, what is known `(b, width)`, and as a map of the smallest level `(b, c, h, w)` →
    /// `(b, 3, s, s)`
    pub fn forward(&self, x: &Tensor, condition: &Tensor, map: &Tensor) -> Result<Tensor> {
        let condition = ops::silu(condition)?;
        let h = self.conv_in.forward(&to_patches(x, self.patch)?)?;
        let mut h = h.broadcast_add(&self.position.tensor())?;
        let mut seen = Vec::with_capacity(self.down.len());
        for (i, block) in self.down.iter().enumerate() {
            if i > 0 {
                h = self.shrink[i - 1].forward(&h)?;
            }
            h = block.forward(&h, &condition)?;
            seen.push(h.clone());
        }
        h = self.middle.forward(&(h + map)?, &condition)?;
        for (i, block) in self.up.iter().enumerate().rev() {
            h = block.forward(&Tensor::cat(&[&h, &seen[i]], 1)?, &condition)?;
            if i > 0 {
                h = self.grow[i - 1].forward(&ops::upsample2(&h)?)?;
            }
        }
        let pixels = self.conv_out.forward(&self.norm_out.forward_silu(&h)?)?;
        from_patches(&pixels, self.patch)
    }
}

/// Channels and side of the smallest level.
///
/// # Errors
/// When a picture's size cannot be halved so often.
pub(super) fn bottom(size: usize, channels: &[usize], patch: usize) -> Result<(usize, usize)> {
    let least = patch << (channels.len().max(1) - 1);
    match channels.last() {
        Some(&last) if patch > 0 && size > 0 && size.is_multiple_of(least) => {
            Ok((last, size / least))
        }
        _ => {
            let expected =
                format!("a multiple of {least}, for patches of {patch} and {channels:?}");
            Err(Error::value("decoder.size", expected, size))
        }
    }
}

/// `(b, c, h·p, w·p)` → `(b, c·p·p, h, w)`, as `F.pixel_unshuffle`.
fn to_patches(x: &Tensor, p: usize) -> Result<Tensor> {
    let (b, c, h, w) = x.dims4()?;
    if p == 0 || !h.is_multiple_of(p) || !w.is_multiple_of(p) {
        let expected = format!("(b, 3, s, s), s a multiple of {p}");
        return Err(Error::shape("decoder, pictures", expected, x.shape()));
    }
    let cut = x.reshape((b, c, h / p, p, w / p, p))?.permute((0, 1, 3, 5, 2, 4))?;
    Ok(cut.contiguous()?.reshape((b, c * p * p, h / p, w / p))?)
}

/// `(b, c·p·p, h, w)` → `(b, c, h·p, w·p)`, as `F.pixel_shuffle`.
fn from_patches(x: &Tensor, p: usize) -> Result<Tensor> {
    let (b, c, h, w) = x.dims4()?;
    let cut = x.reshape((b, c / (p * p), p, p, h, w))?.permute((0, 1, 4, 2, 5, 3))?;
    Ok(cut.contiguous()?.reshape((b, c / (p * p), h * p, w * p))?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn patches_lose_nothing() {
        let x = Tensor::arange(0f32, 96., &Device::Cpu).unwrap().reshape((2, 3, 4, 4)).unwrap();
        let cut = to_patches(&x, 2).unwrap();
        assert_eq!(cut.dims(), [2, 12, 2, 2]);
        // The upper left patch of the first channel: rows 0 and 1, columns 0 and 1.
        let first = cut.narrow(0, 0, 1).unwrap().narrow(1, 0, 4).unwrap();
        let first = first.narrow(2, 0, 1).unwrap().narrow(3, 0, 1).unwrap().flatten_all().unwrap();
        assert_eq!(first.to_vec1::<f32>().unwrap(), [0., 1., 4., 5.]);
        let back = from_patches(&cut, 2).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(back, x.flatten_all().unwrap().to_vec1::<f32>().unwrap());
    }
}
