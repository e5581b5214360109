//! Elementwise functions: ReLU, and GELU in its two forms.

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, Layout, Result as CandleResult, Shape, Tensor,
};
use rayon::prelude::*;

use super::slices::{self, exp};
use crate::{Error, Result};

/// `max(x, 0)`, with gradient 0 at 0 as in PyTorch (candle's own gives 1 there).
pub fn relu(x: &Tensor) -> Result<Tensor> {
    if !super::ours(x) {
        return super::fallback::relu(x);
    }
    Ok(x.contiguous()?.apply_op1(Relu)?)
}

/// `max(x + y, 0)`: the end of a residual layer.
pub fn add_relu(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    if !super::ours(x) {
        return relu(&(x + y)?);
    }
    if x.shape() != y.shape() {
        return Err(Error::shape("a residual layer's sum", format!("{:?}", x.shape()), y.shape()));
    }
    Ok(x.contiguous()?.apply_op2(&y.contiguous()?, AddRelu)?)
}

/// What of a gradient passes a ReLU that gave `y`.
pub(super) fn passed(y: &Tensor, grad: &Tensor) -> CandleResult<Tensor> {
    let pass = |y: f32, g: f32| if y > 0. { g } else { 0. };
    let values = slices::with(y, |ys| slices::with(grad, |gs| Ok(zip(ys, gs, pass))))?;
    Tensor::from_vec(values, y.shape(), y.device())
}

/// `x Φ(x)` with the normal distribution function Φ: `nn.GELU`, of the lecture's `ProjectionHead` and of DistilBERT.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    if !super::ours(x) {
        return Ok(x.gelu_erf()?);
    }
    Ok(x.contiguous()?.apply_op1(Gelu)?)
}

/// `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`: GPT-2's `gelu_new`.
pub fn gelu_tanh(x: &Tensor) -> Result<Tensor> {
    if !super::ours(x) {
        return Ok(x.gelu()?);
    }
    Ok(x.contiguous()?.apply_op1(GeluTanh)?)
}

const CHUNK: usize = 16 * 1024;

/// `f` of every value, in parallel.
fn map(xs: &[f32], f: impl Fn(f32) -> f32 + Sync) -> Vec<f32> {
    let mut ys = vec![0f32; xs.len()];
    ys.par_chunks_mut(CHUNK).zip(xs.par_chunks(CHUNK)).for_each(|(ys, xs)| {
        slices::vectorised(
            #[inline(always)]
            || {
                for (y, x) in ys.iter_mut().zip(xs) {
                    *y = f(*x);
                }
            },
        );
    });
    ys
}

/// `f` of every pair of values, in parallel.
fn zip(xs: &[f32], gs: &[f32], f: impl Fn(f32, f32) -> f32 + Sync) -> Vec<f32> {
    let mut ys = vec![0f32; xs.len()];
    let inputs = xs.par_chunks(CHUNK).zip(gs.par_chunks(CHUNK));
    ys.par_chunks_mut(CHUNK).zip(inputs).for_each(|(ys, (xs, gs))| {
        slices::vectorised(
            #[inline(always)]
            || {
                for (y, (x, g)) in ys.iter_mut().zip(xs.iter().zip(gs)) {
                    *y = f(*x, *g);
                }
            },
        );
    });
    ys
}

/// The gradient of an elementwise function: `f(value, gradient)`.
fn gradient(
    x: &Tensor,
    grad: &Tensor,
    f: impl Fn(f32, f32) -> f32 + Sync,
) -> CandleResult<Option<Tensor>> {
    let values = slices::with(x, |xs| slices::with(grad, |gs| Ok(zip(xs, gs, f))))?;
    Ok(Some(Tensor::from_vec(values, x.shape(), x.device())?))
}

struct Relu;

impl CustomOp1 for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> CandleResult<(CpuStorage, Shape)> {
        let y = map(slices::of(x, layout)?, |x| if x > 0. { x } else { 0. });
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, _x: &Tensor, y: &Tensor, grad: &Tensor) -> CandleResult<Option<Tensor>> {
        passed(y, grad).map(Some)
    }
}

struct AddRelu;

impl CustomOp2 for AddRelu {
    fn name(&self) -> &'static str {
        "add_relu"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let (x, y) = (slices::of(x, x_layout)?, slices::of(y, y_layout)?);
        let sum = zip(x, y, |x, y| if x + y < 0. { 0. } else { x + y });
        Ok((CpuStorage::F32(sum), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        _x: &Tensor,
        _y: &Tensor,
        sum: &Tensor,
        grad: &Tensor,
    ) -> CandleResult<(Option<Tensor>, Option<Tensor>)> {
        let grad = passed(sum, grad)?;
        Ok((Some(grad.clone()), Some(grad)))
    }
}

struct Gelu;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> CandleResult<(CpuStorage, Shape)> {
        let y = map(slices::of(x, layout)?, |x| x * normal_cdf(x));
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> CandleResult<Option<Tensor>> {
        const DENSITY: f32 = 0.398_942_3;
        gradient(x, grad, |x, g| g * (normal_cdf(x) + x * DENSITY * exp(-0.5 * x * x)))
    }
}

struct GeluTanh;

/// `√(8/π)`: with it, `(1 + tanh u)/2` is the logistic function of `2u = √(8/π) (x + 0.044715 x³)`.
const ROOT: f32 = 1.595_769_1;
const CUBIC: f32 = 0.044_715;

impl CustomOp1 for GeluTanh {
    fn name(&self) -> &'static str {
        "gelu_tanh"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> CandleResult<(CpuStorage, Shape)> {
        let y = map(slices::of(x, layout)?, |x| x * logistic(ROOT * (x + CUBIC * x * x * x)));
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> CandleResult<Option<Tensor>> {
        gradient(x, grad, |x, g| {
            let s = logistic(ROOT * (x + CUBIC * x * x * x));
            g * (s + x * s * (1. - s) * ROOT * (1. + 3. * CUBIC * x * x))
        })
    }
}

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
