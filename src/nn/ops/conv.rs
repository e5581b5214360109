//! 2-d convolution as a matrix product: `Y = W · im2col(X)`, `dW = dY · im2col(X)ᵀ`, `dX = col2im(Wᵀ · dY)`.

use candle_core::{CpuStorage, CustomOp2, Layout, Result as CandleResult, Shape, Tensor};
use rayon::prelude::*;

use super::matrix::{Matrix, Output, product};
use super::slices::{self, Shared};
use super::windows::Windows;
use crate::Result;

/// `(b, c, h, w)`, weight `(o, c, k, k)` → `(b, o, h', w')`, no bias.
pub fn conv2d(x: &Tensor, weight: &Tensor, stride: usize, padding: usize) -> Result<Tensor> {
    if !super::ours(x) {
        return Ok(x.conv2d(weight, padding, stride, 1, 1)?);
    }
    let op = Conv2d { stride, padding };
    Ok(x.contiguous()?.apply_op2(&weight.contiguous()?, op)?)
}

#[derive(Clone, Copy)]
struct Conv2d {
    stride: usize,
    padding: usize,
}

/// The sizes of one convolution.
#[derive(Clone, Copy)]
struct Plan {
    b: usize,
    /// Values of one picture.
    picture: usize,
    o: usize,
    /// Values of one unfolded pixel.
    depth: usize,
    windows: Windows,
    /// A 1×1 convolution of stride 1 needs no unfolding.
    is_product: bool,
    /// Pictures that are unfolded together.
    group: usize,
}

/// Values that the unfolded pictures of one group may take: about what a core's own cache holds.
const COLUMN_VALUES: usize = 192 * 1024;

impl Plan {
    fn new(x: &Shape, weight: &Shape, op: &Conv2d) -> CandleResult<Self> {
        let (b, c, h, w) = x.dims4()?;
        let (o, wc, k, kw) = weight.dims4()?;
        let windows = Windows::new((c, h, w), k, op.stride, op.padding);
        let Some(windows) = windows.filter(|_| wc == c && k == kw) else {
            candle_core::bail!(
                "conv2d: expected x (b, {wc}, ≥ {k}, ≥ {k}) for weight {weight:?}, got {x:?}"
            );
        };
        let depth = c * k * k;
        let most = (COLUMN_VALUES / (depth * windows.oh * windows.ow)).max(1);
        let group = most.min(b.div_ceil(2 * rayon::current_num_threads())).max(1);
        let is_product = k == 1 && op.stride == 1 && op.padding == 0 && group == 1;
        Ok(Self { b, picture: c * h * w, o, depth, windows, is_product, group })
    }

    /// Output pixels of one picture.
    fn pixels(&self) -> usize {
        self.windows.oh * self.windows.ow
    }

    fn groups(&self) -> usize {
        self.b.div_ceil(self.group)
    }

    /// The pictures of a group.
    fn members(&self, group: usize) -> std::ops::Range<usize> {
        group * self.group..((group + 1) * self.group).min(self.b)
    }
}

fn forward(plan: Plan, x: &[f32], weight: &[f32]) -> Vec<f32> {
    let (o, depth, pixels) = (plan.o, plan.depth, plan.pixels());
    let picture = plan.picture;
    let mut y = vec![0f32; plan.b * o * pixels];
    let out = Shared::new(&mut y);
    (0..plan.groups()).into_par_iter().for_each_init(
        || (vec![0f32; plan.windows.spread_len()], Vec::new(), Vec::new()),
        |(spread, columns, product_of), group| {
            let members = plan.members(group);
            let n = members.len();
            // SAFETY: every group has the outputs of its own pictures.
            let y = unsafe { out.range(members.start * o * pixels, n * o * pixels) };
            let weight = Matrix::new(weight, o, depth);
            if plan.is_product {
                let x = &x[members.start * picture..][..picture];
                let x = Matrix::new(x, depth, pixels);
                return product(Output::new(y, pixels), weight, x, 1., 1);
            }
            columns.resize(depth * n * pixels, 0f32);
            for (slot, image) in members.enumerate() {
                plan.windows.spread(&x[image * picture..][..picture], spread);
                plan.windows.unfold(spread, columns, n * pixels, slot * pixels);
            }
            let columns = Matrix::new(columns, depth, n * pixels);
            if n == 1 {
                return product(Output::new(y, pixels), weight, columns, 1., 1);
            }
            product_of.resize(o * n * pixels, 0f32);
            product(Output::new(product_of, n * pixels), weight, columns, 1., 1);
            for (slot, y) in y.chunks_exact_mut(o * pixels).enumerate() {
                for (channel, y) in y.chunks_exact_mut(pixels).enumerate() {
                    y.copy_from_slice(&product_of[(channel * n + slot) * pixels..][..pixels]);
                }
            }
        },
    );
    y
}

