//! Depthwise convolution: every channel has kernels of its own, so no product of matrices comes of it; a row of outputs is
//! the sum of shifted rows of its channel, each times one weight.

use rayon::prelude::*;

use super::slices::{self, Shared};
use super::windows::Windows;

/// The sizes of one depthwise convolution: `(b, c, h, w)`, weight `(c · each, 1, k, k)` → `(b, c · each, h', w')`.
#[derive(Clone, Copy)]
pub struct Plan {
    pub b: usize,
    pub c: usize,
    /// Outputs of each channel.
    pub each: usize,
    /// Values of one channel of one picture.
    pub plane: usize,
    /// Over one channel.
    pub windows: Windows,
}

impl Plan {
    /// Output pixels of one channel.
    fn pixels(&self) -> usize {
        self.windows.oh * self.windows.ow
    }

    /// Rows of outputs and places in the kernel, in the order of the weights.
    fn taps(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let k = self.windows.k;
        (0..k).flat_map(move |ky| (0..k).map(move |kx| (ky, kx)))
    }
}

pub fn forward(plan: Plan, x: &[f32], weight: &[f32]) -> Vec<f32> {
    let (pixels, taps) = (plan.pixels(), plan.windows.k * plan.windows.k);
    let mut y = vec![0f32; plan.b * plan.c * plan.each * pixels];
    let outputs = y.par_chunks_mut(plan.each * pixels).zip(x.par_chunks(plan.plane)).enumerate();
    outputs.for_each_init(
        || vec![0f32; plan.windows.spread_len()],
        |spread, (i, (y, x))| {
            plan.windows.spread(x, spread);
            let weights = weight[i % plan.c * plan.each * taps..].chunks_exact(taps);
            for (y, weights) in y.chunks_exact_mut(pixels).zip(weights) {
                slices::vectorised(
                    #[inline(always)]
                    || {
                        for (oy, row) in y.chunks_exact_mut(plan.windows.ow).enumerate() {
                            for ((ky, kx), weight) in plan.taps().zip(weights) {
                                let met = &spread[plan.windows.met(0, oy, ky, kx)];
                                row.iter_mut().zip(met).for_each(|(y, x)| *y += weight * x);
                            }
                        }
                    },
                );
            }
        },
    );
    y
}

/// The gradients of the input and of the weight, where they are wanted: a task a channel, which meets all pictures.
pub fn backward(
    plan: Plan,
    x: &[f32],
    weight: &[f32],
    dy: &[f32],
    want_dx: bool,
    want_dw: bool,
) -> (Vec<f32>, Vec<f32>) {
    let (pixels, taps) = (plan.pixels(), plan.windows.k * plan.windows.k);
    let mut dx = vec![0f32; if want_dx { x.len() } else { 0 }];
    let mut dw = vec![0f32; weight.len()];
    let out = Shared::new(&mut dx);
    let channels = dw.par_chunks_mut(plan.each * taps).zip(weight.par_chunks(plan.each * taps));
    channels.enumerate().for_each_init(
        || [(); 2].map(|()| vec![0f32; plan.windows.spread_len()]),
        |[spread, gradient], (channel, (dw, weight))| {
            for i in (0..plan.b).map(|i| i * plan.c + channel) {
                plan.windows.spread(&x[i * plan.plane..][..plan.plane], spread);
                gradient.fill(0.);
                let dy = dy[i * plan.each * pixels..].chunks_exact(pixels);
                let kernels = dw.chunks_exact_mut(taps).zip(weight.chunks_exact(taps));
                for (dy, (dw, weight)) in dy.zip(kernels) {
                    slices::vectorised(
                        #[inline(always)]
                        || {
                            for (oy, g) in dy.chunks_exact(plan.windows.ow).enumerate() {
                                let kernel = dw.iter_mut().zip(weight);
                                for ((ky, kx), (dw, weight)) in plan.taps().zip(kernel) {
                                    let met = plan.windows.met(0, oy, ky, kx);
                                    *dw += slices::dot(&spread[met.clone()], g);
                                    let gradient = gradient[met].iter_mut();
                                    gradient.zip(g).for_each(|(to, g)| *to += weight * g);
                                }
                            }
                        },
                    );
                }
                if want_dx {
                    // SAFETY: every channel has planes of its own.
                    let dx = unsafe { out.range(i * plan.plane, plan.plane) };
                    plan.windows.collect(gradient, dx);
                }
            }
        },
    );
    if !want_dw {
        dw.clear();
    }
    (dx, dw)
}
