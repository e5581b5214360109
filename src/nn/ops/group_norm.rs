//! Group normalisation with a scale and a shift for each picture's channel, as diffusion's networks use it, and SiLU.

use candle_core::Tensor;
use rayon::prelude::*;

use super::slices::{self, CHUNK, Shared, exp};
use super::{activation, graph};
use crate::{Error, Result};

/// Normalises each of `groups` groups of channels of each picture `(b, c, h, w)`, then `· scale (b, c) + shift (b, c)`, and
/// SiLU where `silu` says so. With one scale and shift for all pictures it is `nn.GroupNorm`.
pub fn group_norm(
    x: &Tensor,
    scale: &Tensor,
    shift: &Tensor,
    groups: usize,
    eps: f64,
    silu: bool,
) -> Result<Tensor> {
    let (b, c, h, w) = x.dims4()?;
    if scale.dims() != [b, c]
        || shift.dims() != [b, c]
        || groups == 0
        || !c.is_multiple_of(groups)
        || h * w == 0
    {
        let expected = format!(
            "(b, c, height, width) with scale and shift (b, c), here {:?} and {:?}, and c a multiple of {groups}",
            scale.dims(),
            shift.dims()
        );
        return Err(Error::shape("group norm", expected, x.shape()));
    }
    if !super::ours(x) {
        return super::fallback::group_norm(x, scale, shift, groups, eps, silu);
    }
    let plan = Plan { c, groups, pixels: h * w, eps: eps as f32, silu };
    let (x, scale, shift) = (x.contiguous()?, scale.contiguous()?, shift.contiguous()?);
    let y = slices::with(&x, |x| {
        slices::with(&scale, |scale| {
            slices::with(&shift, |shift| Ok(plan.forward(x, scale, shift)))
        })
    })?;
    let kept = (x.detach(), scale.detach(), shift.detach());
    let backward = move |grad: Vec<f32>, wanted: [bool; 3]| {
        let grads = slices::with(&kept.0, |x| {
            slices::with(&kept.1, |scale| {
                slices::with(&kept.2, |shift| Ok(plan.gradients(x, scale, shift, grad)))
            })
        })?;
        let mut wanted = wanted.into_iter();
        Ok(grads.map(|grad| wanted.next().unwrap_or_default().then_some(grad)))
    };
    Ok(graph::record([&x, &scale, &shift], x.shape(), y, backward)?)
}

/// `x / (1 + e⁻ˣ)`: the activation of diffusion's networks.
pub fn silu(x: &Tensor) -> Result<Tensor> {
    if !super::ours(x) {
        return Ok(x.silu()?);
    }
    let x = x.contiguous()?;
    let y = slices::with(&x, |x| Ok(activation::map(x, |x| x * logistic(x))))?;
    let kept = x.detach();
    let backward = move |mut grad: Vec<f32>, _: [bool; 1]| {
        slices::with(&kept, |x| {
            activation::change(&mut grad, x, |x, g| g * slope(x));
            Ok(())
        })?;
        Ok([Some(grad)])
    };
    Ok(graph::record([&x], x.shape(), y, backward)?)
}

/// `1 / (1 + e⁻ˣ)`, from the exponential of −|x|, which cannot overflow.
#[inline(always)]
fn logistic(x: f32) -> f32 {
    let e = exp(-x.abs());
    let near = 1. / (1. + e);
    if x >= 0. { near } else { e * near }
}

/// SiLU's derivative.
#[inline(always)]
fn slope(x: f32) -> f32 {
    let s = logistic(x);
    s * (1. + x * (1. - s))
}

#[derive(Clone, Copy)]
struct Plan {
    c: usize,
    groups: usize,
    pixels: usize,
    eps: f32,
    silu: bool,
}

impl Plan {
    /// Channels of a group.
    fn wide(&self) -> usize {
        self.c / self.groups
    }

