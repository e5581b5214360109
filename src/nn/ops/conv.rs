//! 2-d convolution as a matrix product: `Y = W · im2col(X)`, `dW = dY · im2col(X)ᵀ`, `dX = col2im(Wᵀ · dY)`.
//!
//! With groups the channels of a picture are taken apart: each part counts as a picture with a weight of its own.

use candle_core::{CpuStorage, CustomOp2, Layout, Result as CandleResult, Shape, Tensor};
use rayon::prelude::*;

use super::depthwise;
use super::matrix::{Matrix, Output, product};
use super::slices::{self, Shared};
use super::windows::Windows;
use crate::Result;

/// `(b, c, h, w)`, weight `(o, c/groups, k, k)` → `(b, o, h', w')`, no bias. Output channels `i · o/groups …` see only the
/// input channels `i · c/groups …` of their group, as in `nn.Conv2d`; with `groups = c` the convolution is depthwise.
pub fn conv2d(
    x: &Tensor,
    weight: &Tensor,
    stride: usize,
    padding: usize,
    groups: usize,
) -> Result<Tensor> {
    if !super::ours(x) {
        return Ok(x.conv2d(weight, padding, stride, 1, groups)?);
    }
    let op = Conv2d { stride, padding, groups };
    Ok(x.contiguous()?.apply_op2(&weight.contiguous()?, op)?)
}

#[derive(Clone, Copy)]
struct Conv2d {
    stride: usize,
    padding: usize,
    groups: usize,
}

/// The sizes of one convolution.
#[derive(Clone, Copy)]
struct Plan {
    /// Pictures, or parts of them.
    b: usize,
    /// Values of one picture.
    picture: usize,
    /// Output channels of one picture.
    o: usize,
    /// Values of one unfolded pixel.
    depth: usize,
    windows: Windows,
    groups: usize,
    /// A 1×1 convolution of stride 1 needs no unfolding.
    is_product: bool,
    /// Pictures that are unfolded together.
    bundle: usize,
}

/// Values that the unfolded pictures of one bundle may take: about what a core's own cache holds.
const COLUMN_VALUES: usize = 192 * 1024;

impl Plan {
    fn new(x: &Shape, weight: &Shape, op: &Conv2d) -> CandleResult<Self> {
        let (b, c, h, w) = x.dims4()?;
        let (o, wc, k, kw) = weight.dims4()?;
        let Conv2d { stride, padding, groups } = *op;
        let windows = Windows::new((wc, h, w), k, stride, padding);
        let fits = groups > 0 && wc * groups == c && o % groups == 0 && k == kw;
        let Some(windows) = windows.filter(|_| fits) else {
            let most = k.saturating_sub(2 * padding);
            candle_core::bail!(
                "conv2d: expected x (b, {}, ≥ {most}, ≥ {most}) for weight {weight:?} in {groups} groups, got {x:?}",
                wc * groups
            );
        };
        let depth = wc * k * k;
        let most = (COLUMN_VALUES / (depth * windows.oh * windows.ow)).max(1);
        let most = if groups == 1 { most } else { 1 };
        let bundle = most.min(b.div_ceil(2 * rayon::current_num_threads())).max(1);
        let is_product = k == 1 && stride == 1 && padding == 0 && bundle == 1;
        let (b, o) = (b * groups, o / groups);
        Ok(Self { b, picture: wc * h * w, o, depth, windows, groups, is_product, bundle })
    }

    /// The same as a depthwise convolution, where it is one.
    fn depthwise(&self) -> Option<depthwise::Plan> {
        let Self { b, groups, o, picture, windows, .. } = *self;
        let one = self.depth == windows.k * windows.k && groups > 1;
        one.then(|| depthwise::Plan { b: b / groups, c: groups, each: o, plane: picture, windows })
    }

    /// Output pixels of one picture.
    fn pixels(&self) -> usize {
        self.windows.oh * self.windows.ow
    }

    fn bundles(&self) -> usize {
        self.b.div_ceil(self.bundle)
    }

    /// The pictures of a bundle.
    fn members(&self, bundle: usize) -> std::ops::Range<usize> {
        bundle * self.bundle..((bundle + 1) * self.bundle).min(self.b)
    }

    /// Where the weight of a bundle's pictures lies.
    fn weight(&self, bundle: usize) -> std::ops::Range<usize> {
        let size = self.o * self.depth;
        let start = bundle * self.bundle % self.groups * size;
        start..start + size
    }
}

fn forward(plan: Plan, x: &[f32], weight: &[f32]) -> Vec<f32> {
    let (o, depth, pixels) = (plan.o, plan.depth, plan.pixels());
    let picture = plan.picture;
    let mut y = vec![0f32; plan.b * o * pixels];
    let out = Shared::new(&mut y);
    (0..plan.bundles()).into_par_iter().for_each_init(
        || (vec![0f32; plan.windows.spread_len()], Vec::new(), Vec::new()),
        |(spread, columns, product_of), bundle| {
            let members = plan.members(bundle);
            let n = members.len();
            // SAFETY: every bundle has the outputs of its own pictures.
            let y = unsafe { out.range(members.start * o * pixels, n * o * pixels) };
            let weight = Matrix::new(&weight[plan.weight(bundle)], o, depth);
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
    let tasks = rayon::current_num_threads().min(plan.bundles()).max(1);
    let partial = |task: usize| {
        let mut dw = vec![0f32; if want_dw { weight.len() } else { 0 }];
        let (mut columns, mut dy_of) = (Vec::new(), Vec::new());
        let mut spread = vec![0f32; plan.windows.spread_len()];
        let mut dx_spread = vec![0f32; spread.len()];
        for bundle in (task..plan.bundles()).step_by(tasks) {
            let members = plan.members(bundle);
            let weight = &weight[plan.weight(bundle)];
            let dw = if want_dw { &mut dw[plan.weight(bundle)] } else { &mut [] };
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
                    product(Output::added(dw, depth), Matrix::new(dy, o, pixels), x, 1., 1);
                }
                if want_dx {
                    // SAFETY: every bundle has the gradients of its own pictures.
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
                product(Output::added(dw, depth), dy, columns, 1., 1);
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
        let (x, weight) = (slices::of(x, x_layout)?, slices::of(weight, weight_layout)?);
        let y = match plan.depthwise() {
            Some(plan) => depthwise::forward(plan, x, weight),
            None => forward(plan, x, weight),
        };
        let (b, o) = (plan.b / plan.groups, plan.o * plan.groups);
        Ok((CpuStorage::F32(y), Shape::from((b, o, plan.windows.oh, plan.windows.ow))))
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
                slices::with(dy, |dys| {
                    Ok(match plan.depthwise() {
                        Some(plan) => depthwise::backward(plan, xs, ws, dys, want_dx, want_dw),
                        None => backward(plan, xs, ws, dys, want_dx, want_dw),
                    })
                })
            })
        })?;
        let tensor = |wanted: bool, values: Vec<f32>, like: &Tensor| {
            wanted.then(|| Tensor::from_vec(values, like.shape(), like.device())).transpose()
        };
        Ok((tensor(want_dx, dx, x)?, tensor(want_dw, dw, weight)?))
    }
}
