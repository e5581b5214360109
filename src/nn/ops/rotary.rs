//! Rotary positions (arXiv:2104.09864): a token's place is an angle by which its queries and keys are turned, so that their
//! product depends on how far apart two tokens stand.
//!
//! The values `i` and `i + w/2` of a head of width `w` are a point in a plane; at place `m` it is turned by `m · θ^(−2i/w)`.

use candle_core::Tensor;
use rayon::prelude::*;

use super::{graph, slices};
use crate::{Error, Result};

/// Places `(b, s)`, u32 → the angles' cosines and sines, `(b, s, w/2)` each, for heads of width `w`.
///
/// # Errors
/// When the width is odd or 0.
pub fn rotary_angles(places: &Tensor, width: usize, theta: f64) -> Result<(Tensor, Tensor)> {
    if width == 0 || !width.is_multiple_of(2) {
        return Err(Error::value("rotary positions, a head's width", "an even number", width));
    }
    let ((b, s), half) = (places.dims2()?, width / 2);
    // In f32, as transformers has it: the angles of far places are rounded the same way.
    let speed = |i: usize| theta.powf(-2. * i as f64 / width as f64) as f32;
    let speeds: Vec<f32> = (0..half).map(speed).collect();
    let rows = places.flatten_all()?.to_vec1::<u32>()?;
    let angles: Vec<f32> =
        rows.iter().flat_map(|m| speeds.iter().map(move |speed| *m as f32 * speed)).collect();
    let tensor = |f: fn(f32) -> f32| {
        Tensor::from_vec(angles.iter().map(|a| f(*a)).collect(), (b, s, half), places.device())
    };
    Ok((tensor(f32::cos)?, tensor(f32::sin)?))
}

/// `(b, s, heads · w)`, cosines and sines `(b, s, w/2)` → the same, every head turned. The angles have no gradient.
pub fn rotary(x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
    let ((b, s, d), (b2, s2, half)) = (x.dims3()?, cos.dims3()?);
    if (b, s) != (b2, s2) || half == 0 || d % (2 * half) != 0 || sin.shape() != cos.shape() {
        let expected = format!("({b2}, {s2}, a multiple of {})", 2 * half);
        return Err(Error::shape("rotary positions", expected, x.shape()));
    }
    if !super::ours(x) {
        return super::fallback::rotary(x, cos, sin);
    }
    let (x, cos, sin) = (x.contiguous()?, cos.detach(), sin.detach());
    let turned = move |values: &mut [f32], back: f32| {
        slices::with(&cos, |cos| {
            slices::with(&sin, |sin| {
                turn(values, cos, sin, d, half, back);
                Ok(())
            })
        })
    };
    let mut y = slices::with(&x, |x| Ok(x.to_vec()))?;
    turned(&mut y, 1.)?;
    // A turn's transpose is the turn back.
    let backward = move |mut grad: Vec<f32>, _: [bool; 1]| {
        turned(&mut grad, -1.)?;
        Ok([Some(grad)])
    };
    Ok(graph::record([&x], x.shape(), y, backward)?)
}

const ROWS: usize = 16;

fn turn(values: &mut [f32], cos: &[f32], sin: &[f32], d: usize, half: usize, back: f32) {
    let angles = cos.par_chunks(ROWS * half).zip(sin.par_chunks(ROWS * half));
    values.par_chunks_mut(ROWS * d).zip(angles).for_each(|(values, (cos, sin))| {
        slices::vectorised(
            #[inline(always)]
            || {
                let angles = cos.chunks_exact(half).zip(sin.chunks_exact(half));
                for (row, (cos, sin)) in values.chunks_exact_mut(d).zip(angles) {
                    for head in row.chunks_exact_mut(2 * half) {
                        let (first, second) = head.split_at_mut(half);
                        let points = first.iter_mut().zip(second);
                        for ((x, y), (cos, sin)) in points.zip(cos.iter().zip(sin)) {
                            let sin = back * sin;
                            (*x, *y) = (*x * cos - *y * sin, *y * cos + *x * sin);
                        }
                    }
                }
            },
        );
    });
}
