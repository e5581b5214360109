//! Batch normalisation, a channel at a time: what a thread has read of it stays in its cache until it is written.

use candle_core::Tensor;
use rayon::prelude::*;

use super::graph;
use super::slices::{self, Shared};
use crate::{Error, Result};

/// Normalises `(b, c, h, w)` with the batch's own statistics and takes `max(·, 0)` where `relu` says so; gives the result,
/// the mean `(c)` and the biased variance `(c)`. The gradient knows that they depend on `x`.
pub fn batch_norm(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
    relu: bool,
) -> Result<(Tensor, Tensor, Tensor)> {
    if !super::ours(x) {
        let (mean, var) = super::fallback::channel_moments(&x.detach())?;
        let y = super::fallback::batch_norm(x, weight, bias, eps)?;
        return Ok((if relu { super::relu(&y)? } else { y }, mean, var));
    }
    let (y, mean, var) = normalised(x, weight, bias, relu, Some(eps as f32))?;
    let c = mean.len();
    Ok((y, Tensor::from_vec(mean, c, x.device())?, Tensor::from_vec(var, c, x.device())?))
}

/// `(b, c, h, w) · (c) + (c)`: batch norm in evaluation; and `max(·, 0)` where `relu` says so.
pub fn scale_channels(x: &Tensor, scale: &Tensor, shift: &Tensor, relu: bool) -> Result<Tensor> {
    if !super::ours(x) {
        let c = x.dim(1)?;
        let scaled = x.broadcast_mul(&scale.reshape((1, c, 1, 1))?)?;
        let y = scaled.broadcast_add(&shift.reshape((1, c, 1, 1))?)?;
        return if relu { super::relu(&y) } else { Ok(y) };
    }
    Ok(normalised(x, scale, shift, relu, None)?.0)
}

/// `(x − mean) / √(var + eps) · weight + bias` with the batch's statistics; without `eps`, with mean 0 and deviation 1.
fn normalised(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    relu: bool,
    eps: Option<f32>,
) -> Result<(Tensor, Vec<f32>, Vec<f32>)> {
    let (b, c, h, w) = x.dims4()?;
    if weight.dims() != [c] || bias.dims() != [c] {
        let expected = format!("(batch, {}, height, width)", weight.elem_count());
        return Err(Error::shape("batch norm", expected, x.shape()));
    }
    let (x, weight, bias) = (x.contiguous()?, weight.contiguous()?, bias.contiguous()?);
    let plan = Plan { b, c, pixels: h * w, relu, constant: eps.is_none() };
    let mut y = slices::unwritten(x.elem_count());
    let moments = slices::with(&x, |x| {
        slices::with(&weight, |w| {
            slices::with(&bias, |b| Ok(plan.forward(x, w, b, eps, Shared::new(&mut y))))
        })
    })?;
    let (mean, var): (Vec<f32>, Vec<f32>) = moments.into_iter().unzip();
    let inv = var.iter().map(|v| eps.map_or(1., |eps| inverse(*v, eps))).collect::<Vec<_>>();
    let kept = (x.detach(), weight.detach(), bias.detach(), mean.clone());
    let backward = move |mut grad: Vec<f32>, wanted: [bool; 3]| {
        let (x, weight, bias, mean) = &kept;
        let sums = slices::with(x, |x| {
            slices::with(weight, |w| {
                slices::with(bias, |b| Ok(plan.gradients(x, w, b, mean, &inv, &mut grad)))
            })
        })?;
        let (dw, db) = sums.into_iter().unzip();
        let [want_dx, want_dw, want_db] = wanted;
        Ok([want_dx.then_some(grad), want_dw.then_some(dw), want_db.then_some(db)])
    };
    Ok((graph::record([&x, &weight, &bias], x.shape(), y, backward)?, mean, var))
}

/// The reciprocal of a deviation.
fn inverse(var: f32, eps: f32) -> f32 {
    1. / (var + eps).sqrt()
}

