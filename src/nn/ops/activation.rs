//! Elementwise functions: ReLU, and GELU in its two forms.

use candle_core::Tensor;
use rayon::prelude::*;

use super::graph;
use super::slices::{self, CHUNK, exp};
use crate::{Error, Result};

/// `max(x, 0)`, with gradient 0 at 0 as in PyTorch (candle's own gives 1 there).
pub fn relu(x: &Tensor) -> Result<Tensor> {
    if !super::ours(x) {
        return super::fallback::relu(x);
    }
    let x = x.contiguous()?;
    let y = slices::with(&x, |x| Ok(map(x, |x| if x > 0. { x } else { 0. })))?;
    let backward = |y: &Tensor, grad: Vec<f32>, _: [bool; 1]| Ok([Some(passed(y, grad)?)]);
    Ok(graph::record_output([&x], x.shape(), y, backward)?)
}

/// `max(x + y, 0)`: the end of a residual layer.
pub fn add_relu(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    if !super::ours(x) {
        return relu(&(x + y)?);
    }
    if x.shape() != y.shape() {
        return Err(Error::shape("a residual layer's sum", format!("{:?}", x.shape()), y.shape()));
    }
    let (x, y) = (x.contiguous()?, y.contiguous()?);
    let sum = slices::with(&x, |x| {
        slices::with(&y, |y| Ok(zip(x, y, |x, y| if x + y < 0. { 0. } else { x + y })))
    })?;
    let backward = |sum: &Tensor, grad: Vec<f32>, wanted: [bool; 2]| {
        let grad = passed(sum, grad)?;
        let copy = wanted[0].then(|| map(&grad, |g| g));
        Ok([copy, wanted[1].then_some(grad)])
    };
    Ok(graph::record_output([&x, &y], x.shape(), sum, backward)?)
}

/// What of a gradient passes a ReLU that gave `y`.
fn passed(y: &Tensor, mut grad: Vec<f32>) -> candle_core::Result<Vec<f32>> {
    let pass = |y: f32, g: f32| if y > 0. { g } else { 0. };
    slices::with(y, |y| {
        change(&mut grad, y, pass);
        Ok(())
    })?;
    Ok(grad)
}

/// `x Φ(x)` with the normal distribution function Φ: `nn.GELU`, of the lecture's `ProjectionHead` and of DistilBERT.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    if !super::ours(x) {
        return Ok(x.gelu_erf()?);
    }
    let x = x.contiguous()?;
    let y = slices::with(&x, |x| Ok(map(x, |x| x * normal_cdf(x))))?;
    let kept = x.detach();
    let backward = move |mut grad: Vec<f32>, _: [bool; 1]| {
        const DENSITY: f32 = 0.398_942_3;
        let slope = |x: f32| normal_cdf(x) + x * DENSITY * exp(-0.5 * x * x);
        slices::with(&kept, |x| {
            change(&mut grad, x, |x, g| g * slope(x));
            Ok(())
        })?;
        Ok([Some(grad)])
    };
    Ok(graph::record([&x], x.shape(), y, backward)?)
}

/// `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`: GPT-2's `gelu_new`.
pub fn gelu_tanh(x: &Tensor) -> Result<Tensor> {
    if !super::ours(x) {
        return Ok(x.gelu()?);
    }
    let x = x.contiguous()?;
    let inner = |x: f32| ROOT * (x + CUBIC * x * x * x);
    let y = slices::with(&x, |x| Ok(map(x, |x| x * logistic(inner(x)))))?;
    let kept = x.detach();
    let backward = move |mut grad: Vec<f32>, _: [bool; 1]| {
        let slope = |x: f32| {
            let s = logistic(inner(x));
            s + x * s * (1. - s) * ROOT * (1. + 3. * CUBIC * x * x)
        };
        slices::with(&kept, |x| {
            change(&mut grad, x, |x, g| g * slope(x));
            Ok(())
        })?;
        Ok([Some(grad)])
    };
    Ok(graph::record([&x], x.shape(), y, backward)?)
}

/// `x σ(1.702 x)`, σ the logistic function: what OpenAI's CLIP takes for GELU.
pub fn quick_gelu(x: &Tensor) -> Result<Tensor> {
    const STEEP: f32 = 1.702;
    if !super::ours(x) {
        return super::fallback::quick_gelu(x);
    }
    let x = x.contiguous()?;
    let y = slices::with(&x, |x| Ok(map(x, |x| x * logistic(STEEP * x))))?;
    let kept = x.detach();
    let backward = move |mut grad: Vec<f32>, _: [bool; 1]| {
        let slope = |x: f32| {
            let s = logistic(STEEP * x);
            s + STEEP * x * s * (1. - s)
        };
        slices::with(&kept, |x| {
            change(&mut grad, x, |x, g| g * slope(x));
            Ok(())
        })?;
        Ok([Some(grad)])
    };
    Ok(graph::record([&x], x.shape(), y, backward)?)
}

