//! What an embedding can do that a caption cannot: variations of a picture, one picture on its way to another, and a
//! picture changed by a change of words (arXiv:2204.06125, section 3).

use candle_core::Tensor;

use super::caption::scaled;
use crate::Result;

/// Rows of `a` turned towards the rows of `b`, both `(b, p)`: `θ` 0 is `a`, 1 is `b`, and between them on the great circle:
///
/// `slerp(a, b, θ) = (sin((1 − θ) ω) a + sin(θ ω) b) / sin ω`, ω the angle between them.
///
/// # Errors
/// When the shapes differ.
pub fn slerp(a: &Tensor, b: &Tensor, theta: f64) -> Result<Tensor> {
    let flat = |t: &Tensor| t.flatten_from(1);
    let (fa, fb) = (flat(a)?, flat(b)?);
    let lengths = (fa.sqr()?.sum_keepdim(1)? * fb.sqr()?.sum_keepdim(1)?)?.sqrt()?;
    let cosines = ((&fa * &fb)?.sum_keepdim(1)? / lengths)?.flatten_all()?.to_vec1::<f32>()?;
    let weights = |side: fn(f64, f64) -> f64| {
        let weight = |cosine: &f32| {
            let omega = f64::from(cosine.clamp(-1., 1.)).acos();
            let sine = omega.sin();
            // Nearly the same direction: the straight line is the circle.
            (if sine < 1e-4 { side(theta, 0.) } else { side(theta * omega, omega) / sine }) as f32
        };
        Tensor::from_vec(
            cosines.iter().map(weight).collect::<Vec<_>>(),
            (cosines.len(), 1),
            a.device(),
        )
    };
    let of_a = weights(|at, all| if all == 0. { 1. - at } else { (all - at).sin() })?;
    let of_b = weights(|at, all| if all == 0. { at } else { at.sin() })?;
    Ok((fa.broadcast_mul(&of_a)? + fb.broadcast_mul(&of_b)?)?.reshape(a.shape())?)
}

/// What words change: the embedding of the new text minus that of the old one, `(b, p)` each → `(b, p)`, of length √p.
/// `slerp` an image embedding towards it by θ 0.25 to 0.5 (section 3.3).
///
/// # Errors
/// When the shapes differ.
pub fn text_difference(new: &Tensor, old: &Tensor) -> Result<Tensor> {
    scaled(&(scaled(new)? - scaled(old)?)?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn halfway_between_two_axes() {
        let a = Tensor::new(&[[2f32, 0.], [1., 0.], [3., 4.]], &Device::Cpu).unwrap();
        let b = Tensor::new(&[[0f32, 2.], [-0.6, 0.8], [3., 4.]], &Device::Cpu).unwrap();
        let half = slerp(&a, &b, 0.5).unwrap().to_vec2::<f32>().unwrap();
        let root = std::f32::consts::SQRT_2;
        // √2 (1, 1); the bisector of 126.9°, (1, 2)/√5; the same vector.
        for (got, expected) in half.iter().zip([[root, root], [0.447_213_6, 0.894_427_2], [3., 4.]])
        {
            for (g, e) in got.iter().zip(expected) {
                assert!((g - e).abs() < 1e-5, "{half:?}");
            }
        }
        let ends = [slerp(&a, &b, 0.).unwrap(), slerp(&a, &b, 1.).unwrap()];
        for (end, expected) in ends.iter().zip([&a, &b]) {
            let off =
                (end - expected).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap();
            assert!(off.to_scalar::<f32>().unwrap() < 1e-5);
        }
    }
}
