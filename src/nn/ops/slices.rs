//! Slices of tensors, and sums over slices that a compiler can vectorise.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};
use half::bf16;
use rayon::prelude::*;

/// The values of a contiguous f32 CPU storage.
pub fn of<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let CpuStorage::F32(values) = storage else { bail!("expected f32 values") };
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&values[start..end]),
        None => bail!("expected a contiguous tensor"),
    }
}

/// Calls `f` with the values of an f32 CPU tensor, made contiguous where it is not; those of a tensor in bfloat16 become f32
/// for it.
pub fn with<T>(x: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let x = x.contiguous()?;
    let (storage, layout) = x.storage_and_layout();
    match &*storage {
        Storage::Cpu(CpuStorage::BF16(values)) => match layout.contiguous_offsets() {
            Some((start, end)) => f(&widened(&values[start..end])),
            None => bail!("expected a contiguous tensor"),
        },
        Storage::Cpu(cpu) => f(of(cpu, layout)?),
        _ => bail!("expected a tensor on the CPU"),
    }
}

/// Calls `f` with the values of an f32 CPU tensor from its first on, however far apart they are.
pub fn from_first<T>(x: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let (storage, layout) = x.storage_and_layout();
    match &*storage {
        Storage::Cpu(CpuStorage::F32(values)) => f(&values[layout.start_offset()..]),
        _ => bail!("expected f32 values on the CPU"),
    }
}

/// Values in bfloat16 as f32.
fn widened(values: &[bf16]) -> Vec<f32> {
    let mut wide = unwritten(values.len());
    wide.par_chunks_mut(CHUNK).zip(values.par_chunks(CHUNK)).for_each(|(to, from)| {
        vectorised(
            #[inline(always)]
            || {
                to.iter_mut().zip(from).for_each(|(to, from)| {
                    *to = f32::from_bits(u32::from(from.to_bits()) << 16);
                });
            },
        );
    });
    wide
}

/// Runs `f` compiled for the widest vectors that this processor has. A closure is compiled with its caller only where it
/// says `#[inline(always)]`.
#[inline(always)]
pub fn vectorised<T>(f: impl FnOnce() -> T) -> T {
    pulp::Arch::new().dispatch(f)
}

/// `eˣ` for x ≤ 0, in a form that a compiler can vectorise: 2ⁿ · 2ᶠ with a polynomial for 2ᶠ, |f| ≤ ½ (relative error
/// below 2e-7). Below −87 it is 0: a denormal number would slow every product down that it comes into.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let y = (x * std::f32::consts::LOG2_E).max(-126.);
    let n = (y + 12_582_912.) - 12_582_912.;
    let f = (y - n) * std::f32::consts::LN_2;
    let poly = 1.
        + f * (1.
            + f * (0.5
                + f * (0.166_666_67 + f * (0.041_666_67 + f * (0.008_333_33 + f * 0.001_388_89)))));
    let y = poly * f32::from_bits(((n as i32 + 127) << 23) as u32);
    if x > -87. { y } else { 0. }
}

/// `e^(x − max) / Σ`, in place.
#[inline(always)]
pub fn softmax(row: &mut [f32]) {
    let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|x| *x = exp(*x - max));
    let inv = 1. / sum(row);
    row.iter_mut().for_each(|x| *x *= inv);
}

const LANES: usize = 16;

#[inline(always)]
fn lanes(xs: &[f32], ys: &[f32], term: impl Fn(f32, f32) -> f32 + Copy) -> f32 {
    let mut sums = [0f32; LANES];
    let (xc, yc) = (xs.chunks_exact(LANES), ys.chunks_exact(LANES));
    let rest: f32 = xc.remainder().iter().zip(yc.remainder()).map(|(&x, &y)| term(x, y)).sum();
    for (x, y) in xc.zip(yc) {
        for lane in 0..LANES {
            sums[lane] += term(x[lane], y[lane]);
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Σ x
#[inline(always)]
pub fn sum(xs: &[f32]) -> f32 {
    lanes(xs, xs, |x, _| x)
}

/// Σ x²
#[inline(always)]
pub fn squares(xs: &[f32]) -> f32 {
    sum_squares(xs, 0.)
}

/// Σ x y
#[inline(always)]
pub fn dot(xs: &[f32], ys: &[f32]) -> f32 {
    lanes(xs, ys, |x, y| x * y)
}

/// Σ (x − mean)²
#[inline(always)]
pub fn sum_squares(xs: &[f32], mean: f32) -> f32 {
    lanes(xs, xs, |x, _| (x - mean) * (x - mean))
}

/// Σ (x − mean) y
#[inline(always)]
pub fn dot_centred(xs: &[f32], ys: &[f32], mean: f32) -> f32 {
    lanes(xs, ys, |x, y| (x - mean) * y)
}

/// Values of a thread's part of an elementwise operation.
pub const CHUNK: usize = 16 * 1024;

/// `to += from`, in parallel.
pub fn add(to: &mut [f32], from: &[f32]) {
    to.par_chunks_mut(CHUNK).zip(from.par_chunks(CHUNK)).for_each(|(to, from)| {
        vectorised(
            #[inline(always)]
            || to.iter_mut().zip(from).for_each(|(to, from)| *to += from),
        );
    });
}

/// Memory for `len` values that the caller writes, all of them, before anything reads one: zeros that nobody needs are a
/// pass over memory on one thread.
#[expect(clippy::uninit_vec)]
pub fn unwritten(len: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    // SAFETY: there is room for them, and any bits are an f32.
    unsafe { values.set_len(len) };
    values
}

/// A pointer that tasks share to write disjoint parts of one buffer.
#[derive(Clone, Copy)]
pub struct Shared(*mut f32);

// SAFETY: every task writes a range of its own; see the callers of `range`.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    pub fn new(buffer: &mut [f32]) -> Self {
        Self(buffer.as_mut_ptr())
    }

    /// The `len` values from `start`.
    ///
    /// # Safety
    /// Inside the buffer, which outlives the use, and written by no other task at the same time.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn range(&self, start: usize, len: usize) -> &mut [f32] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(start), len) }
    }
    /// Writes one value.
    ///
    /// # Safety
    /// As [`range`](Self::range).
    pub unsafe fn write(&self, place: usize, value: f32) {
        // SAFETY: the caller's promise.
        unsafe { *self.0.add(place) = value };
    }
}
