//! The one inner loop of our products: a tile of sums that stays in the processor's registers.
//!
//! ```text
//! out[j][v] (+)= Σ_k  b[rows[j] + steps[k]] · panel[k][v]
//! ```
//!
//! `panel` is packed: for each `k` as many values side by side as the tile is wide, a few vectors. `b` is read where it
//! lies: one value at a time, from a place that is a row's plus a step's. That is enough for all that we multiply:
//!
//! | what | `rows` | `steps` | `panel` |
//! |---|---|---|---|
//! | a convolution | pixels | taps `(c, ky, kx)` | weights, output channels side by side |
//! | its weight's gradient | taps | pixels | gradients, output channels side by side |
//! | a linear layer | outputs | inputs | rows of `x`, side by side |
//!
//! So a convolution needs no unfolded copy of its picture, and small pictures waste nothing.

use pulp::{Simd, WithSimd};

/// Rows of `out` are a multiple of this: what lies behind the last wanted row is filled with what is not wanted.
pub const ROWS: usize = 12;

/// Values of a cache line, and of the widest vector.
const LINE: usize = 16;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[allow(dead_code)] [f32; LINE]);

/// Zeros that begin at a cache line, so that no vector lies across two.
#[derive(Default)]
pub struct Buffer(Vec<Line>);

impl Buffer {
    pub fn new(len: usize) -> Self {
        Self(vec![Line([0.; LINE]); len.div_ceil(LINE)])
    }

    /// The first `len` values, whatever they are; the buffer grows where it must.
    pub fn first(&mut self, len: usize) -> &mut [f32] {
        if self.0.len() * LINE < len {
            self.0.resize(len.div_ceil(LINE), Line([0.; LINE]));
        }
        // SAFETY: a line is 16 values without a gap, and there are enough of them.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), len) }
    }

    pub fn values(&self) -> &[f32] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * LINE) }
    }
}

/// `n` columns in panels as wide as the processor's registers allow: first column, columns, width (with padding).
pub fn panels(n: usize) -> Vec<(usize, usize, usize)> {
    let lanes = lanes();
    let most = if lanes == 8 { 2 } else { 4 };
    let mut panels = Vec::new();
    let mut first = 0;
    while first < n {
        let left = (n - first).div_ceil(lanes).min(most);
        let width = if left == 3 { 4 } else { left } * lanes;
        panels.push((first, width.min(n - first), width));
        first += width;
    }
    panels
}

/// Values of a vector.
pub fn lanes() -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) -> usize {
            S::F32_LANES
        }
    }
    pulp::Arch::new().dispatch(Lanes)
}

/// One product: see the module.
pub struct Product<'a> {
    /// `(steps, width)`, from the beginning of a [`Buffer`].
    pub panel: &'a [f32],
    /// Of [`panels`].
    pub width: usize,
    pub b: &'a [f32],
    pub rows: &'a [u32],
    pub steps: &'a [u32],
    /// `(rows, width)`, with the rows rounded up to [`ROWS`].
    pub out: &'a mut [f32],
    /// Whether the sums are added to what is there.
    pub add: bool,
}

/// Steps that are taken at once: their part of a panel stays in the processor's own cache while all rows meet it.
const STEPS: usize = 256;

impl Product<'_> {
    pub fn run(self) {
        let last = |places: &[u32]| places.iter().max().map_or(0, |last| *last as usize);
        let (rows, steps) = (self.rows, self.steps);
        if rows.is_empty() {
            return;
        }
        assert!(steps.is_empty() || last(rows) + last(steps) < self.b.len());
        assert!(steps.len() * self.width <= self.panel.len());
        assert!(rows.len().next_multiple_of(ROWS) * self.width <= self.out.len());
        if steps.is_empty() && !self.add {
            self.out[..rows.len() * self.width].fill(0.);
        }
        pulp::Arch::new().dispatch(self);
    }

    /// Tiles of `R` rows and `V` vectors.
    #[inline(always)]
    fn tiles<S: Simd, const R: usize, const V: usize>(self, simd: S) {
        let parts = self.steps.chunks(STEPS).zip(self.panel.chunks(STEPS * self.width));
        for (part, (steps, panel)) in parts.enumerate() {
            let add = self.add || part > 0;
            for (tile, rows) in self.rows.chunks(R).enumerate() {
                let b = std::array::from_fn(|j| {
                    // SAFETY: `run` has checked the largest sum of a row and a step.
                    unsafe { self.b.as_ptr().add(rows[j.min(rows.len() - 1)] as usize) }
                });
                let out = &mut self.out[tile * R * self.width..][..R * self.width];
                // SAFETY: `run` has checked the sizes; `out` is a whole tile.
                unsafe { sums::<S, R, V>(simd, panel.as_ptr(), b, steps, out.as_mut_ptr(), add) }
            }
        }
    }
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // A tile's sums, a row of the panel and a value of `b` have room in 32 registers; two vectors in 16.
        match self.width / S::F32_LANES {
            4 => self.tiles::<S, 6, 4>(simd),
            2 => self.tiles::<S, 6, 2>(simd),
            1 => self.tiles::<S, 12, 1>(simd),
            vectors => unreachable!("a panel of {vectors} vectors"),
        }
    }
}

/// # Safety
/// `panel` has `steps.len()` rows of `V` vectors, `out` `R` of them, and every `b[j] + steps[k]` can be read.
#[inline(always)]
unsafe fn sums<S: Simd, const R: usize, const V: usize>(
    simd: S,
    panel: *const f32,
    b: [*const f32; R],
    steps: &[u32],
    out: *mut f32,
    add: bool,
) {
    let (mut panel, out) = (panel.cast::<S::f32s>(), out.cast::<S::f32s>());
    let mut sums = [[simd.splat_f32s(0.); V]; R];
    for step in steps {
        // SAFETY: the caller's promise.
        unsafe {
            let row: [S::f32s; V] = std::array::from_fn(|v| panel.add(v).read_unaligned());
            for j in 0..R {
                let value = simd.splat_f32s(*b[j].add(*step as usize));
                for v in 0..V {
                    sums[j][v] = simd.mul_add_e_f32s(value, row[v], sums[j][v]);
                }
            }
            panel = panel.add(V);
        }
    }
    for (j, sums) in sums.iter().enumerate() {
        for (v, sum) in sums.iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe {
                let out = out.add(j * V + v);
                let before = if add { out.read_unaligned() } else { simd.splat_f32s(0.) };
                out.write_unaligned(simd.add_f32s(before, *sum));
            }
        }
    }
}
