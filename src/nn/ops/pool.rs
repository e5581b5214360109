//! Pooling: the maximum in windows, the mean in windows, and the mean over a picture.

use candle_core::Tensor;
use rayon::prelude::*;

use super::windows::Windows;
use super::{graph, slices};
use crate::{Error, Result};

/// `(b, c, h, w)` → `(b, c, h', w')`: the largest value of each `k × k` window; padding counts as −∞. Where values
/// tie, the gradient goes to the first, as in PyTorch.
pub fn max_pool2d(x: &Tensor, kernel: usize, stride: usize, padding: usize) -> Result<Tensor> {
    if !super::ours(x) {
        return super::fallback::max_pool2d(x, kernel, stride, padding);
    }
    let (b, c, h, w) = x.dims4()?;
    let windows = Windows::new((1, h, w), kernel, stride, padding);
    let Some(windows) = windows.filter(|_| padding * 2 <= kernel) else {
        let expected = format!("pictures that a window of {kernel} fits");
        return Err(Error::shape("max pool", expected, x.shape()));
    };
    let (oh, ow) = (windows.oh, windows.ow);
    let x = x.contiguous()?;
    let y = slices::with(&x, |x| {
        let mut y = slices::unwritten(b * c * oh * ow);
        y.par_chunks_mut(oh * ow)
            .zip(x.par_chunks(h * w))
            .with_min_len(PLANES)
            .for_each_init(|| Work::new(&windows), |work, (y, x)| work.forward(&windows, x, y));
        Ok(y)
    })?;
    let kept = x.detach();
    let backward = move |grad: Vec<f32>, _: [bool; 1]| {
        slices::with(&kept, |x| {
            let mut dx = slices::unwritten(x.len());
            let planes = dx.par_chunks_mut(h * w).zip(x.par_chunks(h * w));
            planes.zip(grad.par_chunks(oh * ow)).with_min_len(PLANES).for_each_init(
                || Work::new(&windows),
                |work, ((dx, x), g)| work.backward(&windows, x, g, dx),
            );
            Ok([Some(dx)])
        })
    };
    Ok(graph::record([&x], (b, c, oh, ow), y, backward)?)
}

/// `(b, c, h, w)` → `(b, c, ⌊h/k⌋, ⌊w/k⌋)`: the mean of each `k × k` window, side by side, as `nn.AvgPool2d(k)`: rows and columns
/// that fill no window at the far edges count nowhere.
pub fn avg_pool2d(x: &Tensor, kernel: usize) -> Result<Tensor> {
    let (b, c, h, w) = x.dims4()?;
    let k = kernel;
    if k == 0 || h < k || w < k {
        let expected = format!("pictures that a window of {k} fits");
        return Err(Error::shape("average pool", expected, x.shape()));
    }
    if !super::ours(x) {
        return super::fallback::avg_pool2d(x, k);
    }
    let (oh, ow, part) = (h / k, w / k, 1. / (k * k) as f32);
    let x = x.contiguous()?;
    let y = slices::with(&x, |x| {
        let mut y = vec![0f32; b * c * oh * ow];
        let planes = y.par_chunks_mut(oh * ow).zip(x.par_chunks(h * w));
        planes.with_min_len(PLANES).for_each(|(y, x)| {
            for (y, rows) in y.chunks_exact_mut(ow).zip(x.chunks_exact(k * w)) {
                for row in rows.chunks_exact(w) {
                    for (y, window) in y.iter_mut().zip(row.chunks_exact(k)) {
                        *y += part * window.iter().sum::<f32>();
                    }
                }
            }
        });
        Ok(y)
    })?;
    let backward = move |grad: Vec<f32>, _: [bool; 1]| {
        let mut dx = vec![0f32; b * c * h * w];
        let planes = dx.par_chunks_mut(h * w).zip(grad.par_chunks(oh * ow));
        planes.with_min_len(PLANES).for_each(|(dx, g)| {
            for (rows, g) in dx.chunks_exact_mut(k * w).zip(g.chunks_exact(ow)) {
                for row in rows.chunks_exact_mut(w) {
                    row.chunks_exact_mut(k).zip(g).for_each(|(window, g)| window.fill(part * g));
                }
            }
        });
        Ok([Some(dx)])
    };
    Ok(graph::record([&x], (b, c, oh, ow), y, backward)?)
}

