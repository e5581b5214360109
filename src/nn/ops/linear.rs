//! A linear layer as one operation: product and bias, and in the backward pass two products and a sum.

use candle_core::{
    CpuStorage, CustomOp2, CustomOp3, Layout, Result as CandleResult, Shape, Tensor,
};

use super::matrix::{Matrix, Output, product};
use super::{rows, slices};
use crate::Result;

/// `(…, in)`, weight `(out, in)`, bias `(out)` → `(…, out)`: `x Wᵀ + b`
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    if !super::ours(x) {
        return super::fallback::linear(x, weight, bias);
    }
    let (x, weight) = (x.contiguous()?, weight.contiguous()?);
    Ok(match bias {
        Some(bias) => x.apply_op3(&weight, &bias.contiguous()?, Linear)?,
        None => x.apply_op2(&weight, Linear)?,
    })
}

struct Linear;

/// Rows of `x`, values in one, and values in a row of the result.
fn sizes(x: &Shape, weight: &Shape) -> CandleResult<(usize, usize, usize)> {
    let (out, inner) = weight.dims2()?;
    if x.dims().last() != Some(&inner) || inner == 0 {
        candle_core::bail!("linear: expected (…, {inner}), got {x:?}");
    }
    Ok((x.elem_count() / inner, inner, out))
}

fn forward(
    (x, x_layout): (&CpuStorage, &Layout),
    (weight, weight_layout): (&CpuStorage, &Layout),
    bias: Option<&[f32]>,
) -> CandleResult<(CpuStorage, Shape)> {
    let (rows, inner, out) = sizes(x_layout.shape(), weight_layout.shape())?;
    let (x, weight) = (slices::of(x, x_layout)?, slices::of(weight, weight_layout)?);
    let (x, weight) = (Matrix::new(x, rows, inner), Matrix::new(weight, out, inner).t());
    let mut y = match bias {
        Some(bias) if bias.len() == out => bias.repeat(rows),
        Some(bias) => candle_core::bail!("linear: expected a bias of {out}, got {}", bias.len()),
        None => vec![0f32; rows * out],
    };
    product(Output::added(&mut y, out), x, weight, 1., rayon::current_num_threads());
    let mut dims = x_layout.dims().to_vec();
    if let Some(last) = dims.last_mut() {
        *last = out;
    }
    Ok((CpuStorage::F32(y), Shape::from(dims)))
}

/// `dx = g W` and `dW = gᵀ x`, where they are wanted.
fn backward(
    x: &Tensor,
    weight: &Tensor,
    grad: &Tensor,
) -> CandleResult<(Option<Tensor>, Option<Tensor>)> {
    let (rows, inner, out) = sizes(x.shape(), weight.shape())?;
    let threads = rayon::current_num_threads();
    slices::with(grad, |g| {
        let g = Matrix::new(g, rows, out);
        let by = |lhs: Matrix, rhs: &Tensor, like: &Tensor, n: usize| {
            let mut values = vec![0f32; like.elem_count()];
            slices::with(rhs, |rhs| {
                let rhs = Matrix::new(rhs, rhs.len() / inner, inner);
                product(Output::new(&mut values, n), lhs, rhs, 1., threads);
                Ok(())
            })?;
            Tensor::from_vec(values, like.shape(), like.device()).map(Some)
        };
        let dx = if x.track_op() { by(g, weight, x, inner)? } else { None };
        let dw = if weight.track_op() { by(g.t(), x, weight, inner)? } else { None };
        Ok((dx, dw))
    })
}

impl CustomOp2 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        forward((x, x_layout), (weight, weight_layout), None)
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> CandleResult<(Option<Tensor>, Option<Tensor>)> {
        backward(x, weight, grad)
    }
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        forward((x, x_layout), (weight, weight_layout), Some(slices::of(bias, bias_layout)?))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> CandleResult<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (dx, dw) = backward(x, weight, grad)?;
        let db = if bias.track_op() {
            let d = bias.elem_count();
            let sums = slices::with(grad, |g| Ok(rows::column_sums(g, d, |_, g| g)))?;
            Some(Tensor::from_vec(sums, d, bias.device())?)
        } else {
            None
        };
        Ok((dx, dw, db))
    }
}
