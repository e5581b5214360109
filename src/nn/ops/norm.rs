//! Batch normalisation: statistics and scaling a channel at a time.

use candle_core::{CpuStorage, CustomOp3, Layout, Result as CandleResult, Shape, Tensor};
use rayon::prelude::*;

use super::activation::passed;
use super::slices::{self, Shared};
use crate::Result;

/// `(b, c, h, w)` → mean `(c)` and biased variance `(c)`, outside the graph.
pub fn channel_moments(x: &Tensor) -> Result<(Tensor, Tensor)> {
    if !super::ours(x) {
        return super::fallback::channel_moments(&x.detach());
    }
    let (b, c, h, w) = x.dims4()?;
    let pixels = h * w;
    let count = (b * pixels) as f64;
    let moments: Vec<(f32, f32)> = slices::with(x, |x| {
        let channel = |channel: usize| {
            slices::vectorised(
                #[inline(always)]
                || {
                    let rows = || (0..b).map(|i| &x[(i * c + channel) * pixels..][..pixels]);
                    let mean =
                        (rows().map(|r| f64::from(slices::sum(r))).sum::<f64>() / count) as f32;
                    let var = rows().map(|r| f64::from(slices::sum_squares(r, mean))).sum::<f64>()
                        / count;
                    (mean, var as f32)
                },
            )
        };
        Ok((0..c).into_par_iter().map(channel).collect())
    })?;
    let (mean, var): (Vec<f32>, Vec<f32>) = moments.into_iter().unzip();
    Ok((Tensor::from_vec(mean, c, x.device())?, Tensor::from_vec(var, c, x.device())?))
}

/// Normalises `(b, c, h, w)` with the batch's own `mean` and `var`, which [`channel_moments`] gave, and takes `max(·, 0)`
/// where `relu` says so. The gradient knows that `mean` and `var` depend on `x`.
pub fn batch_norm(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    mean: &Tensor,
    var: &Tensor,
    eps: f64,
    relu: bool,
) -> Result<Tensor> {
    if !super::ours(x) {
        let y = super::fallback::batch_norm(x, weight, bias, eps)?;
        return if relu { super::relu(&y) } else { Ok(y) };
    }
    let inv = var.to_vec1::<f32>()?.iter().map(|v| 1. / (v + eps as f32).sqrt()).collect();
    let op = BatchNorm { mean: mean.to_vec1()?, inv, constant: false, relu };
    Ok(x.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, op)?)
}

/// `(b, c, h, w) · (c) + (c)`: batch norm in evaluation; and `max(·, 0)` where `relu` says so.
pub fn scale_channels(x: &Tensor, scale: &Tensor, shift: &Tensor, relu: bool) -> Result<Tensor> {
    let c = x.dim(1)?;
    if !super::ours(x) {
        let scaled = x.broadcast_mul(&scale.reshape((1, c, 1, 1))?)?;
        let y = scaled.broadcast_add(&shift.reshape((1, c, 1, 1))?)?;
        return if relu { super::relu(&y) } else { Ok(y) };
    }
    let op = BatchNorm { mean: vec![0.; c], inv: vec![1.; c], constant: true, relu };
    Ok(x.contiguous()?.apply_op3(&scale.contiguous()?, &shift.contiguous()?, op)?)
}

/// `(x − mean) · inv · weight + bias`, a channel each.
struct BatchNorm {
    mean: Vec<f32>,
    inv: Vec<f32>,
    /// Whether `mean` and `inv` are constants, and not the batch's own statistics.
    constant: bool,
    relu: bool,
}

impl CustomOp3 for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let (_, c, h, w) = layout.shape().dims4()?;
        let (x, weight) = (slices::of(x, layout)?, slices::of(weight, weight_layout)?);
        let bias = slices::of(bias, bias_layout)?;
        if self.mean.len() != c || weight.len() != c || bias.len() != c {
            candle_core::bail!("batch norm: expected {} channels, got {c}", weight.len());
        }
        let mut y = vec![0f32; x.len()];
        let planes = y.par_chunks_mut(h * w).zip(x.par_chunks(h * w)).enumerate();
        planes.with_min_len(16).for_each(|(plane, (y, x))| {
            let c = plane % c;
            let scale = self.inv[c] * weight[c];
            let shift = bias[c] - self.mean[c] * scale;
            let least = if self.relu { 0. } else { f32::NEG_INFINITY };
            slices::vectorised(
                #[inline(always)]
                || {
                    for (y, x) in y.iter_mut().zip(x) {
                        let value = x * scale + shift;
                        *y = if value < least { least } else { value };
                    }
                },
            );
        });
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> CandleResult<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (_, c, h, w) = x.dims4()?;
        let grad = &if self.relu { passed(y, grad)? } else { grad.clone() };
        let (dx, dw, db) = slices::with(x, |x| {
            slices::with(weight, |weight| {
                slices::with(grad, |g| Ok(self.gradients(x, weight, g, c, h * w)))
            })
        })?;
        let device = x.device();
        Ok((
            Some(Tensor::from_vec(dx, x.shape(), device)?),
            Some(Tensor::from_vec(dw, c, device)?),
            Some(Tensor::from_vec(db, c, device)?),
        ))
    }
}

impl BatchNorm {
    /// With x̂ = (x − mean)·inv over the `m` values of a channel: `dw = Σ g x̂`, `db = Σ g`, and
    /// `dx = weight·inv · (g − db/m − x̂·dw/m)`; with constant statistics only `weight·inv · g`.
    fn gradients(
        &self,
        x: &[f32],
        weight: &[f32],
        g: &[f32],
        c: usize,
        pixels: usize,
    ) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        let b = x.len() / (c * pixels);
        let m = (b * pixels) as f32;
        let mut dx = vec![0f32; x.len()];
        let out = Shared::new(&mut dx);
        let channel = |channel: usize| {
            slices::vectorised(
                #[inline(always)]
                || {
                    let (mean, inv) = (self.mean[channel], self.inv[channel]);
                    let at = |i: usize| (i * c + channel) * pixels;
                    let (mut dw, mut db) = (0f64, 0f64);
                    for i in 0..b {
                        let (x, g) = (&x[at(i)..][..pixels], &g[at(i)..][..pixels]);
                        dw += f64::from(slices::dot_centred(x, g, mean) * inv);
                        db += f64::from(slices::sum(g));
                    }
                    let (dw, db) = (dw as f32, db as f32);
                    let scale = weight[channel] * inv;
                    let (slope, level) = if self.constant {
                        (0., 0.)
                    } else {
                        (dw / m * inv * scale, db / m * scale)
                    };
                    for i in 0..b {
                        let (x, g) = (&x[at(i)..][..pixels], &g[at(i)..][..pixels]);
                        // SAFETY: every channel has planes of its own.
                        let dx = unsafe { out.range(at(i), pixels) };
                        for (dx, (x, g)) in dx.iter_mut().zip(x.iter().zip(g)) {
                            *dx = g * scale - level - (x - mean) * slope;
                        }
                    }
                    (dw, db)
                },
            )
        };
        let sums: Vec<(f32, f32)> = (0..c).into_par_iter().map(channel).collect();
        let (dw, db) = sums.into_iter().unzip();
        (dx, dw, db)
    }
}