/// The gradients of the input (where it is wanted) and of the weight.
fn backward(
    plan: Plan,
    x: &[f32],
    weight: &[f32],
    dy: &[f32],
    want_dx: bool,
    want_dw: bool,
) -> (Vec<f32>, Vec<f32>) {
    let (o, depth, pixels) = (plan.o, plan.depth, plan.pixels());
    let picture = plan.picture;
    let mut dx = vec![0f32; if want_dx { plan.b * picture } else { 0 }];
    let out = Shared::new(&mut dx);
    let tasks = rayon::current_num_threads().min(plan.groups()).max(1);
    let partial = |task: usize| {
        let mut dw = vec![0f32; if want_dw { o * depth } else { 0 }];
        let (mut columns, mut dy_of) = (Vec::new(), Vec::new());
        let mut spread = vec![0f32; plan.windows.spread_len()];
        let mut dx_spread = vec![0f32; spread.len()];
        for group in (task..plan.groups()).step_by(tasks) {
            let members = plan.members(group);
            let n = members.len();
            let dy = &dy[members.start * o * pixels..][..n * o * pixels];
            let dy = if n == 1 {
                dy
            } else {
                dy_of.resize(o * n * pixels, 0f32);
                for (slot, dy) in dy.chunks_exact(o * pixels).enumerate() {
                    for (channel, dy) in dy.chunks_exact(pixels).enumerate() {
                        dy_of[(channel * n + slot) * pixels..][..pixels].copy_from_slice(dy);
                    }
                }
                &dy_of[..]
            };
            if plan.is_product {
                if want_dw {
                    let x = &x[members.start * picture..][..picture];
                    let x = Matrix::new(x, depth, pixels).t();
                    product(Output::added(&mut dw, depth), Matrix::new(dy, o, pixels), x, 1., 1);
                }
                if want_dx {
                    // SAFETY: every group has the gradients of its own pictures.
                    let dx = unsafe { out.range(members.start * picture, picture) };
                    let weight = Matrix::new(weight, o, depth).t();
                    product(Output::new(dx, pixels), weight, Matrix::new(dy, o, pixels), 1., 1);
                }
                continue;
            }
            columns.resize(depth * n * pixels, 0f32);
            if want_dw {
                for (slot, image) in members.clone().enumerate() {
                    plan.windows.spread(&x[image * picture..][..picture], &mut spread);
                    plan.windows.unfold(&spread, &mut columns, n * pixels, slot * pixels);
                }
                let columns = Matrix::new(&columns, depth, n * pixels).t();
                let dy = Matrix::new(dy, o, n * pixels);
                product(Output::added(&mut dw, depth), dy, columns, 1., 1);
            }
            if want_dx {
                let dy = Matrix::new(dy, o, n * pixels);
                let weight = Matrix::new(weight, o, depth).t();
                product(Output::new(&mut columns, n * pixels), weight, dy, 1., 1);
                for (slot, image) in members.enumerate() {
                    // SAFETY: as above.
                    let dx = unsafe { out.range(image * picture, picture) };
                    dx_spread.fill(0.);
                    plan.windows.fold(&columns, &mut dx_spread, n * pixels, slot * pixels);
                    plan.windows.collect(&dx_spread, dx);
                }
            }
        }
        dw
    };
    // Summed in the order of the tasks, so that the same threads give the same bits.
    let partials: Vec<Vec<f32>> = (0..tasks).into_par_iter().map(partial).collect();
    let mut partials = partials.into_iter();
    let mut dw = partials.next().unwrap_or_default();
    for other in partials {
        for (to, value) in dw.iter_mut().zip(other) {
            *to += value;
        }
    }
    (dx, dw)
}

impl CustomOp2 for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let plan = Plan::new(x_layout.shape(), weight_layout.shape(), self)?;
        let y = forward(plan, slices::of(x, x_layout)?, slices::of(weight, weight_layout)?);
        Ok((CpuStorage::F32(y), Shape::from((plan.b, plan.o, plan.windows.oh, plan.windows.ow))))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _y: &Tensor,
        dy: &Tensor,
    ) -> CandleResult<(Option<Tensor>, Option<Tensor>)> {
        let plan = Plan::new(x.shape(), weight.shape(), self)?;
        let (want_dx, want_dw) = (x.track_op(), weight.track_op());
        let (dx, dw) = slices::with(x, |xs| {
            slices::with(weight, |ws| {
                slices::with(dy, |dys| Ok(backward(plan, xs, ws, dys, want_dx, want_dw)))
            })
        })?;
        let tensor = |wanted: bool, values: Vec<f32>, like: &Tensor| {
            wanted.then(|| Tensor::from_vec(values, like.shape(), like.device())).transpose()
        };
        Ok((tensor(want_dx, dx, x)?, tensor(want_dw, dw, weight)?))
    }
}
