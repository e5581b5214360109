//! Scaled dot-product attention (arXiv:1706.03762, section 3.2) over several heads, as one operation. Keys and values may have
//! fewer heads than queries: then as many heads of queries share one of theirs (grouped queries, arXiv:2305.13245).

use candle_core::{Result as CandleResult, Shape, Tensor};
use rayon::prelude::*;

use super::dropout::Drops;
use super::graph;
use super::matrix::{Matrix, Output, product};
use super::slices::{self, Shared};
use crate::Result;

/// What is added to the scores of padding: far below every score.
const MASKED: f32 = -1e9;

/// queries `(b, s, d)`, keys and values `(b, t, d)`, mask `(b, t)` with 1 = token → `(b, s, d)`.
///
/// Each of `heads` heads looks with its own `d/heads` values of every vector: `softmax(q kᵀ / √(d/heads)) v`. The weights
/// fall away as `drops` says, at the place of theirs in `(b, heads, s, t)`. The mask has no gradient.
pub fn attention(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    mask: &Tensor,
    heads: usize,
    drops: Option<Drops>,
) -> Result<Tensor> {
    if !super::ours(queries) {
        return super::fallback::attention(queries, keys, values, mask, heads, drops);
    }
    apply(queries, keys, values, mask, heads, drops, false)
}

/// [`attention`] of texts that are read from left to right: a query sees the keys up to its own place.
///
/// queries `(b, s, d)` are those of the last `s` of `t` places; keys and values `(b, t, d)`, or narrower by a divisor of
/// `heads`; mask `(b, t)` → `(b, s, d)`.
pub fn causal_attention(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    mask: &Tensor,
    heads: usize,
    drops: Option<Drops>,
) -> Result<Tensor> {
    if !super::ours(queries) {
        return super::fallback::causal_attention(queries, keys, values, mask, heads, drops);
    }
    apply(queries, keys, values, mask, heads, drops, true)
}

fn apply(
    queries: &Tensor,
    keys: &Tensor,
    values: &Tensor,
    mask: &Tensor,
    heads: usize,
    drops: Option<Drops>,
    causal: bool,
) -> Result<Tensor> {
    let mask = mask.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
    let bias = mask.iter().map(|m| (1. - m) * MASKED).collect();
    let op = Attention { bias, heads, drops, causal };
    let mut plan = Plan::new(&op, queries.shape(), keys.shape(), values.shape())?;
    let q = queries.contiguous()?;
    let (k, v) = match (text_stride(keys), text_stride(values)) {
        (Some(stride), Some(other)) if stride == other => {
            plan.text_stride = stride;
            (keys.clone(), values.clone())
        }
        _ => (keys.contiguous()?, values.contiguous()?),
    };
    let y = slices::with(&q, |q| {
        slices::from_first(&k, |k| slices::from_first(&v, |v| Ok(op.forward(plan, q, k, v))))
    })?;
    let kept = (q.detach(), k.detach(), v.detach());
    let backward = move |grad: Vec<f32>, wanted: [bool; 3]| {
        let grads = slices::with(&kept.0, |q| {
            slices::from_first(&kept.1, |k| {
                slices::from_first(&kept.2, |v| Ok(op.backward(plan, q, k, v, &grad)))
            })
        })?;
        let mut wanted = wanted.into_iter();
        Ok(grads.map(|grad| wanted.next().unwrap_or_default().then_some(grad)))
    };
    Ok(graph::record([&q, &k, &v], q.shape(), y, backward)?)
}

/// From one text's keys to the next one's, where each text's are without a gap: between texts a cache keeps room for more.
fn text_stride(keys: &Tensor) -> Option<usize> {
    match (keys.dims(), keys.stride()) {
        ([_, _, d], [text, place, 1]) if place == d => Some(*text),
        _ => None,
    }
}

struct Attention {
    /// `(b, t)`: added to a key's scores.
    bias: Vec<f32>,
    heads: usize,
    drops: Option<Drops>,
    /// Whether a query sees no key after its own place.
    causal: bool,
}

/// The sizes of one call.
#[derive(Clone, Copy)]
struct Plan {
    b: usize,
    s: usize,
    t: usize,
    d: usize,
    /// The length of a key, and of a value.
    key: usize,
    /// From one text's keys to the next one's, and so for values.
    text_stride: usize,
    heads: usize,
    /// Heads of queries that share a head of keys.
    group: usize,
    /// The values of one head.
    width: usize,
    scale: f32,
}

/// The values of one text: its queries, keys, values.
struct Text<'a> {
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
}

