//! A linear layer as one operation: product and bias, and in the backward pass two products and a sum.

use candle_core::{CpuStorage, Storage, Tensor, bail};

use super::matrix::{Matrix, Output, product};
use super::{few, graph, rows, slices};
use crate::{Error, Result};

/// `(…, in)`, weight `(out, in)`, bias `(out)` → `(…, out)`: `x Wᵀ + b`. A weight that does not train may be in bfloat16;
/// everything else is f32.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    if !super::ours(x) {
        return super::fallback::linear(x, weight, bias);
    }
    let (out, inner) = weight.dims2()?;
    if x.dims().last() != Some(&inner) || inner == 0 {
        return Err(Error::shape("linear", format!("(…, {inner})"), x.shape()));
    }
    let (x, weight) = (x.contiguous()?, weight.contiguous()?);
    let n = x.elem_count() / inner;
    let mut y = match bias {
        Some(bias) if bias.dims() == [out] => slices::with(bias, |bias| Ok(bias.repeat(n)))?,
        Some(bias) => return Err(Error::shape("linear, bias", format!("({out})"), bias.shape())),
        None => slices::unwritten(n * out),
    };
    let threads = rayon::current_num_threads();
    slices::with(&x, |x| {
        if n <= few::MOST {
            return few_rows(x, &weight, &mut y, bias.is_some());
        }
        slices::with(&weight, |weight| {
            let to = Output { add: bias.is_some(), ..Output::new(&mut y, out) };
            product(to, Matrix::new(x, n, inner), Matrix::new(weight, out, inner).t(), 1., threads);
            Ok(())
        })
    })?;
    let mut dims = x.dims().to_vec();
    if let Some(last) = dims.last_mut() {
        *last = out;
    }
    let kept = (x.detach(), weight.detach());
    // `dx = g W`, `dW = gᵀ x` and `db = Σ g`, where they are wanted.
    let backward = move |g: &[f32], want_dx: bool, want_dw: bool, want_db: bool| {
        let grad = Matrix::new(g, n, out);
        let by = |lhs: Matrix, rhs: &Tensor, m: usize| {
            let mut values = slices::unwritten(m * inner);
            slices::with(rhs, |rhs| {
                let rhs = Matrix::new(rhs, rhs.len() / inner, inner);
                product(Output::new(&mut values, inner), lhs, rhs, 1., threads);
                Ok(())
            })?;
            Ok::<_, candle_core::Error>(values)
        };
        let dx = want_dx.then(|| by(grad, &kept.1, n)).transpose()?;
        let dw = want_dw.then(|| by(grad.t(), &kept.0, out)).transpose()?;
        Ok([dx, dw, want_db.then(|| rows::column_sums(g, out))])
    };
    Ok(match bias {
        Some(bias) => {
            let backward = move |g: Vec<f32>, [dx, dw, db]: [bool; 3]| backward(&g, dx, dw, db);
            graph::record([&x, &weight, bias], dims, y, backward)?
        }
        None => {
            let backward = move |g: Vec<f32>, [dx, dw]: [bool; 2]| {
                backward(&g, dx, dw, false).map(|[dx, dw, _]| [dx, dw])
            };
            graph::record([&x, &weight], dims, y, backward)?
        }
    })
}

/// The product of at most [`few::MOST`] rows and a contiguous weight, which is read as it is.
fn few_rows(x: &[f32], weight: &Tensor, y: &mut [f32], add: bool) -> candle_core::Result<()> {
    let inner = weight.dim(1)?;
    let (storage, layout) = weight.storage_and_layout();
    let Some((start, end)) = layout.contiguous_offsets() else {
        bail!("expected a contiguous weight");
    };
    let weight = match &*storage {
        Storage::Cpu(CpuStorage::F32(values)) => few::Weight::Full(&values[start..end]),
        Storage::Cpu(CpuStorage::BF16(values)) => few::Weight::Short(&values[start..end]),
        other => bail!("expected a weight in f32 or bfloat16 on the CPU, got {:?}", other.dtype()),
    };
    few::product(x, weight, inner, y, add);
    Ok(())
}