/// `(b, c, h, w)` → `(b, c)`: the mean of each channel.
pub fn global_avg_pool(x: &Tensor) -> Result<Tensor> {
    if !super::ours(x) {
        return Ok(x.flatten_from(2)?.mean(2)?);
    }
    let (b, c, h, w) = x.dims4()?;
    let (x, pixels) = (x.contiguous()?, h * w);
    let y = slices::with(&x, |x| {
        let mean = |plane: &[f32]| slices::sum(plane) / pixels as f32;
        Ok(x.par_chunks(pixels).with_min_len(PLANES).map(mean).collect())
    })?;
    let backward = move |grad: Vec<f32>, _: [bool; 1]| {
        let mut dx = slices::unwritten(grad.len() * pixels);
        let planes = dx.par_chunks_mut(pixels).zip(&grad).with_min_len(PLANES);
        planes.for_each(|(dx, g)| dx.fill(g / pixels as f32));
        Ok([Some(dx)])
    };
    Ok(graph::record([&x], (b, c), y, backward)?)
}

/// Planes that a thread takes at least.
const PLANES: usize = 16;

/// The maxima of one row of outputs, and in which place of its window each stands first.
#[inline(always)]
fn maxima(windows: &Windows, spread: &[f32], oy: usize, best: &mut [f32], place: &mut [u32]) {
    best.copy_from_slice(&spread[windows.met(0, oy, 0, 0)]);
    place.fill(0);
    for (i, (ky, kx)) in places(windows.k).enumerate().skip(1) {
        let met = &spread[windows.met(0, oy, ky, kx)];
        for ((best, place), x) in best.iter_mut().zip(place.iter_mut()).zip(met) {
            // NaN wins, as in PyTorch.
            let larger = *x > *best || x.is_nan();
            *best = if larger { *x } else { *best };
            *place = if larger { i as u32 } else { *place };
        }
    }
}

/// Rows and columns of a window, from the first.
fn places(k: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..k).flat_map(move |ky| (0..k).map(move |kx| (ky, kx)))
}

/// What one thread works in.
struct Work {
    spread: Vec<f32>,
    gradient: Vec<f32>,
    best: Vec<f32>,
    place: Vec<u32>,
}

impl Work {
    fn new(windows: &Windows) -> Self {
        let (n, ow) = (windows.spread_len(), windows.ow);
        Self {
            spread: vec![f32::NEG_INFINITY; n],
            gradient: vec![0.; n],
            best: vec![0.; ow],
            place: vec![0; ow],
        }
    }

    fn forward(&mut self, windows: &Windows, x: &[f32], y: &mut [f32]) {
        windows.spread(x, &mut self.spread);
        for (oy, y) in y.chunks_exact_mut(windows.ow).enumerate() {
            slices::vectorised(
                #[inline(always)]
                || maxima(windows, &self.spread, oy, y, &mut self.place),
            );
        }
    }

    fn backward(&mut self, windows: &Windows, x: &[f32], g: &[f32], dx: &mut [f32]) {
        let Self { spread, gradient, best, place } = self;
        windows.spread(x, spread);
        gradient.fill(0.);
        for (oy, g) in g.chunks_exact(windows.ow).enumerate() {
            slices::vectorised(
                #[inline(always)]
                || {
                    maxima(windows, spread, oy, best, place);
                    for (i, (ky, kx)) in places(windows.k).enumerate() {
                        let met = &mut gradient[windows.met(0, oy, ky, kx)];
                        for ((met, g), place) in met.iter_mut().zip(g).zip(place.iter()) {
                            *met += if *place == i as u32 { *g } else { 0. };
                        }
                    }
                },
            );
        }
        windows.collect(gradient, dx);
    }
}