    /// The mean of a group's values and the reciprocal of their deviation.
    #[inline(always)]
    fn moments(&self, group: &[f32]) -> (f32, f32) {
        let n = group.len() as f32;
        let mean = slices::sum(group) / n;
        (mean, 1. / (slices::sum_squares(group, mean) / n + self.eps).sqrt())
    }

    fn forward(&self, x: &[f32], scale: &[f32], shift: &[f32]) -> Vec<f32> {
        let (wide, pixels) = (self.wide(), self.pixels);
        let mut y = slices::unwritten(x.len());
        let groups = y.par_chunks_mut(wide * pixels).zip(x.par_chunks(wide * pixels));
        groups.enumerate().with_min_len(self.least()).for_each(|(at, (y, x))| {
            slices::vectorised(
                #[inline(always)]
                || {
                    let (mean, inv) = self.moments(x);
                    for (i, (y, x)) in
                        y.chunks_exact_mut(pixels).zip(x.chunks_exact(pixels)).enumerate()
                    {
                        let factor = inv * scale[at * wide + i];
                        let add = shift[at * wide + i] - mean * factor;
                        if self.silu {
                            y.iter_mut().zip(x).for_each(|(y, x)| {
                                let u = x * factor + add;
                                *y = u * logistic(u);
                            });
                        } else {
                            y.iter_mut().zip(x).for_each(|(y, x)| *y = x * factor + add);
                        }
                    }
                },
            );
        });
        y
    }

    /// With x̂ = (x − mean)·inv over the `n` values of a group and h = g·scale: `dscale = Σ g x̂`, `dshift = Σ g` a channel,
    /// `dx = inv · (h − mean(h) − x̂ · mean(h x̂))`.
    fn gradients(
        &self,
        x: &[f32],
        scale: &[f32],
        shift: &[f32],
        mut grad: Vec<f32>,
    ) -> [Vec<f32>; 3] {
        let (wide, pixels) = (self.wide(), self.pixels);
        let [mut dscale, mut dshift] = [(); 2].map(|()| slices::unwritten(scale.len()));
        let (to_scale, to_shift) = (Shared::new(&mut dscale), Shared::new(&mut dshift));
        let groups = grad.par_chunks_mut(wide * pixels).zip(x.par_chunks(wide * pixels));
        groups.enumerate().with_min_len(self.least()).for_each(|(at, (g, x))| {
            // SAFETY: every group has channels of its own.
            let (dscale, dshift) =
                unsafe { (to_scale.range(at * wide, wide), to_shift.range(at * wide, wide)) };
            slices::vectorised(
                #[inline(always)]
                || {
                    let (mean, inv) = self.moments(x);
                    let (mut sum_h, mut sum_hx) = (0f32, 0f32);
                    for (i, (g, x)) in
                        g.chunks_exact_mut(pixels).zip(x.chunks_exact(pixels)).enumerate()
                    {
                        let scale = scale[at * wide + i];
                        let factor = inv * scale;
                        let add = shift[at * wide + i] - mean * factor;
                        if self.silu {
                            g.iter_mut().zip(x).for_each(|(g, x)| *g *= slope(x * factor + add));
                        }
                        dscale[i] = slices::dot_centred(x, g, mean) * inv;
                        dshift[i] = slices::sum(g);
                        sum_h += dshift[i] * scale;
                        sum_hx += dscale[i] * scale;
                    }
                    let n = (wide * pixels) as f32;
                    let (mean_h, mean_hx) = (sum_h / n, sum_hx / n);
                    for (i, (g, x)) in
                        g.chunks_exact_mut(pixels).zip(x.chunks_exact(pixels)).enumerate()
                    {
                        let scale = scale[at * wide + i];
                        for (g, x) in g.iter_mut().zip(x) {
                            *g = inv * (*g * scale - mean_h - (x - mean) * inv * mean_hx);
                        }
                    }
                },
            );
        });
        [grad, dscale, dshift]
    }

    /// Groups that a thread takes at least.
    fn least(&self) -> usize {
        (CHUNK / (self.wide() * self.pixels)).max(1)
    }
}
