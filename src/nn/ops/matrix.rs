//! Matrix products over slices, by the one inner loop of [`kernel`](super::kernel).

use std::cell::RefCell;
use std::ops::Range;

use rayon::prelude::*;

use super::kernel::{Buffer, Product, ROWS, panels};
use super::slices::Shared;

/// A matrix in memory: `rows × cols` values, `stride` from one row to the next; read transposed where asked.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    cols: usize,
    stride: usize,
    transposed: bool,
}

impl<'a> Matrix<'a> {
    /// Rows without a gap between them.
    pub fn new(values: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::strided(values, rows, cols, cols)
    }

    /// `cols` values in each `stride`.
    pub fn strided(values: &'a [f32], rows: usize, cols: usize, stride: usize) -> Self {
        Self { values, rows, cols, stride, transposed: false }
    }

    /// The same memory, read with rows and columns exchanged.
    pub fn t(self) -> Self {
        Self { transposed: !self.transposed, ..self }
    }

    /// Rows, columns, and the steps from one to the next, as they are read.
    fn read(&self) -> (usize, usize, usize, usize) {
        assert!(
            self.cols <= self.stride && end(self.rows, self.cols, self.stride) <= self.values.len()
        );
        let stride = self.stride;
        if self.transposed {
            (self.cols, self.rows, 1, stride)
        } else {
            (self.rows, self.cols, stride, 1)
        }
    }
}

/// Where the last row ends.
fn end(rows: usize, cols: usize, stride: usize) -> usize {
    if rows == 0 { 0 } else { (rows - 1) * stride + cols }
}

/// What [`product`] writes: rows `stride` apart.
pub struct Output<'a> {
    /// The memory.
    pub values: &'a mut [f32],
    /// From one row to the next.
    pub stride: usize,
    /// Whether the product is added to what is there.
    pub add: bool,
}

impl<'a> Output<'a> {
    /// Rows of `cols` values without a gap, overwritten.
    pub fn new(values: &'a mut [f32], cols: usize) -> Self {
        Self { values, stride: cols, add: false }
    }
}

/// Where a product goes: the step from row to row, and from column to column.
#[derive(Clone, Copy)]
struct Place {
    rows: usize,
    cols: usize,
    scale: f32,
    add: bool,
}

/// Rows of a product that a thread computes at once, and rows that are transposed at once.
const TASK_ROWS: usize = 32 * ROWS;
const FEW: usize = 16;

/// `out = scale · lhs · rhs` (or `out += …`), on `threads` threads.
pub fn product(out: Output, lhs: Matrix, rhs: Matrix, scale: f32, threads: usize) {
    let (m, ..) = lhs.read();
    let (_, n, ..) = rhs.read();
    assert!(n <= out.stride && end(m, n, out.stride) <= out.values.len());
    let values = Shared::new(out.values);
    let (stride, add) = (out.stride, out.add);
    // The right side is packed into panels. Where that means turning the larger one around, the product is turned.
    if rhs.transposed && m < n {
        let to = Place { rows: 1, cols: stride, scale, add };
        multiply(values, to, rhs.t(), lhs.t(), threads);
    } else {
        multiply(values, Place { rows: stride, cols: 1, scale, add }, lhs, rhs, threads);
    }
}

thread_local! {
    /// A panel and a tile's sums.
    static WORK: RefCell<(Buffer, Buffer)> = RefCell::default();
}

fn multiply(values: Shared, to: Place, lhs: Matrix, rhs: Matrix, threads: usize) {
    let (m, k, row, step) = lhs.read();
    let (k2, n, ..) = rhs.read();
    assert_eq!(k, k2);
    let steps: Vec<u32> = (0..k).map(|k| (k * step) as u32).collect();
    let rows: Vec<u32> = (0..m).map(|m| (m * row) as u32).collect();
    let panels = panels(n);
    let chunks: Vec<&[u32]> = rows.chunks(TASK_ROWS).collect();
    let task = |task: usize| {
        let ((first, n, width), part) = (panels[task / chunks.len()], task % chunks.len());
        WORK.with_borrow_mut(|(panel, sums)| {
            let panel = panel.first(k * width);
            rhs.pack(first..first + n, width, panel);
            let rows = chunks[part];
            let sums = sums.first(rows.len().next_multiple_of(ROWS) * width);
            let out = &mut *sums;
            Product { panel, width, b: lhs.values, rows, steps: &steps, out, add: false }.run();
            to.write(
                sums,
                width,
                part * TASK_ROWS..part * TASK_ROWS + rows.len(),
                first..first + n,
                values,
            );
        });
    };
    let tasks = panels.len() * chunks.len();
    if threads > 1 && tasks > 1 && m * n * k > 32 * 32 * 32 {
        (0..tasks).into_par_iter().for_each(task);
    } else {
        (0..tasks).for_each(task);
    }
}

impl Matrix<'_> {
    /// The columns `cols`, row by row, filled up to `width` with zeros.
    fn pack(&self, cols: Range<usize>, width: usize, panel: &mut [f32]) {
        let (_, _, row, col) = self.read();
        let n = cols.len();
        for (part, panel) in panel.chunks_mut(FEW * width).enumerate() {
            let rows = panel.len() / width;
            let values = &self.values[part * FEW * row + cols.start * col..];
            if col == 1 {
                for (i, to) in panel.chunks_exact_mut(width).enumerate() {
                    to[..n].copy_from_slice(&values[i * row..][..n]);
                }
            } else {
                for v in 0..n {
                    let from = &values[v * col..][..rows];
                    panel[v..].iter_mut().step_by(width).zip(from).for_each(|(to, x)| *to = *x);
                }
            }
            panel.chunks_exact_mut(width).for_each(|row| row[n..].fill(0.));
        }
    }
}

impl Place {
    /// Writes sums `(rows, width)`.
    fn write(
        self,
        sums: &[f32],
        width: usize,
        rows: Range<usize>,
        cols: Range<usize>,
        values: Shared,
    ) {
        let Place { scale, add, .. } = self;
        let set = |to: &mut f32, sum: &f32| {
            *to = if add { *to + scale * sum } else { scale * sum };
        };
        if self.cols == 1 {
            for (row, sums) in rows.zip(sums.chunks_exact(width)) {
                // SAFETY: every task has rows and columns of its own, inside the output: `product` has checked it.
                let to = unsafe { values.range(row * self.rows + cols.start, cols.len()) };
                to.iter_mut().zip(sums).for_each(|(to, sum)| set(to, sum));
            }
            return;
        }
        for (part, sums) in sums.chunks(FEW * width).enumerate() {
            let start = rows.start + part * FEW;
            let n = (sums.len() / width).min(rows.end.saturating_sub(start));
            for (v, col) in cols.clone().enumerate() {
                // SAFETY: as above; here the output's rows lie side by side.
                let to = unsafe { values.range(start + col * self.cols, n) };
                let sums = sums[v..].iter().step_by(width);
                to.iter_mut().zip(sums).for_each(|(to, sum)| set(to, sum));
            }
        }
    }
}
