//! A few rows by a weight: what a language model that writes a token asks for. [`product`](super::matrix::product) fills
//! vectors with rows, of which there are too few here. These sums go along memory, several outputs at once, and a weight is
//! read once for all rows: reading it is most of the time that it takes. A weight in bfloat16, the upper half of an f32, takes
//! half of that.
//!
//! Outputs that are summed at once lie apart, so that a thread reads as many long runs of memory as it has of them. With
//! neighbours it would start on new short ones all the time, which a processor that fetches ahead follows badly; and where
//! there are several rows to multiply it does not look far enough ahead by itself.

use half::bf16;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::slices::Shared;

/// The most rows.
pub const MOST: usize = 32;

/// The most rows of which the sums have room in the registers at once.
const AT_ONCE: usize = 8;

/// Outputs that a thread computes at once; every number of outputs in [`Rows::with_simd`] divides it.
const TASK: usize = 48;

/// Bytes by which a weight is fetched before it is needed, in each run.
const AHEAD: usize = 1024;

/// The values of a weight.
#[derive(Clone, Copy)]
pub enum Weight<'a> {
    /// In f32.
    Full(&'a [f32]),
    /// In bfloat16.
    Short(&'a [bf16]),
}

impl Weight<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Full(values) => values.len(),
            Self::Short(values) => values.len(),
        }
    }
}

/// x `(n, inner)` of at most [`MOST`] rows, weight `(out, inner)` → `y (n, out)`: `x Wᵀ`, or with `add` `y + x Wᵀ`.
pub fn product(x: &[f32], weight: Weight, inner: usize, y: &mut [f32], add: bool) {
    let (n, out) = (x.len() / inner, weight.len() / inner);
    assert!(x.len() == n * inner && weight.len() == out * inner && y.len() == n * out && n <= MOST);
    let to = Shared::new(y);
    let turned = match weight {
        Weight::Full(_) => Vec::new(),
        Weight::Short(_) => evens_and_odds(x, inner),
    };
    let turned = &turned[..];
    let task = |task: usize| {
        let first = task * TASK;
        let last = (first + TASK).min(out);
        // After the first rows, a task's part of the weight is in a cache.
        for row in (0..n).step_by(AT_ONCE) {
            let n = AT_ONCE.min(n - row);
            let rows = Rows { x, turned, weight, inner, out, first, last, to, add, row, n };
            pulp::Arch::new().dispatch(rows);
        }
    };
    let tasks = out.div_ceil(TASK);
    if rayon::current_num_threads() > 1 && weight.len() > 32 * 32 * 32 {
        (0..tasks).into_par_iter().for_each(task);
    } else {
        (0..tasks).for_each(task);
    }
}

/// Of each row the values at even places, then those at odd ones: a vector of u32 from a weight in bfloat16 has the former in
/// its lower halves and the latter in its upper ones. The last of an odd number of values is in neither.
fn evens_and_odds(x: &[f32], inner: usize) -> Vec<f32> {
    let first = usize::from(cfg!(target_endian = "big"));
    let mut turned = Vec::with_capacity(x.len());
    for row in x.chunks_exact(inner) {
        let pairs = row.as_chunks::<2>().0;
        turned.extend(pairs.iter().map(|pair| pair[first]));
        turned.extend(pairs.iter().map(|pair| pair[1 - first]));
    }
    turned
}

