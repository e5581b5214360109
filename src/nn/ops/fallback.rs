//! The same operations by candle's own, in differentiable form: for other devices and types, and to test ours against.

use candle_core::{D, Tensor};

use super::dropout::Drops;
use crate::Result;

/// `max(x, 0)` with gradient 0 at 0.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    let positive = x.detach().gt(0f32)?.to_dtype(x.dtype())?;
    Ok((x * positive)?)
}

/// See [`super::linear`].
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (out, inner) = weight.dims2()?;
    let mut dims = x.dims().to_vec();
    let y = x.reshape(((), inner))?.matmul(&weight.to_dtype(x.dtype())?.t()?)?;
    if let Some(last) = dims.last_mut() {
        *last = out;
    }
    let y = y.reshape(dims)?;
    Ok(match bias {
        Some(bias) => y.broadcast_add(bias)?,
        None => y,
    })
}

/// See [`super::dropout`].
pub fn dropout(x: &Tensor, drops: Drops) -> Result<Tensor> {
    let factors = Tensor::from_vec(drops.factors(x.elem_count()), x.shape(), x.device())?;
    Ok((x * factors.to_dtype(x.dtype())?)?)
}

/// See [`super::attention`].
pub fn attention(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    mask: &Tensor,
    heads: usize,
    drops: Option<Drops>,
) -> Result<Tensor> {
    masked_attention(queries, keys, values, &key_bias(mask, queries)?, heads, drops)
}

/// See [`super::causal_attention`].
pub fn causal_attention(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    mask: &Tensor,
    heads: usize,
    drops: Option<Drops>,
) -> Result<Tensor> {
    let (s, t) = (queries.dim(1)?, keys.dim(1)?);
    let seen = (0..s).flat_map(|i| (0..t).map(move |j| u8::from(j + s > t + i)));
    let future = Tensor::from_vec(seen.collect::<Vec<u8>>(), (s, t), queries.device())?;
    let future = (future.to_dtype(queries.dtype())? * -1e9)?;
    let bias = key_bias(mask, queries)?.broadcast_add(&future)?;
    masked_attention(queries, keys, values, &bias, heads, drops)
}

/// Mask `(b, t)` → what is added to scores, `(b, 1, 1, t)`.
fn key_bias(mask: &Tensor, like: &Tensor) -> Result<Tensor> {
    let (b, t) = mask.dims2()?;
    Ok(((mask.to_dtype(like.dtype())?.reshape((b, 1, 1, t))? - 1.)? * 1e9)?)
}

fn masked_attention(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    bias: &Tensor,
    heads: usize,
    drops: Option<Drops>,
) -> Result<Tensor> {
    let (b, _, d) = queries.dims3()?;
    // (b, heads, ·, d/heads)
    let split = |x: &Tensor| -> candle_core::Result<Tensor> {
        let own = x.dim(2)? * heads / d;
        let x = x.reshape((b, (), own, d / heads))?.transpose(1, 2)?.contiguous()?;
        if own == heads {
            return Ok(x);
        }
        let t = x.dim(2)?;
        let shared = x.unsqueeze(2)?.broadcast_as((b, own, heads / own, t, d / heads))?;
        shared.contiguous()?.reshape((b, heads, t, d / heads))
    };
    let scale = (heads as f64 / d as f64).sqrt();
    let scores = (split(queries)? * scale)?.matmul(&split(keys)?.transpose(2, 3)?)?;
    let scores = scores.broadcast_add(bias)?; // (b, heads, s, t)
    let mut weights = candle_nn::ops::softmax(&scores, D::Minus1)?;
    if let Some(drops) = drops {
        weights = dropout(&weights, drops)?;
    }
    Ok(weights.matmul(&split(values)?)?.transpose(1, 2)?.reshape(queries.dims())?)
}

/// See [`super::layer_norm`].
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    let normal = centred.broadcast_div(&deviation)?;
    Ok(normal.broadcast_mul(weight)?.broadcast_add(bias)?)
}

/// Mean and biased variance of each channel.
pub fn channel_moments(x: &Tensor) -> Result<(Tensor, Tensor)> {
    let (_, c, _, _) = x.dims4()?;
    let rows = x.transpose(0, 1)?.reshape((c, ()))?;
    let mean = rows.mean_keepdim(1)?;
    let var = rows.broadcast_sub(&mean)?.sqr()?.mean(1)?;
    Ok((mean.squeeze(1)?, var))
}

