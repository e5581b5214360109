//! Dropout without a mask in memory: what falls away is a function of a seed and of the value's place.

use candle_core::Tensor;
use rayon::prelude::*;

use super::graph;
use super::slices::{self, CHUNK};
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
    let x = x.contiguous()?;
    let y = slices::with(&x, |x| {
        let mut y = slices::unwritten(x.len());
        y.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(y, x)| y.copy_from_slice(x));
        drop_some(&mut y, drops);
        Ok(y)
    })?;
    let backward = move |mut grad: Vec<f32>, _: [bool; 1]| {
        drop_some(&mut grad, drops);
        Ok([Some(grad)])
    };
    Ok(graph::record([&x], x.shape(), y, backward)?)
}

fn drop_some(values: &mut [f32], drops: Drops) {
    values.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, values)| {
        slices::vectorised(
            #[inline(always)]
            || {
                for (i, value) in values.iter_mut().enumerate() {
                    *value *= drops.factor(chunk * CHUNK + i);
                }
            },
        );
    });
}