/// `gate · σ(gate) · up`, σ the logistic function: the gated unit of Llama's feed-forward network (SwiGLU, arXiv:2002.05202).
pub fn silu_gate(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    if !super::ours(gate) {
        return super::fallback::silu_gate(gate, up);
    }
    if gate.shape() != up.shape() {
        return Err(Error::shape("a gated unit", format!("{:?}", gate.shape()), up.shape()));
    }
    let (gate, up) = (gate.contiguous()?, up.contiguous()?);
    let y = slices::with(&gate, |gate| {
        slices::with(&up, |up| Ok(zip(gate, up, |x, up| x * logistic(x) * up)))
    })?;
    let kept = (gate.detach(), up.detach());
    let backward = move |grad: Vec<f32>, wanted: [bool; 2]| {
        let slope = |x: f32| {
            let s = logistic(x);
            s + x * s * (1. - s)
        };
        slices::with(&kept.0, |gate| {
            slices::with(&kept.1, |up| {
                let d_up = wanted[1].then(|| zip(gate, &grad, |x, g| x * logistic(x) * g));
                let d_gate = wanted[0].then(|| {
                    let mut d_gate = zip(up, &grad, |up, g| up * g);
                    change(&mut d_gate, gate, |x, g| g * slope(x));
                    d_gate
                });
                Ok([d_gate, d_up])
            })
        })
    };
    Ok(graph::record([&gate, &up], gate.shape(), y, backward)?)
}

/// `f` of every value, in parallel.
pub(super) fn map(xs: &[f32], f: impl Fn(f32) -> f32 + Sync) -> Vec<f32> {
    let mut ys = slices::unwritten(xs.len());
    ys.par_chunks_mut(CHUNK).zip(xs.par_chunks(CHUNK)).for_each(|(ys, xs)| {
        slices::vectorised(
            #[inline(always)]
            || ys.iter_mut().zip(xs).for_each(|(y, x)| *y = f(*x)),
        );
    });
    ys
}

/// `f` of every pair of values, in parallel.
fn zip(xs: &[f32], zs: &[f32], f: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f32> {
    let mut ys = slices::unwritten(xs.len());
    let inputs = xs.par_chunks(CHUNK).zip(zs.par_chunks(CHUNK));
    ys.par_chunks_mut(CHUNK).zip(inputs).for_each(|(ys, (xs, zs))| {
        slices::vectorised(
            #[inline(always)]
            || ys.iter_mut().zip(xs.iter().zip(zs)).for_each(|(y, (x, z))| *y = f(*x, *z)),
        );
    });
    ys
}

/// Every gradient `g ← f(x, g)`, in parallel.
pub(super) fn change(gs: &mut [f32], xs: &[f32], f: impl Fn(f32, f32) -> f32 + Sync) {
    gs.par_chunks_mut(CHUNK).zip(xs.par_chunks(CHUNK)).for_each(|(gs, xs)| {
        slices::vectorised(
            #[inline(always)]
            || gs.iter_mut().zip(xs).for_each(|(g, x)| *g = f(*x, *g)),
        );
    });
}

/// `√(8/π)`: with it, `(1 + tanh u)/2` is the logistic function of `2u = √(8/π) (x + 0.044715 x³)`.
const ROOT: f32 = 1.595_769;
const CUBIC: f32 = 0.044_715;

/// `1 / (1 + e⁻ᶻ)`, from the exponential of −|z|, which cannot overflow.
#[inline(always)]
fn logistic(z: f32) -> f32 {
    let e = exp(-z.abs());
    let near = 1. / (1. + e);
    if z >= 0. { near } else { e * near }
}

/// Φ by formula 7.1.26 of Abramowitz and Stegun for erf: an error of at most 1.5e-7, the size of f32's rounding.
#[inline(always)]
fn normal_cdf(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1. / (1. + 0.327_591_1 * z);
    let poly = t
        * (0.254_829_6
            + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152 + t * 1.061_405_4))));
    let tail = 0.5 * poly * exp(-z * z);
    if x >= 0. { 1. - tail } else { tail }
}