/// See [`super::batch_norm`]; takes the statistics itself, since the gradient goes through them.
pub fn batch_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    let (_, c, _, _) = x.dims4()?;
    let (mean, var) = channel_moments(x)?;
    let column = |t: &Tensor| t.reshape((1, c, 1, 1));
    let centred = x.broadcast_sub(&column(&mean)?)?;
    let normal = centred.broadcast_div(&column(&(var + eps)?.sqrt()?)?)?;
    Ok(normal.broadcast_mul(&column(weight)?)?.broadcast_add(&column(bias)?)?)
}

/// See [`super::group_norm`].
pub fn group_norm(
    x: &Tensor,
    scale: &Tensor,
    shift: &Tensor,
    groups: usize,
    eps: f64,
    silu: bool,
) -> Result<Tensor> {
    let (b, c, _, _) = x.dims4()?;
    let rows = x.reshape((b, groups, ()))?;
    let centred = rows.broadcast_sub(&rows.mean_keepdim(2)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(2)? + eps)?.sqrt()?;
    let normal = centred.broadcast_div(&deviation)?.reshape(x.shape())?;
    let column = |t: &Tensor| t.reshape((b, c, 1, 1));
    let y = normal.broadcast_mul(&column(scale)?)?.broadcast_add(&column(shift)?)?;
    Ok(if silu { y.silu()? } else { y })
}

/// See [`super::max_pool2d`]: the maximum over shifted copies. Where values tie, the gradient is shared.
pub fn max_pool2d(x: &Tensor, kernel: usize, stride: usize, padding: usize) -> Result<Tensor> {
    let mut padded = x.clone();
    for dim in [2, 3] {
        if padding > 0 {
            let mut shape = padded.dims().to_vec();
            shape[dim] = padding;
            let edge = Tensor::full(f32::MIN, shape, x.device())?.to_dtype(x.dtype())?;
            padded = Tensor::cat(&[&edge, &padded, &edge], dim)?;
        }
    }
    let shifted = |t: &Tensor, dim: usize, from: usize| -> Result<Tensor> {
        let out = (t.dim(dim)? - kernel) / stride + 1;
        let index: Vec<u32> = (0..out).map(|i| (i * stride + from) as u32).collect();
        Ok(t.index_select(&Tensor::new(index, x.device())?, dim)?)
    };
    let mut best: Option<Tensor> = None;
    for dy in 0..kernel {
        let rows = shifted(&padded, 2, dy)?;
        for dx in 0..kernel {
            let here = shifted(&rows, 3, dx)?;
            best = Some(match best {
                None => here,
                Some(best) => best.maximum(&here)?,
            });
        }
    }
    best.ok_or_else(|| crate::Error::value("max pool", "a window of at least 1", kernel))
}

/// See [`super::avg_pool2d`].
pub fn avg_pool2d(x: &Tensor, kernel: usize) -> Result<Tensor> {
    let (b, c, h, w) = x.dims4()?;
    let (oh, ow) = (h / kernel, w / kernel);
    let whole = x.narrow(2, 0, oh * kernel)?.narrow(3, 0, ow * kernel)?.contiguous()?;
    let windows = whole.reshape((b * c * oh, kernel, ow, kernel))?;
    Ok(windows.mean(3)?.mean(1)?.reshape((b, c, oh, ow))?)
}

/// See [`super::rms_norm`].
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let root = (x.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?;
    Ok(x.broadcast_div(&root)?.broadcast_mul(weight)?)
}

/// See [`super::silu_gate`].
pub fn silu_gate(gate: &Tensor, up: &Tensor) -> Result<Tensor> {
    let logistic = ((gate.neg()?.exp()? + 1.)?).recip()?;
    Ok(((gate * logistic)? * up)?)
}

/// See [`super::rotary`].
pub fn rotary(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let (b, s, d) = x.dims3()?;
    let half = cos.dim(2)?;
    let x = x.reshape((b, s, d / (2 * half), 2 * half))?;
    let (first, second) = (x.narrow(3, 0, half)?, x.narrow(3, half, half)?);
    let (cos, sin) = (cos.unsqueeze(2)?, sin.unsqueeze(2)?); // (b, s, 1, w/2)
    let left = (first.broadcast_mul(&cos)? - second.broadcast_mul(&sin)?)?;
    let right = (second.broadcast_mul(&cos)? + first.broadcast_mul(&sin)?)?;
    Ok(Tensor::cat(&[left, right], 3)?.reshape((b, s, d))?)
}

/// See [`super::quick_gelu`].
pub fn quick_gelu(x: &Tensor) -> Result<Tensor> {
    let logistic = ((x * -1.702)?.exp()? + 1.)?.recip()?;
    Ok((x * logistic)?)
}
