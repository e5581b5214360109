//! Dropout without a mask in memory: what falls away is a function of a seed and of the value's place.

use candle_core::{CpuStorage, CustomOp1, Layout, Result as CandleResult, Shape, Tensor};
use rayon::prelude::*;

use super::slices;
use crate::Result;

/// Which values fall away: each with probability `p`, by its place.
#[derive(Clone, Copy, Debug)]
pub struct Drops {
    seed: u64,
    /// A hash below it is kept.
    threshold: u32,
    scale: f32,
}

impl Drops {
    /// `p` in `[0, 1)`.
    pub fn new(p: f64, seed: u64) -> Self {
        let keep = 1. - p;
        Self { seed, threshold: (keep * f64::from(u32::MAX)) as u32, scale: (1. / keep) as f32 }
    }

    /// What the value at `place` is multiplied with: 0, or `1 / (1 − p)`.
    #[inline(always)]
    pub fn factor(&self, place: usize) -> f32 {
        // Two rounds of a 32-bit mixer (multiply and shift), each with half of the seed: a compiler can vectorise it.
        let mut x = place as u32 ^ self.seed as u32;
        x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
        x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        x = (x ^ (x >> 16)).wrapping_add((self.seed >> 32) as u32);
        x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
        x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        x ^= x >> 16;
        if x < self.threshold { self.scale } else { 0. }
    }

    /// The factors of the first `n` places.
    pub fn factors(&self, n: usize) -> Vec<f32> {
        (0..n).map(|place| self.factor(place)).collect()
    }
}

/// `x` with the values that `drops` names set to zero and the others scaled.
pub fn dropout(x: &Tensor, drops: Drops) -> Result<Tensor> {
    if !super::ours(x) {
        return super::fallback::dropout(x, drops);
    }
    Ok(x.contiguous()?.apply_op1(Dropout(drops))?)
}

struct Dropout(Drops);

const CHUNK: usize = 16 * 1024;

impl Dropout {
    fn apply(&self, x: &[f32]) -> Vec<f32> {
        let mut y = vec![0f32; x.len()];
        let chunks = y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).enumerate();
        chunks.for_each(|(chunk, (y, x))| {
            slices::vectorised(
                #[inline(always)]
                || {
                    for (i, (y, x)) in y.iter_mut().zip(x).enumerate() {
                        *y = x * self.0.factor(chunk * CHUNK + i);
                    }
                },
            );
        });
        y
    }
}

impl CustomOp1 for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> CandleResult<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(self.apply(slices::of(x, layout)?)), layout.shape().clone()))
    }

    fn bwd(&self, _x: &Tensor, _y: &Tensor, grad: &Tensor) -> CandleResult<Option<Tensor>> {
        let values = slices::with(grad, |g| Ok(self.apply(g)))?;
        Tensor::from_vec(values, grad.shape(), grad.device()).map(Some)
    }
}
