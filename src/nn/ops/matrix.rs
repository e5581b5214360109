//! Matrix products over slices, by `gemm`.

use gemm::Parallelism;

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
    fn read(&self) -> (usize, usize, isize, isize) {
        assert!(
            self.cols <= self.stride && end(self.rows, self.cols, self.stride) <= self.values.len()
        );
        let stride = self.stride as isize;
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

    /// Rows of `cols` values without a gap, added to.
    pub fn added(values: &'a mut [f32], cols: usize) -> Self {
        Self { values, stride: cols, add: true }
    }
}

/// `out = scale · lhs · rhs` (or `out += …`), on `threads` threads.
pub fn product(out: Output, lhs: Matrix, rhs: Matrix, scale: f32, threads: usize) {
    let (m, k, lhs_rs, lhs_cs) = lhs.read();
    let (k2, n, rhs_rs, rhs_cs) = rhs.read();
    assert!(k == k2 && n <= out.stride && end(m, n, out.stride) <= out.values.len());
    let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
    // SAFETY: the three slices have just been checked against the sizes; `out` is borrowed mutably.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.values.as_mut_ptr(),
            1,
            out.stride as isize,
            out.add,
            lhs.values.as_ptr(),
            lhs_cs,
            lhs_rs,
            rhs.values.as_ptr(),
            rhs_cs,
            rhs_rs,
            1.,
            scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}
