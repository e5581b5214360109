//! 2-d convolution: passes over pictures ([`pass`](super::pass)), in groups, or a channel at a time where it is depthwise.

use candle_core::Tensor;

use super::pass::{Axis, Pass, Pictures, Weight};
use super::slices::{self, Shared};
use super::windows::Windows;
use super::{depthwise, graph};
use crate::{Error, Result};

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
    let plan = Plan::new(x, weight, stride, padding, groups)?;
    let (x, weight) = (x.contiguous()?, weight.contiguous()?);
    let y = slices::with(&x, |x| slices::with(&weight, |w| Ok(plan.forward(x, w))))?;
    let (shape, kept) = ((plan.b, plan.o, plan.oh, plan.ow), (x.detach(), weight.detach()));
    let backward = move |dy: Vec<f32>, [want_dx, want_dw]: [bool; 2]| {
        slices::with(&kept.0, |x| {
            slices::with(&kept.1, |w| {
                if let Some(plan) = plan.depthwise() {
                    let (dx, dw) = depthwise::backward(plan, x, w, &dy, want_dx, want_dw);
                    return Ok([want_dx.then_some(dx), want_dw.then_some(dw)]);
                }
                let dx = want_dx.then(|| plan.input_gradient(w, &dy));
                Ok([dx, want_dw.then(|| plan.weight_gradient(x, &dy))])
            })
        })
    };
    Ok(graph::record([&x, &weight], shape, y, backward)?)
}

/// The sizes of one convolution.
#[derive(Clone, Copy)]
struct Plan {
    b: usize,
    c: usize,
    h: usize,
    w: usize,
    o: usize,
    oh: usize,
    ow: usize,
    k: usize,
    stride: usize,
    padding: usize,
    groups: usize,
    windows: Windows,
}

impl Plan {
    fn new(
        x: &Tensor,
        weight: &Tensor,
        stride: usize,
        padding: usize,
        groups: usize,
    ) -> Result<Self> {
        let (b, c, h, w) = x.dims4()?;
        let (o, wc, k, kw) = weight.dims4()?;
        let fits = groups > 0 && wc * groups == c && o % groups == 0 && k == kw && stride > 0;
        let Some(windows) = Windows::new((1, h, w), k, stride, padding).filter(|_| fits) else {
            let (channels, most) = (wc * groups, k.saturating_sub(2 * padding));
            let expected = format!(
                "x (b, {channels}, ≥ {most}, ≥ {most}) for weight {:?} in {groups} groups",
                weight.dims()
            );
            return Err(Error::shape("conv2d", expected, x.shape()));
        };
        let (oh, ow) = (windows.oh, windows.ow);
        Ok(Self { b, c, h, w, o, oh, ow, k, stride, padding, groups, windows })
    }

    /// The same as a depthwise convolution, where it is one.
    fn depthwise(&self) -> Option<depthwise::Plan> {
        let Self { b, c, h, w, o, groups, windows, .. } = *self;
        let one = groups == c && groups > 1;
        one.then(|| depthwise::Plan { b, c, each: o / c, plane: h * w, windows })
    }

    /// The channels of a group in the pictures that come in, those that go out, and its part of the weight.
    fn group(&self, i: usize) -> (Pictures, Pictures, std::ops::Range<usize>) {
        let (c, o) = (self.c / self.groups, self.o / self.groups);
        let pictures = |h: usize, w: usize, c: usize| Pictures {
            start: i * c * h * w,
            stride: self.groups * c * h * w,
            c,
            h,
            w,
        };
        let weight = c * o * self.k * self.k;
        (pictures(self.h, self.w, c), pictures(self.oh, self.ow, o), i * weight..(i + 1) * weight)
    }

    /// From pictures to outputs.
    fn pass(&self, from: Pictures, to: Pictures) -> Pass {
        let axis = |len: usize| Axis::forward(len, self.k, self.stride, self.padding);
        Pass { b: self.b, rows: axis(self.oh), cols: axis(self.ow), from, to }
    }

    fn forward(&self, x: &[f32], weight: &[f32]) -> Vec<f32> {
        if let Some(plan) = self.depthwise() {
            return depthwise::forward(plan, x, weight);
        }
        let mut y = slices::unwritten(self.b * self.o * self.oh * self.ow);
        let out = Shared::new(&mut y);
        for i in 0..self.groups {
            let (from, to, part) = self.group(i);
            let square = self.k * self.k;
            let (from_step, to_step) = (square, from.c * square);
            let weight = Weight { values: &weight[part], k: self.k, from_step, to_step };
            self.pass(from, to).run(x, weight, out);
        }
        y
    }

    fn input_gradient(&self, weight: &[f32], dy: &[f32]) -> Vec<f32> {
        // With a stride larger than the kernel, no output meets some of the inputs.
        let len = self.b * self.c * self.h * self.w;
        let mut dx = if self.stride > self.k { vec![0.; len] } else { slices::unwritten(len) };
        let out = Shared::new(&mut dx);
        let axes = |side: usize| Axis::back(side, self.k, self.stride, self.padding);
        for i in 0..self.groups {
            let (to, from, part) = self.group(i);
            let square = self.k * self.k;
            let (from_step, to_step) = (to.c * square, square);
            let weight = Weight { values: &weight[part], k: self.k, from_step, to_step };
            for rows in axes(self.h) {
                for cols in axes(self.w) {
                    let pass = Pass { b: self.b, rows: rows.clone(), cols, from, to };
                    pass.run(dy, weight, out);
                }
            }
        }
        dx
    }

    fn weight_gradient(&self, x: &[f32], dy: &[f32]) -> Vec<f32> {
        let mut dw = slices::unwritten(self.o * self.c / self.groups * self.k * self.k);
        for i in 0..self.groups {
            let (from, to, part) = self.group(i);
            self.pass(from, to).weight_gradient(x, dy, &mut dw[part]);
        }
        dw
    }
}