impl Plan {
    fn new(op: &Attention, q: &Shape, k: &Shape, v: &Shape) -> CandleResult<Self> {
        let ((b, s, d), (b2, t, key)) = (q.dims3()?, k.dims3()?);
        let heads = op.heads;
        let few = op.causal && s > t;
        let group = d.checked_div(key).unwrap_or(0);
        let fits = b == b2 && v == k && op.bias.len() == b * t && group * key == d && !few;
        if !fits || heads == 0 || !d.is_multiple_of(heads) || !heads.is_multiple_of(group) {
            candle_core::bail!(
                "attention: expected queries (b, s, d), keys and values (b, t, d), mask (b, t) and heads that divide d; got {q:?}, {k:?}, {v:?}, {} and {heads}",
                op.bias.len()
            );
        }
        let width = d / heads;
        let scale = 1. / (width as f32).sqrt();
        Ok(Self { b, s, t, d, key, text_stride: t * key, heads, group, width, scale })
    }

    /// One head's part of a text's queries, or of what has their shape.
    fn head<'a>(&self, rows: &'a [f32], head: usize) -> Matrix<'a> {
        Matrix::strided(&rows[head * self.width..], self.s, self.width, self.d)
    }

    /// The part of a text's keys or values that this head looks at.
    fn key_head<'a>(&self, rows: &'a [f32], head: usize) -> Matrix<'a> {
        Matrix::strided(&rows[head / self.group * self.width..], self.t, self.width, self.key)
    }

    /// Where one head's result goes.
    fn out<'a>(&self, rows: &'a mut [f32], head: usize) -> Output<'a> {
        Output { values: &mut rows[head * self.width..], stride: self.d, add: false }
    }

    /// Where the gradient of its keys or values goes: heads that share them add theirs.
    fn key_out<'a>(&self, rows: &'a mut [f32], head: usize) -> Output<'a> {
        let start = head / self.group * self.width;
        let add = !head.is_multiple_of(self.group);
        Output { values: &mut rows[start..], stride: self.key, add }
    }

    fn text<'a>(&self, i: usize, q: &'a [f32], k: &'a [f32], v: &'a [f32]) -> Text<'a> {
        let (queries, keys) = (self.s * self.d, self.t * self.key);
        Text {
            q: &q[i * queries..][..queries],
            k: &k[i * self.text_stride..][..keys],
            v: &v[i * self.text_stride..][..keys],
        }
    }
}

impl Attention {
    /// The weights `(s, t)` of one head, before anything falls away.
    fn weights(&self, plan: Plan, i: usize, head: usize, text: &Text, weights: &mut [f32]) {
        let (q, k) = (plan.head(text.q, head), plan.key_head(text.k, head));
        product(Output::new(weights, plan.t), q, k.t(), plan.scale, 1);
        let bias = &self.bias[i * plan.t..][..plan.t];
        slices::vectorised(
            #[inline(always)]
            || {
                for (place, row) in weights.chunks_exact_mut(plan.t).enumerate() {
                    let seen = if self.causal { plan.t - plan.s + place + 1 } else { plan.t };
                    let (row, future) = row.split_at_mut(seen);
                    for (w, b) in row.iter_mut().zip(bias) {
                        *w += b;
                    }
                    slices::softmax(row);
                    future.fill(0.);
                }
            },
        );
    }

    /// What one head's weights are multiplied with by dropout.
    fn factors(&self, plan: Plan, i: usize, head: usize) -> Option<impl Fn(usize) -> f32> {
        let first = (i * plan.heads + head) * plan.s * plan.t;
        self.drops.map(|drops| move |place| drops.factor(first + place))
    }

    fn forward(&self, plan: Plan, q: &[f32], k: &[f32], v: &[f32]) -> Vec<f32> {
        let size = plan.s * plan.d;
        let mut y = slices::unwritten(plan.b * size);
        y.par_chunks_mut(size.max(1)).enumerate().for_each_init(
            || vec![0f32; plan.s * plan.t],
            |weights, (i, y)| {
                let text = plan.text(i, q, k, v);
                if plan.s == 1 && self.drops.is_none() {
                    let bias = &self.bias[i * plan.t..][..plan.t];
                    return pulp::Arch::new().dispatch(OneQuery { plan, text, bias, weights, y });
                }
                for head in 0..plan.heads {
                    self.weights(plan, i, head, &text, weights);
                    if let Some(factor) = self.factors(plan, i, head) {
                        slices::vectorised(
                            #[inline(always)]
                            || {
                                weights.iter_mut().enumerate().for_each(|(j, w)| *w *= factor(j));
                            },
                        );
                    }
                    let weights = Matrix::new(weights, plan.s, plan.t);
                    product(plan.out(y, head), weights, plan.key_head(text.v, head), 1., 1);
                }
            },
        );
        y
    }

