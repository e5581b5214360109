//! A few rows by a weight: what a language model that writes a token asks for. [`product`](super::matrix::product) fills
//! vectors with rows, of which there are too few here. These sums go along memory, several outputs at once, and a weight is
//! read once for all rows: reading it is most of the time that it takes. So a weight in half precision takes about half of it:
//! a few of its rows at a time become f32, in the nearest cache.

use std::cell::RefCell;

use half::f16;
use half::slice::HalfFloatSliceExt;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::slices::Shared;

/// The most rows.
pub const MOST: usize = 8;

/// Outputs that a thread computes at once; every number of outputs in [`Rows::with_simd`] divides it.
const TASK: usize = 48;

thread_local! {
    /// Rows of a weight in half precision, as f32.
    static WIDENED: RefCell<Vec<f32>> = RefCell::default();
}

/// The values of a weight.
#[derive(Clone, Copy)]
pub enum Weight<'a> {
    /// In f32.
    Full(&'a [f32]),
    /// In half precision.
    Half(&'a [f16]),
}

impl Weight<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Full(values) => values.len(),
            Self::Half(values) => values.len(),
        }
    }
}

/// x `(n, inner)` of at most [`MOST`] rows, weight `(out, inner)` → `y (n, out)`: `x Wᵀ`, or with `add` `y + x Wᵀ`.
pub fn product(x: &[f32], weight: Weight, inner: usize, y: &mut [f32], add: bool) {
    let (n, out) = (x.len() / inner, weight.len() / inner);
    assert!(x.len() == n * inner && weight.len() == out * inner && y.len() == n * out && n <= MOST);
    let to = Shared::new(y);
    let task = |task: usize| {
        let first = task * TASK;
        let last = (first + TASK).min(out);
        pulp::Arch::new().dispatch(Rows { x, weight, inner, out, first, last, to, add, n });
    };
    let tasks = out.div_ceil(TASK);
    if rayon::current_num_threads() > 1 && weight.len() > 32 * 32 * 32 {
        (0..tasks).into_par_iter().for_each(task);
    } else {
        (0..tasks).for_each(task);
    }
}

/// The outputs `first..last` of a product.
struct Rows<'a> {
    x: &'a [f32],
    weight: Weight<'a>,
    inner: usize,
    out: usize,
    first: usize,
    last: usize,
    to: Shared,
    add: bool,
    n: usize,
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Rows by outputs: as many sums as have room in the registers, 32 where vectors are the widest and 16 elsewhere. The
        // more outputs, the seldomer a row is read again.
        let wide = S::F32_LANES == 16;
        match self.n {
            1 => self.tiles::<S, 1, 8>(simd),
            2 if wide => self.tiles::<S, 2, 8>(simd),
            2 => self.tiles::<S, 2, 4>(simd),
            3 if wide => self.tiles::<S, 3, 6>(simd),
            3 => self.tiles::<S, 3, 3>(simd),
            4 if wide => self.tiles::<S, 4, 6>(simd),
            4 => self.tiles::<S, 4, 2>(simd),
            5 if wide => self.tiles::<S, 5, 4>(simd),
            5 => self.tiles::<S, 5, 2>(simd),
            6 if wide => self.tiles::<S, 6, 4>(simd),
            6 => self.tiles::<S, 6, 2>(simd),
            7 if wide => self.tiles::<S, 7, 3>(simd),
            7 => self.tiles::<S, 7, 1>(simd),
            8 if wide => self.tiles::<S, 8, 3>(simd),
            8 => self.tiles::<S, 8, 1>(simd),
            _ => {}
        }
    }
}

impl Rows<'_> {
    #[inline(always)]
    fn tiles<S: Simd, const N: usize, const OUT: usize>(self, simd: S) {
        let mut at = self.first;
        while at + OUT <= self.last {
            self.group::<S, N, OUT>(simd, at);
            at += OUT;
        }
        while at < self.last {
            self.group::<S, N, 1>(simd, at);
            at += 1;
        }
    }

    /// The outputs `at..at + OUT` of all `N` rows.
    #[inline(always)]
    fn group<S: Simd, const N: usize, const OUT: usize>(&self, simd: S, at: usize) {
        let rows = at * self.inner..(at + OUT) * self.inner;
        match self.weight {
            Weight::Full(values) => self.tile::<S, N, OUT>(simd, at, &values[rows]),
            Weight::Half(values) => WIDENED.with_borrow_mut(|widened| {
                widened.resize(rows.len(), 0.);
                values[rows].convert_to_f32_slice(widened);
                self.tile::<S, N, OUT>(simd, at, widened);
            }),
        }
    }

    /// The same, by the `OUT` rows of the weight.
    #[inline(always)]
    fn tile<S: Simd, const N: usize, const OUT: usize>(&self, simd: S, at: usize, weight: &[f32]) {
        let inner = self.inner;
        let weights: [_; OUT] =
            std::array::from_fn(|j| S::as_simd_f32s(&weight[j * inner..][..inner]));
        let rows: [_; N] = std::array::from_fn(|i| S::as_simd_f32s(&self.x[i * inner..][..inner]));
        let mut sums = [[simd.splat_f32s(0.); OUT]; N];
        let steps = inner / S::F32_LANES;
        for step in 0..steps {
            // SAFETY: each slice has `steps` vectors.
            unsafe {
                let weight: [_; OUT] = std::array::from_fn(|j| *weights[j].0.get_unchecked(step));
                for i in 0..N {
                    let x = *rows[i].0.get_unchecked(step);
                    for j in 0..OUT {
                        sums[i][j] = simd.mul_add_e_f32s(x, weight[j], sums[i][j]);
                    }
                }
            }
        }
        for i in 0..N {
            for j in 0..OUT {
                let rest = rows[i].1.iter().zip(weights[j].1).map(|(x, w)| x * w).sum::<f32>();
                let sum = simd.reduce_sum_f32s(sums[i][j]) + rest;
                // SAFETY: these outputs are no other task's, and inside `y` by the check of `product`.
                let to = unsafe { &mut self.to.range(i * self.out + at + j, 1)[0] };
                *to = if self.add { *to + sum } else { sum };
            }
        }
    }
}
