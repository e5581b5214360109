//! Pooling: the maximum in windows, and the mean over a picture.

use candle_core::{CpuStorage, CustomOp1, Layout, Result as CandleResult, Shape, Tensor};
use rayon::prelude::*;

use super::slices;
use crate::Result;

/// `(b, c, h, w)` → `(b, c, h', w')`: the largest value of each `k × k` window; padding counts as −∞. Where values
/// tie, the gradient goes to the first, as in PyTorch.
pub fn max_pool2d(x: &Tensor, kernel: usize, stride: usize, padding: usize) -> Result<Tensor> {
    if !super::ours(x) {
        return super::fallback::max_pool2d(x, kernel, stride, padding);
    }
    Ok(x.contiguous()?.apply_op1(MaxPool { kernel, stride, padding })?)
}

/// `(b, c, h, w)` → `(b, c)`: the mean of each channel.
pub fn global_avg_pool(x: &Tensor) -> Result<Tensor> {
    Ok(x.flatten_from(2)?.mean(2)?)
}

#[derive(Clone, Copy)]
struct MaxPool {
    kernel: usize,
    stride: usize,
    padding: usize,
}

impl MaxPool {
    fn out(&self, side: usize) -> CandleResult<usize> {
        if self.padding * 2 > self.kernel || side + 2 * self.padding < self.kernel {
            candle_core::bail!("max pool: window {} does not fit {side} values", self.kernel);
        }
        Ok((side + 2 * self.padding - self.kernel) / self.stride + 1)
    }

    /// Calls `f(output index, input index of the maximum)` for one plane.
    fn winners(&self, x: &[f32], w: usize, oh: usize, ow: usize, mut f: impl FnMut(usize, usize)) {
        let h = x.len() / w;
        let window = |at: usize, side: usize| {
            let start = (at * self.stride).saturating_sub(self.padding);
            start..(at * self.stride + self.kernel - self.padding).min(side)
        };
        for oy in 0..oh {
            for ox in 0..ow {
                let mut best = window(oy, h).start * w + window(ox, w).start;
                for y in window(oy, h) {
                    for at in window(ox, w).map(|x| y * w + x) {
                        if x[at] > x[best] || x[at].is_nan() {
                            best = at;
                        }
                    }
                }
                f(oy * ow + ox, best);
            }
        }
    }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> CandleResult<(CpuStorage, Shape)> {
        let (b, c, h, w) = layout.shape().dims4()?;
        let (oh, ow) = (self.out(h)?, self.out(w)?);
        let x = slices::of(x, layout)?;
        let mut y = vec![0f32; b * c * oh * ow];
        y.par_chunks_mut(oh * ow).zip(x.par_chunks(h * w)).for_each(|(y, x)| {
            self.winners(x, w, oh, ow, |to, from| y[to] = x[from]);
        });
        Ok((CpuStorage::F32(y), Shape::from((b, c, oh, ow))))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, grad: &Tensor) -> CandleResult<Option<Tensor>> {
        let (b, c, h, w) = x.dims4()?;
        let (_, _, oh, ow) = y.dims4()?;
        let mut dx = vec![0f32; b * c * h * w];
        slices::with(x, |x| {
            slices::with(grad, |g| {
                let planes = dx.par_chunks_mut(h * w).zip(x.par_chunks(h * w));
                planes.zip(g.par_chunks(oh * ow)).for_each(|((dx, x), g)| {
                    self.winners(x, w, oh, ow, |to, from| dx[from] += g[to]);
                });
                Ok(())
            })
        })?;
        Ok(Some(Tensor::from_vec(dx, x.shape(), x.device())?))
    }
}