    /// With weights P, what is left of them D = P∘drops, and the gradient G of the result: `dV = Dᵀ G`,
    /// `dP = (G Vᵀ)∘drops`, `dS = P∘(dP − Σ dP∘P)` a row, `dQ = dS K · scale`, `dK = dSᵀ Q · scale`.
    fn backward(&self, plan: Plan, q: &[f32], k: &[f32], v: &[f32], g: &[f32]) -> [Vec<f32>; 3] {
        let (queries, keys) = (plan.s * plan.d, plan.t * plan.key);
        let mut grads = [plan.b * queries, plan.b * keys, plan.b * keys].map(slices::unwritten);
        let [dq, dk, dv] = &mut grads;
        let (dq, dk, dv) = (Shared::new(dq), Shared::new(dk), Shared::new(dv));
        (0..plan.b).into_par_iter().for_each_init(
            || [(); 3].map(|()| vec![0f32; plan.s * plan.t]),
            |[weights, left, ds], i| {
                let text = plan.text(i, q, k, v);
                let g = &g[i * queries..][..queries];
                // SAFETY: every text has the gradients of its own rows.
                let (dq, dk, dv) = unsafe {
                    (
                        dq.range(i * queries, queries),
                        dk.range(i * keys, keys),
                        dv.range(i * keys, keys),
                    )
                };
                for head in 0..plan.heads {
                    self.weights(plan, i, head, &text, weights);
                    let g = plan.head(g, head);
                    product(Output::new(ds, plan.t), g, plan.key_head(text.v, head).t(), 1., 1);
                    left.copy_from_slice(weights);
                    if let Some(factor) = self.factors(plan, i, head) {
                        slices::vectorised(
                            #[inline(always)]
                            || {
                                for (j, (left, ds)) in
                                    left.iter_mut().zip(ds.iter_mut()).enumerate()
                                {
                                    *left *= factor(j);
                                    *ds *= factor(j);
                                }
                            },
                        );
                    }
                    let left = Matrix::new(left, plan.s, plan.t);
                    product(plan.key_out(dv, head), left.t(), g, 1., 1);
                    let rows = ds.chunks_exact_mut(plan.t).zip(weights.chunks_exact(plan.t));
                    slices::vectorised(
                        #[inline(always)]
                        || {
                            for (ds, weights) in rows {
                                let mean = slices::dot(ds, weights);
                                for (ds, w) in ds.iter_mut().zip(weights) {
                                    *ds = w * (*ds - mean);
                                }
                            }
                        },
                    );
                    let ds = Matrix::new(ds, plan.s, plan.t);
                    let (q, k) = (plan.head(text.q, head), plan.key_head(text.k, head));
                    product(plan.out(dq, head), ds, k, plan.scale, 1);
                    product(plan.key_out(dk, head), ds.t(), q, plan.scale, 1);
                }
            },
        );
        grads
    }
}

/// One query of a text that sees all of its keys, as a model that writes asks a token at a time: a product of one row has
/// nothing to fill vectors with but a head's own values.
struct OneQuery<'a> {
    plan: Plan,
    text: Text<'a>,
    bias: &'a [f32],
    weights: &'a mut [f32],
    y: &'a mut [f32],
}

impl pulp::WithSimd for OneQuery<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) {
        let Self { plan, text, bias, weights, y } = self;
        let width = plan.width;
        for (head, (q, y)) in text.q.chunks_exact(width).zip(y.chunks_exact_mut(width)).enumerate()
        {
            let first = head / plan.group * width;
            let keys = text.k.chunks_exact(plan.key).map(|key| &key[first..][..width]);
            let (query, rest) = S::as_simd_f32s(q);
            for ((weight, bias), key) in weights.iter_mut().zip(bias).zip(keys) {
                let (key, key_rest) = S::as_simd_f32s(key);
                let mut sum = simd.splat_f32s(0.);
                for (q, k) in query.iter().zip(key) {
                    sum = simd.mul_add_e_f32s(*q, *k, sum);
                }
                let rest: f32 = rest.iter().zip(key_rest).map(|(q, k)| q * k).sum();
                *weight = (simd.reduce_sum_f32s(sum) + rest) * plan.scale + bias;
            }
            slices::softmax(weights);
            y.fill(0.);
            let values = text.v.chunks_exact(plan.key).map(|value| &value[first..][..width]);
            for (weight, value) in weights.iter().zip(values) {
                for (y, v) in y.iter_mut().zip(value) {
                    *y += weight * v;
                }
            }
        }
    }
}