/// The sizes, and what is asked.
#[derive(Clone, Copy)]
struct Plan {
    b: usize,
    c: usize,
    pixels: usize,
    relu: bool,
    /// Whether mean and deviation are constants, and not the batch's own.
    constant: bool,
}

impl Plan {
    /// Where a channel's plane of picture `i` begins.
    #[inline(always)]
    fn plane(&self, i: usize, channel: usize) -> usize {
        (i * self.c + channel) * self.pixels
    }

    /// Writes `y`, gives mean and variance of each channel.
    fn forward(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        eps: Option<f32>,
        y: Shared,
    ) -> Vec<(f32, f32)> {
        let Plan { b, c, pixels, relu, .. } = *self;
        let count = (b * pixels) as f64;
        let channel = |channel: usize| {
            slices::vectorised(
                #[inline(always)]
                || {
                    let planes = || (0..b).map(|i| &x[self.plane(i, channel)..][..pixels]);
                    let (mut mean, mut var, mut inv) = (0., 1., 1.);
                    if let Some(eps) = eps {
                        let total: f64 = planes().map(|x| f64::from(slices::sum(x))).sum();
                        mean = (total / count) as f32;
                        let squares = planes().map(|x| f64::from(slices::sum_squares(x, mean)));
                        var = (squares.sum::<f64>() / count) as f32;
                        inv = inverse(var, eps);
                    }
                    let scale = inv * weight[channel];
                    let shift = bias[channel] - mean * scale;
                    let least = if relu { 0. } else { f32::NEG_INFINITY };
                    for (i, x) in planes().enumerate() {
                        // SAFETY: every channel has planes of its own.
                        let y = unsafe { y.range(self.plane(i, channel), pixels) };
                        for (y, x) in y.iter_mut().zip(x) {
                            let value = x * scale + shift;
                            *y = if value < least { least } else { value };
                        }
                    }
                    (mean, var)
                },
            )
        };
        (0..c).into_par_iter().map(channel).collect()
    }

    /// With x̂ = (x − mean)·inv over the `m` values of a channel: `dw = Σ g x̂`, `db = Σ g`, and
    /// `dx = weight·inv · (g − db/m − x̂·dw/m)`; with constant statistics only `weight·inv · g`. Behind a ReLU `g` counts
    /// where the output was above 0. Writes `dx` over `g`, gives `(dw, db)` of each channel.
    fn gradients(
        &self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        mean: &[f32],
        inv: &[f32],
        g: &mut [f32],
    ) -> Vec<(f32, f32)> {
        let Plan { b, c, pixels, relu, constant } = *self;
        let m = (b * pixels) as f32;
        let out = Shared::new(g);
        let channel = |channel: usize| {
            slices::vectorised(
                #[inline(always)]
                || {
                    let (mean, inv) = (if constant { 0. } else { mean[channel] }, inv[channel]);
                    let scale = weight[channel] * inv;
                    let shift = bias[channel] - mean * scale;
                    let plane = |i: usize| {
                        let start = self.plane(i, channel);
                        // SAFETY: every channel has planes of its own.
                        (&x[start..][..pixels], unsafe { out.range(start, pixels) })
                    };
                    let (mut dw, mut db) = (0f64, 0f64);
                    for i in 0..b {
                        let (x, g) = plane(i);
                        if relu {
                            for (g, x) in g.iter_mut().zip(x) {
                                // The forward pass's own arithmetic: the same values are above 0.
                                *g = if x * scale + shift > 0. { *g } else { 0. };
                            }
                        }
                        dw += f64::from(slices::dot_centred(x, g, mean) * inv);
                        db += f64::from(slices::sum(g));
                    }
                    let (dw, db) = (dw as f32, db as f32);
                    let (slope, level) = match constant {
                        true => (0., 0.),
                        false => (dw / m * inv * scale, db / m * scale),
                    };
                    for i in 0..b {
                        let (x, g) = plane(i);
                        for (g, x) in g.iter_mut().zip(x) {
                            *g = *g * scale - level - (x - mean) * slope;
                        }
                    }
                    (dw, db)
                },
            )
        };
        (0..c).into_par_iter().map(channel).collect()
    }
}
