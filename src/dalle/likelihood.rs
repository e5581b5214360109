//! The logit-Laplace distribution of a pixel (appendix A.3): values that lie between 0 and 1, as a picture's do.
//!
//! ```text
//! φ(x) = (1 − 2ε) x + ε                                          away from 0 and 1, where the density has no end
//! −ln f(φ | μ, ln b) = ln(2b) + ln φ(1 − φ) + |logit φ − μ| / b
//! ```

use candle_core::Tensor;

use crate::{Error, Result};

/// The paper's ε.
const EPSILON: f64 = 0.1;

/// φ: values from 0 to 1 → ε to 1 − ε, `(…)` → the same.
///
/// # Errors
/// When the device fails.
pub fn to_unit(images: &Tensor) -> Result<Tensor> {
    Ok(images.affine(1. - 2. * EPSILON, EPSILON)?)
}

/// The way back from μ: the picture `(φ⁻¹(sigmoid μ))`, cut off at 0 and 1. `(…)` → the same.
///
/// # Errors
/// When the device fails.
pub fn from_unit(mu: &Tensor) -> Result<Tensor> {
    let phi = candle_nn::ops::sigmoid(mu)?;
    let scale = 1. / (1. - 2. * EPSILON);
    Ok(phi.affine(scale, -EPSILON * scale)?.clamp(0., 1.)?)
}

/// Each value's −ln f: φ, μ and ln b, all `(…)` of one shape → the same.
///
/// # Errors
/// When the shapes differ.
pub fn logit_laplace(phi: &Tensor, mu: &Tensor, ln_b: &Tensor) -> Result<Tensor> {
    if phi.shape() != mu.shape() || phi.shape() != ln_b.shape() {
        let expected = format!("μ and ln b like the pictures, {:?}", phi.dims());
        return Err(Error::shape("logit_laplace", expected, mu.shape()));
    }
    let ln_phi = phi.log()?;
    let ln_rest = phi.affine(-1., 1.)?.log()?;
    let away = ((&ln_phi - &ln_rest)? - mu)?.abs()?;
    let scaled = (away * ln_b.neg()?.exp()?)?;
    let level = ((ln_phi + ln_rest)? + std::f64::consts::LN_2)?;
    Ok(((scaled + ln_b)? + level)?)
}
