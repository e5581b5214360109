//! The Fréchet distance between two sets of pictures, each taken for a normal distribution of features
//! (arXiv:1706.08500, section 3; "FID" where the features are Inception's, which ours are not).

use candle_core::{DType, Tensor};

use super::symmetric::{eigen, product, root};
use crate::{Error, Result};

/// Mean and covariance of features.
#[derive(Clone, Debug)]
pub struct Moments {
    mean: Vec<f64>,
    covariance: Vec<f64>,
}

impl Moments {
    /// Of features `(n, d)`, at least two of them; the covariance divides by `n − 1`, as `numpy.cov`.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn of(features: &Tensor) -> Result<Self> {
        let (n, d) = features.dims2()?;
        if n < 2 {
            return Err(Error::value("Moments::of, features", "at least two rows", n));
        }
        let rows = features.to_dtype(DType::F64)?.to_vec2::<f64>()?;
        let mean: Vec<f64> =
            (0..d).map(|j| rows.iter().map(|row| row[j]).sum::<f64>() / n as f64).collect();
        let mut covariance = vec![0.; d * d];
        for row in &rows {
            let centred: Vec<f64> = row.iter().zip(&mean).map(|(x, m)| x - m).collect();
            for (i, x) in centred.iter().enumerate() {
                for (sum, y) in covariance[i * d..(i + 1) * d].iter_mut().zip(&centred) {
                    *sum += x * y / (n - 1) as f64;
                }
            }
        }
        Ok(Self { mean, covariance })
    }

    fn trace(&self) -> f64 {
        let d = self.mean.len();
        (0..d).map(|i| self.covariance[i * d + i]).sum()
    }
}

/// `|μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½)`: 0 between equal distributions. Few pictures make it larger: compare it only with
/// a distance between as many.
///
/// # Errors
/// When the features have different lengths.
pub fn frechet_distance(a: &Moments, b: &Moments) -> Result<f64> {
    let d = a.mean.len();
    if b.mean.len() != d {
        return Err(Error::value(
            "frechet_distance",
            format!("features of length {d}"),
            b.mean.len(),
        ));
    }
    let means: f64 = a.mean.iter().zip(&b.mean).map(|(x, y)| (x - y).powi(2)).sum();
    // (Σ₁Σ₂)^½ has the trace of (Σ₁^½ Σ₂ Σ₁^½)^½, which is symmetric.
    let r = root(a.covariance.clone(), d);
    let inside = product(&product(&r, &b.covariance, d), &r, d);
    let (values, _) = eigen(inside, d);
    let roots: f64 = values.iter().map(|v| v.max(0.).sqrt()).sum();
    Ok(means + a.trace() + b.trace() - 2. * roots)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn moments(rows: &[[f32; 2]]) -> Moments {
        let values = Tensor::from_vec(rows.concat(), (rows.len(), 2), &Device::Cpu);
        Moments::of(&values.unwrap()).unwrap()
    }

    #[test]
    fn nothing_to_itself_and_the_square_of_a_shift() {
        let rows = [[0f32, 1.], [2., -1.], [1., 3.], [-2., 0.5]];
        let moved = rows.map(|[x, y]| [x + 3., y - 4.]);
        assert!(frechet_distance(&moments(&rows), &moments(&rows)).unwrap().abs() < 1e-9);
        // A shift by (3, −4) alone: 25. f32 holds these rows exactly.
        let far = frechet_distance(&moments(&rows), &moments(&moved)).unwrap();
        assert!((far - 25.).abs() < 1e-9, "{far}");
    }

    #[test]
    fn axes_of_other_lengths() {
        // Diagonal covariances: Σ (σ₁ − σ₂)². Deviations by n − 1 over these four points: √(2·1/3), √(2·4/3) against 3 times.
        let rows = [[1f32, 0.], [-1., 0.], [0., 2.], [0., -2.]];
        let wide = rows.map(|[x, y]| [3. * x, 3. * y]);
        let expected = 4. * (2. / 3. + 8. / 3.);
        let found = frechet_distance(&moments(&rows), &moments(&wide)).unwrap();
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        assert!(Moments::of(&Tensor::new(&[[1f32, 2.]], &Device::Cpu).unwrap()).is_err());
    }
}
