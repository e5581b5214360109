//! Layer normalisation, and sums over rows.

use candle_core::Tensor;
use rayon::prelude::*;

use super::{graph, slices};
use crate::{Error, Result};

/// `(…, d)`, weight `(d)`, bias `(d)` → `(…, d)`: `(x − mean) / √(var + eps) · weight + bias` over the last dimension.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    if !super::ours(x) {
        return super::fallback::layer_norm(x, weight, bias, eps);
    }
    let d = weight.elem_count();
    if x.dims().last() != Some(&d) || bias.elem_count() != d || d == 0 {
        return Err(Error::shape("layer norm", format!("(…, {d})"), x.shape()));
    }
    let op = LayerNorm { eps: eps as f32 };
    let (x, weight, bias) = (x.contiguous()?, weight.contiguous()?, bias.contiguous()?);
    let y = slices::with(&x, |x| {
        slices::with(&weight, |w| slices::with(&bias, |b| Ok(op.forward(x, w, b))))
    })?;
    let kept = (x.detach(), weight.detach());
    let backward = move |grad: Vec<f32>, wanted: [bool; 3]| {
        let grads = slices::with(&kept.0, |x| {
            slices::with(&kept.1, |weight| Ok(op.gradients(x, weight, grad)))
        })?;
        let mut wanted = wanted.into_iter();
        Ok(grads.map(|grad| wanted.next().unwrap_or_default().then_some(grad)))
    };
    Ok(graph::record([&x, &weight, &bias], x.shape(), y, backward)?)
}

/// `(…, d)`, weight `(d)` → `(…, d)`: `x / √(mean(x²) + eps) · weight` over the last dimension (arXiv:1910.07467).
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    if !super::ours(x) {
        return super::fallback::rms_norm(x, weight, eps);
    }
    let d = weight.elem_count();
    if x.dims().last() != Some(&d) || d == 0 {
        return Err(Error::shape("rms norm", format!("(…, {d})"), x.shape()));
    }
    let op = RmsNorm { eps: eps as f32 };
    let (x, weight) = (x.contiguous()?, weight.contiguous()?);
    let y = slices::with(&x, |x| slices::with(&weight, |w| Ok(op.forward(x, w))))?;
    let kept = (x.detach(), weight.detach());
    let backward = move |grad: Vec<f32>, wanted: [bool; 2]| {
        let [dx, dw] = slices::with(&kept.0, |x| {
            slices::with(&kept.1, |weight| Ok(op.gradients(x, weight, grad)))
        })?;
        Ok([wanted[0].then_some(dx), wanted[1].then_some(dw)])
    };
    Ok(graph::record([&x, &weight], x.shape(), y, backward)?)
}

const ROWS: usize = 64;

/// The sums of the columns of `(n, d)`.
pub fn column_sums(gs: &[f32], d: usize) -> Vec<f32> {
    let partial = |gs: &[f32]| {
        let mut sums = vec![0f32; d];
        slices::vectorised(
            #[inline(always)]
            || {
                for gs in gs.chunks_exact(d) {
                    sums.iter_mut().zip(gs).for_each(|(sum, g)| *sum += g);
                }
            },
        );
        sums
    };
    total(d, gs.par_chunks(ROWS * d).map(partial).collect())
}

/// The sum of vectors, in their order: the same threads or others give the same bits.
fn total(d: usize, partials: Vec<Vec<f32>>) -> Vec<f32> {
    let mut sums = vec![0f32; d];
    for other in partials {
        sums.iter_mut().zip(other).for_each(|(sum, value)| *sum += value);
    }
    sums
}

#[derive(Clone, Copy)]
struct LayerNorm {
    eps: f32,
}

impl LayerNorm {
    /// The mean of a row and the reciprocal of its deviation.
    #[inline(always)]
    fn moments(&self, row: &[f32]) -> (f32, f32) {
        let d = row.len() as f32;
        let mean = slices::sum(row) / d;
        (mean, 1. / (slices::sum_squares(row, mean) / d + self.eps).sqrt())
    }