/// The outputs `first..last` of a product.
struct Rows<'a> {
    x: &'a [f32],
    turned: &'a [f32],
    weight: Weight<'a>,
    inner: usize,
    out: usize,
    first: usize,
    last: usize,
    to: Shared,
    add: bool,
    /// The first row, and how many.
    row: usize,
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
        let run = (self.last - self.first) / OUT;
        for at in self.first..self.first + run {
            self.group::<S, N, OUT>(simd, std::array::from_fn(|j| at + j * run));
        }
        for at in self.first + run * OUT..self.last {
            self.group::<S, N, 1>(simd, [at]);
        }
    }

    /// These outputs of all `N` rows.
    #[inline(always)]
    fn group<S: Simd, const N: usize, const OUT: usize>(&self, simd: S, outputs: [usize; OUT]) {
        match self.weight {
            Weight::Full(values) => self.tile::<S, N, OUT>(simd, outputs, values),
            Weight::Short(values) => self.short_tile::<S, N, OUT>(simd, outputs, values),
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const N: usize, const OUT: usize>(
        &self,
        simd: S,
        outputs: [usize; OUT],
        values: &[f32],
    ) {
        let inner = self.inner;
        let weights: [_; OUT] =
            std::array::from_fn(|j| S::as_simd_f32s(&values[outputs[j] * inner..][..inner]));
        let rows: [_; N] = std::array::from_fn(|i| S::as_simd_f32s(self.input(i)));
        let mut sums = [[simd.splat_f32s(0.); OUT]; N];
        let steps = inner / S::F32_LANES;
        for step in 0..steps {
            // SAFETY: each slice has `steps` vectors.
            unsafe {
                let weight: [_; OUT] = std::array::from_fn(|j| {
                    let weight = weights[j].0.get_unchecked(step);
                    fetch(weight);
                    *weight
                });
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
                self.write(i, outputs[j], simd.reduce_sum_f32s(sums[i][j]) + rest);
            }
        }
    }

    /// The same with a weight in bfloat16.
    #[inline(always)]
    #[expect(clippy::needless_range_loop)] // these loops are counted out when it is compiled
    fn short_tile<S: Simd, const N: usize, const OUT: usize>(
        &self,
        simd: S,
        outputs: [usize; OUT],
        values: &[bf16],
    ) {
        let (inner, pairs) = (self.inner, self.inner / 2);
        let weights: [&[bf16]; OUT] =
            std::array::from_fn(|j| &values[outputs[j] * inner..][..inner]);
        let rows: [_; N] = std::array::from_fn(|i| {
            let row = &self.turned[2 * (self.row + i) * pairs..][..2 * pairs];
            [S::as_simd_f32s(&row[..pairs]).0, S::as_simd_f32s(&row[pairs..]).0]
        });
        let mut sums = [[simd.splat_f32s(0.); OUT]; N];
        let (sixteen, upper) = (simd.splat_u32s(16), simd.splat_u32s(0xffff_0000));
        let steps = pairs / S::F32_LANES;
        for step in 0..steps {
            for half in 0..2 {
                let mut weight = [simd.splat_f32s(0.); OUT];
                for j in 0..OUT {
                    // SAFETY: `steps` times two values a lane are in `weights[j]`; any bits are a vector of u32.
                    let both = unsafe {
                        let from = weights[j].as_ptr().add(2 * step * S::F32_LANES);
                        if half == 0 {
                            fetch(from);
                        }
                        from.cast::<S::u32s>().read_unaligned()
                    };
                    let bits = match half {
                        0 => simd.wrapping_dyn_shl_u32s(both, sixteen),
                        _ => simd.and_u32s(both, upper),
                    };
                    weight[j] = simd.transmute_f32s_u32s(bits);
                }
                for i in 0..N {
                    // SAFETY: each has `steps` vectors.
                    let x = unsafe { *rows[i][half].get_unchecked(step) };
                    for j in 0..OUT {
                        sums[i][j] = simd.mul_add_e_f32s(x, weight[j], sums[i][j]);
                    }
                }
            }
        }
        let done = 2 * steps * S::F32_LANES;
        for i in 0..N {
            let x = &self.input(i)[done..];
            for j in 0..OUT {
                let rest = x.iter().zip(&weights[j][done..]).map(|(x, w)| x * w.to_f32());
                self.write(i, outputs[j], simd.reduce_sum_f32s(sums[i][j]) + rest.sum::<f32>());
            }
        }
    }

    /// Of these rows, one.
    #[inline(always)]
    fn input(&self, row: usize) -> &[f32] {
        &self.x[(self.row + row) * self.inner..][..self.inner]
    }

    #[inline(always)]
    fn write(&self, row: usize, output: usize, sum: f32) {
        // SAFETY: these outputs are no other task's, and inside `y` by the check of `product`.
        let to = unsafe { &mut self.to.range((self.row + row) * self.out + output, 1)[0] };
        *to = if self.add { *to + sum } else { sum };
    }
}

/// Asks for the memory [`AHEAD`] of a value into the second cache, where the processor can be asked.
#[inline(always)]
fn fetch<T>(from: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which any address may be given to.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(from.cast::<i8>().wrapping_add(AHEAD));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (from, AHEAD);
}
