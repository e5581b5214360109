//! Every pixel four times: the way up in a U-Net. (candle's own loses gradients that were there before.)

use candle_core::Tensor;
use rayon::prelude::*;

use super::{graph, slices};
use crate::Result;

/// Planes that a thread takes at least.
const PLANES: usize = 16;

/// `(b, c, h, w)` → `(b, c, 2h, 2w)`, as `F.interpolate(scale_factor=2, mode="nearest")`.
pub fn upsample2(x: &Tensor) -> Result<Tensor> {
    let (b, c, h, w) = x.dims4()?;
    if !super::ours(x) {
        let wide = x.reshape((b, c, h, 1, w, 1))?.broadcast_as((b, c, h, 2, w, 2))?;
        return Ok(wide.reshape((b, c, 2 * h, 2 * w))?);
    }
    let x = x.contiguous()?;
    let y = slices::with(&x, |x| {
        let mut y = slices::unwritten(4 * x.len());
        let planes = y.par_chunks_mut(4 * h * w).zip(x.par_chunks(h * w));
        planes.with_min_len(PLANES).for_each(|(y, x)| {
            for (rows, x) in y.chunks_exact_mut(4 * w).zip(x.chunks_exact(w)) {
                let (first, second) = rows.split_at_mut(2 * w);
                first.chunks_exact_mut(2).zip(x).for_each(|(pair, x)| pair.fill(*x));
                second.copy_from_slice(first);
            }
        });
        Ok(y)
    })?;
    let backward = move |grad: Vec<f32>, _: [bool; 1]| {
        let mut dx = slices::unwritten(grad.len() / 4);
        let planes = dx.par_chunks_mut(h * w).zip(grad.par_chunks(4 * h * w));
        planes.with_min_len(PLANES).for_each(|(dx, g)| {
            for (dx, g) in dx.chunks_exact_mut(w).zip(g.chunks_exact(4 * w)) {
                let (first, second) = g.split_at(2 * w);
                for (i, dx) in dx.iter_mut().enumerate() {
                    *dx = first[2 * i] + first[2 * i + 1] + second[2 * i] + second[2 * i + 1];
                }
            }
        });
        Ok([Some(dx)])
    };
    Ok(graph::record([&x], (b, c, 2 * h, 2 * w), y, backward)?)
}
