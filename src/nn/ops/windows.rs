//! The windows of pooling or of a depthwise convolution, laid out so that what a kernel's column meets in a row of outputs
//! lies side by side in memory: padded, and each row sorted by its columns' remainder by the stride.

/// The windows over one picture `(c, h, w)`.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    c: usize,
    h: usize,
    w: usize,
    /// The window's side.
    pub k: usize,
    stride: usize,
    padding: usize,
    /// Rows of outputs.
    pub oh: usize,
    /// Columns of outputs.
    pub ow: usize,
    /// Columns of one remainder.
    part: usize,
}

impl Windows {
    /// `None` where no window fits.
    pub fn new(
        (c, h, w): (usize, usize, usize),
        k: usize,
        stride: usize,
        padding: usize,
    ) -> Option<Self> {
        let out = |side: usize| Some((side + 2 * padding).checked_sub(k)? / stride + 1);
        let (oh, ow) = (out(h)?, out(w)?);
        let part = (w + 2 * padding).div_ceil(stride);
        (k > 0).then_some(Self { c, h, w, k, stride, padding, oh, ow, part })
    }

    /// Values of the picture, spread.
    pub fn spread_len(&self) -> usize {
        self.c * (self.h + 2 * self.padding) * self.row()
    }

    /// Values of one spread row.
    fn row(&self) -> usize {
        self.stride * self.part
    }

    /// From what one row of outputs meets to what the next one meets.
    fn step(&self) -> usize {
        self.stride * self.row()
    }

    /// Where a spread picture has what the kernel's `(ky, kx)` meets in channel `c` in the first row of outputs.
    fn first(&self, c: usize, ky: usize, kx: usize) -> usize {
        (c * (self.h + 2 * self.padding) + ky) * self.row()
            + kx % self.stride * self.part
            + kx / self.stride
    }

    /// What the kernel's `(ky, kx)` meets in channel `c` in output row `oy`: a range of `ow` values of a spread picture.
    pub fn met(&self, c: usize, oy: usize, ky: usize, kx: usize) -> std::ops::Range<usize> {
        let start = self.first(c, ky, kx) + oy * self.step();
        start..start + self.ow
    }

    /// Calls `f(row of the picture, row of the spread one)` for each row that is not padding.
    fn rows(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let Self { c, h, w, padding, .. } = *self;
        let row = self.row();
        (0..c * h).map(move |i| (i * w, (i / h * (h + 2 * padding) + i % h + padding) * row))
    }

    /// Writes picture `x` into `spread`, whose other values are `padding` already and stay so.
    pub fn spread(&self, x: &[f32], spread: &mut [f32]) {
        for (from, to) in self.rows() {
            let (x, row) = (&x[from..][..self.w], &mut spread[to..][..self.row()]);
            if self.stride == 1 {
                row[self.padding..][..self.w].copy_from_slice(x);
            } else {
                for remainder in 0..self.stride {
                    let (column, at) = self.start(remainder);
                    let part = row[remainder * self.part + at..].iter_mut();
                    part.zip(x[column.min(self.w)..].iter().step_by(self.stride))
                        .for_each(|(to, from)| *to = *from);
                }
            }
        }
    }

    /// Writes a spread picture's values back to `x`; the padding's are lost.
    pub fn collect(&self, spread: &[f32], x: &mut [f32]) {
        for (to, from) in self.rows() {
            let (row, x) = (&spread[from..][..self.row()], &mut x[to..][..self.w]);
            if self.stride == 1 {
                x.copy_from_slice(&row[self.padding..][..self.w]);
            } else {
                for remainder in 0..self.stride {
                    let (column, at) = self.start(remainder);
                    let part = row[remainder * self.part + at..].iter();
                    x[column.min(self.w)..]
                        .iter_mut()
                        .step_by(self.stride)
                        .zip(part)
                        .for_each(|(to, from)| *to = *from);
                }
            }
        }
    }

    /// The first column of a picture that has this remainder, and its place in the remainder's part of a row.
    fn start(&self, remainder: usize) -> (usize, usize) {
        let at = self.padding.saturating_sub(remainder).div_ceil(self.stride);
        (at * self.stride + remainder - self.padding, at)
    }
}
