//! Layer normalisation, and sums over rows.

use candle_core::{CpuStorage, CustomOp3, Layout, Result as CandleResult, Shape, Tensor};
use rayon::prelude::*;

use super::slices;
use crate::Result;

/// `(…, d)`, weight `(d)`, bias `(d)` → `(…, d)`: `(x − mean) / √(var + eps) · weight + bias` over the last dimension.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    if !super::ours(x) {
        return super::fallback::layer_norm(x, weight, bias, eps);
    }
    let op = LayerNorm { eps: eps as f32 };
    Ok(x.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, op)?)
}

const ROWS: usize = 64;

/// The sum over rows of `f(index of the value, value)`, a column each.
pub fn column_sums(gs: &[f32], d: usize, f: impl Fn(usize, f32) -> f32 + Sync) -> Vec<f32> {
    let partial = |(block, gs): (usize, &[f32])| {
        let mut sums = vec![0f32; d];
        slices::vectorised(
            #[inline(always)]
            || {
                for (row, gs) in gs.chunks_exact(d).enumerate() {
                    let start = (block * ROWS + row) * d;
                    for (column, (sum, g)) in sums.iter_mut().zip(gs).enumerate() {
                        *sum += f(start + column, *g);
                    }
                }
            },
        );
        sums
    };
    let partials: Vec<Vec<f32>> = gs.par_chunks(ROWS * d).enumerate().map(partial).collect();
    let mut sums = vec![0f32; d];
    for other in partials {
        for (sum, value) in sums.iter_mut().zip(other) {
            *sum += value;
        }
    }
    sums
}

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
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
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
        let x = slices::of(x, layout)?;
        let (weight, bias) = (slices::of(weight, weight_layout)?, slices::of(bias, bias_layout)?);
        let d = weight.len();
        if layout.dims().last() != Some(&d) {
            candle_core::bail!("layer norm: expected (…, {d}), got {:?}", layout.dims());
        }
        let mut y = vec![0f32; x.len()];
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
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _bias: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> CandleResult<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let d = weight.elem_count();
        let wanted = weight.track_op();
        let (dx, of_params) = slices::with(x, |x| {
            slices::with(weight, |weight| {
                slices::with(grad, |g| Ok(self.gradients(x, weight, g, wanted)))
            })
        })?;
        let device = x.device();
        let dx = Some(Tensor::from_vec(dx, x.shape(), device)?);
        Ok(match of_params {
            Some((dw, db)) => {
                (dx, Some(Tensor::from_vec(dw, d, device)?), Some(Tensor::from_vec(db, d, device)?))
            }
            None => (dx, None, None),
        })
    }
}

impl LayerNorm {
    /// With x̂ = (x − mean)·inv and h = g·weight: `dx = inv · (h − mean(h) − x̂ · mean(h x̂))`, `dw = Σ g x̂`, `db = Σ g`.
    /// Weight and bias have theirs only where they are `wanted`: not when they are frozen.
    fn gradients(
        &self,
        x: &[f32],
        weight: &[f32],
        g: &[f32],
        wanted: bool,
    ) -> (Vec<f32>, Option<(Vec<f32>, Vec<f32>)>) {
        let d = weight.len();
        let mut dx = vec![0f32; x.len()];
        let mut normal = vec![0f32; x.len()];
        let outputs = dx.par_chunks_mut(ROWS * d).zip(normal.par_chunks_mut(ROWS * d));
        outputs.zip(x.par_chunks(ROWS * d).zip(g.par_chunks(ROWS * d))).for_each(
            |((dx, normal), (x, g))| {
                slices::vectorised(
                    #[inline(always)]
                    || {
                        let rows = dx.chunks_exact_mut(d).zip(normal.chunks_exact_mut(d));
                        for ((dx, normal), (x, g)) in
                            rows.zip(x.chunks_exact(d).zip(g.chunks_exact(d)))
                        {
                            let (mean, inv) = self.moments(x);
                            for i in 0..d {
                                normal[i] = (x[i] - mean) * inv;
                                dx[i] = g[i] * weight[i];
                            }
                            let mean_h = slices::sum(dx) / d as f32;
                            let mean_hx = slices::dot_centred(normal, dx, 0.) / d as f32;
                            for i in 0..d {
                                dx[i] = inv * (dx[i] - mean_h - normal[i] * mean_hx);
                            }
                        }
                    },
                )
            },
        );
        let sums = || {
            (column_sums(g, d, |i, g| g * normal[i]), column_sums(g, d, |_, g| g))
        };
        (dx, wanted.then(sums))
    }
}