    fn forward(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let d = weight.len();
        let mut y = slices::unwritten(x.len());
        y.par_chunks_mut(ROWS * d).zip(x.par_chunks(ROWS * d)).for_each(|(y, x)| {
            slices::vectorised(
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_exact_mut(d).zip(x.chunks_exact(d)) {
                        let (mean, inv) = self.moments(x);
                        for (i, y) in y.iter_mut().enumerate() {
                            *y = (x[i] - mean) * inv * weight[i] + bias[i];
                        }
                    }
                },
            );
        });
        y
    }

    /// With x̂ = (x − mean)·inv and h = g·weight: `dx = inv · (h − mean(h) − x̂ · mean(h x̂))`, `dw = Σ g x̂`, `db = Σ g`.
    fn gradients(&self, x: &[f32], weight: &[f32], mut grad: Vec<f32>) -> [Vec<f32>; 3] {
        let d = weight.len();
        let block = |(grad, x): (&mut [f32], &[f32])| {
            let [mut dw, mut db, mut normal] = [(); 3].map(|()| vec![0f32; d]);
            slices::vectorised(
                #[inline(always)]
                || {
                    for (g, x) in grad.chunks_exact_mut(d).zip(x.chunks_exact(d)) {
                        let (mean, inv) = self.moments(x);
                        for i in 0..d {
                            normal[i] = (x[i] - mean) * inv;
                            dw[i] += g[i] * normal[i];
                            db[i] += g[i];
                            g[i] *= weight[i];
                        }
                        let mean_h = slices::sum(g) / d as f32;
                        let mean_hx = slices::dot(&normal, g) / d as f32;
                        for i in 0..d {
                            g[i] = inv * (g[i] - mean_h - normal[i] * mean_hx);
                        }
                    }
                },
            );
            (dw, db)
        };
        let blocks = grad.par_chunks_mut(ROWS * d).zip(x.par_chunks(ROWS * d));
        let (dw, db) = blocks.map(block).unzip();
        [grad, total(d, dw), total(d, db)]
    }
}

#[derive(Clone, Copy)]
struct RmsNorm {
    eps: f32,
}

impl RmsNorm {
    /// The reciprocal of a row's root mean square.
    #[inline(always)]
    fn inverse(&self, row: &[f32]) -> f32 {
        1. / (slices::squares(row) / row.len() as f32 + self.eps).sqrt()
    }

    fn forward(&self, x: &[f32], weight: &[f32]) -> Vec<f32> {
        let d = weight.len();
        let mut y = slices::unwritten(x.len());
        y.par_chunks_mut(ROWS * d).zip(x.par_chunks(ROWS * d)).for_each(|(y, x)| {
            slices::vectorised(
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_exact_mut(d).zip(x.chunks_exact(d)) {
                        let inv = self.inverse(x);
                        for (i, y) in y.iter_mut().enumerate() {
                            *y = x[i] * inv * weight[i];
                        }
                    }
                },
            );
        });
        y
    }

    /// With r the reciprocal of the root mean square and h = g·weight: `dx = r · (h − x · r² · mean(h x))`, `dw = Σ g x r`.
    fn gradients(&self, x: &[f32], weight: &[f32], mut grad: Vec<f32>) -> [Vec<f32>; 2] {
        let d = weight.len();
        let block = |(grad, x): (&mut [f32], &[f32])| {
            let mut dw = vec![0f32; d];
            slices::vectorised(
                #[inline(always)]
                || {
                    for (g, x) in grad.chunks_exact_mut(d).zip(x.chunks_exact(d)) {
                        let inv = self.inverse(x);
                        for i in 0..d {
                            dw[i] += g[i] * x[i] * inv;
                            g[i] *= weight[i];
                        }
                        let along = slices::dot(x, g) / d as f32 * inv * inv;
                        for i in 0..d {
                            g[i] = inv * (g[i] - x[i] * along);
                        }
                    }
                },
            );
            dw
        };
        let blocks = grad.par_chunks_mut(ROWS * d).zip(x.par_chunks(ROWS * d));
        let dw = blocks.map(block).collect();
        [grad, total(d, dw)]
    }
}
