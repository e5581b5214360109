//! Multinomial logistic regression, as scikit-learn's `LogisticRegression(C=…)` defines it.

use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;

use super::Lbfgs;
use crate::clip::Prediction;
use crate::display::Interruptible;
use crate::{Error, Result};

/// How a probe is fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProbeOptions {
    /// The inverse strength of regularisation: large is free, small is tame.
    pub c: f64,
    /// The minimiser. Its tolerance is for the gradient of the mean loss an example, as scikit-learn's `tol`.
    pub minimiser: Lbfgs,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        Self { c: 1., minimiser: Lbfgs::default() }
    }
}

/// A linear classifier over features.
#[derive(Clone, Debug)]
pub struct LinearProbe {
    /// `(c, d)`, f64.
    pub weight: Tensor,
    /// `(c)`, f64.
    pub bias: Tensor,
    /// Steps that the minimiser has taken.
    pub iterations: usize,
    /// Whether it has come to the minimum.
    pub converged: bool,
}

impl LinearProbe {
    /// Fits features `(n, d)` with a class each, below `classes`. `start` is another probe of the same sizes to begin
    /// from (the minimum is the same: the loss has only one).
    ///
    /// # Errors
    /// When the sizes do not fit, a label is out of range, or a feature is not finite; [`Error::Stopped`] by a
    /// notebook's stop button.
    pub fn fit(
        features: &Tensor,
        labels: &[usize],
        classes: usize,
        options: &ProbeOptions,
        start: Option<&LinearProbe>,
    ) -> Result<Self> {
        let (n, d) = match features.dims2() {
            Ok((n, d)) if n == labels.len() && n > 0 => (n, d),
            _ => {
                let expected = format!("({}, d), a row a label, of at least one", labels.len());
                return Err(Error::shape("LinearProbe, features", expected, features.shape()));
            }
        };
        if let Some(label) = labels.iter().find(|label| **label >= classes) {
            let expected = format!("classes below {classes}");
            return Err(Error::value("LinearProbe, labels", expected, label));
        }
        if !(options.c > 0. && options.c.is_finite()) {
            return Err(Error::value("LinearProbe, c", "more than 0", options.c));
        }
        let x = features.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.contiguous()?;
        if !x.abs()?.sum_all()?.to_scalar::<f64>()?.is_finite() {
            return Err(Error::value("LinearProbe, features", "finite numbers", "NaN or infinite"));
        }
        let problem = Problem { x_t: x.t()?, x, labels, classes, c: options.c };
        let from = match start {
            Some(probe) if probe.weight.dims() == [classes, d] => probe.flat()?,
            _ => vec![0.; classes * (d + 1)],
        };
        let stop = Interruptible::new("the fit of a probe");
        let found = options.minimiser.minimise(from, &mut |place, gradient| {
            stop.check(|| "nothing is kept of it".into())?;
            problem.loss(place, gradient, n, d)
        })?;
        let (weight, bias) = found.x.split_at(classes * d);
        Ok(Self {
            weight: Tensor::from_slice(weight, (classes, d), &Device::Cpu)?,
            bias: Tensor::from_slice(bias, classes, &Device::Cpu)?,
            iterations: found.iterations,
            converged: found.converged,
        })
    }

    fn flat(&self) -> Result<Vec<f64>> {
        let mut all = self.weight.flatten_all()?.to_vec1::<f64>()?;
        all.extend(self.bias.to_vec1::<f64>()?);
        Ok(all)
    }

    /// Features `(n, d)` → logits `(n, c)`, f64.
    ///
    /// # Errors
    /// When the features have another length.
    pub fn logits(&self, features: &Tensor) -> Result<Tensor> {
        let x = features.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.contiguous()?;
        Ok(x.matmul(&self.weight.t()?)?.broadcast_add(&self.bias)?)
    }

    /// Features `(n, d)` → all classes of each, the most probable first.
    ///
    /// # Errors
    /// As [`logits`](Self::logits).
    pub fn predict(&self, features: &Tensor) -> Result<Vec<Prediction>> {
        let rows = self.logits(features)?.to_vec2::<f64>()?;
        let softmax = |mut row: Vec<f64>| {
            let sum = softmax_in_place(&mut row);
            Prediction::new(row.into_iter().map(|e| (e / sum.0) as f32).collect())
        };
        Ok(rows.into_par_iter().map(softmax).collect())
    }
}

/// Exponentials of the differences to the largest; their sum, and the largest.
fn softmax_in_place(row: &mut [f64]) -> (f64, f64) {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter_mut().for_each(|v| *v = (*v - most).exp());
    (row.iter().sum(), most)
}

struct Problem<'a> {
    /// `(n, d)`
    x: Tensor,
    /// `(d, n)`
    x_t: Tensor,
    labels: &'a [usize],
    classes: usize,
    c: f64,
}

impl Problem<'_> {
    /// The mean loss with its share of the penalty, `(Σ loss + |W|² / 2C) / n`, which has the same minimum as
    /// scikit-learn's `C Σ loss + |W|² / 2`; and its gradient.
    fn loss(&self, place: &[f64], gradient: &mut [f64], n: usize, d: usize) -> Result<f64> {
        let classes = self.classes;
        let (weight, bias) = place.split_at(classes * d);
        let w = Tensor::from_slice(weight, (classes, d), &Device::Cpu)?;
        let mut p = self.x.matmul(&w.t()?)?.flatten_all()?.to_vec1::<f64>()?;
        let losses: Vec<f64> = p
            .par_chunks_mut(classes)
            .zip(self.labels)
            .map(|(row, label)| {
                row.iter_mut().zip(bias).for_each(|(v, b)| *v += b);
                let own = row[*label];
                let (sum, most) = softmax_in_place(row);
                row.iter_mut().for_each(|e| *e /= sum);
                row[*label] -= 1.;
                sum.ln() + most - own
            })
            .collect();
        let scale = 1. / n as f64;
        let penalty = scale / self.c;
        let (of_weight, of_bias) = gradient.split_at_mut(classes * d);
        of_bias.fill(0.);
        for row in p.chunks_exact(classes) {
            of_bias.iter_mut().zip(row).for_each(|(g, v)| *g += v * scale);
        }
        let p = Tensor::from_vec(p, (n, classes), &Device::Cpu)?;
        let product = self.x_t.matmul(&p)?.t()?.flatten_all()?.to_vec1::<f64>()?;
        for ((g, product), w) in of_weight.iter_mut().zip(product).zip(weight) {
            *g = product * scale + w * penalty;
        }
        let squares: f64 = weight.iter().map(|w| w * w).sum();
        Ok(losses.iter().sum::<f64>() * scale + 0.5 * penalty * squares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points() -> (Tensor, Vec<usize>) {
        let rows: Vec<Vec<f32>> = (0..30)
            .map(|i| vec![(i % 3) as f32 + 0.1 * (i as f32).sin(), (i / 3) as f32 * 0.1])
            .collect();
        (Tensor::new(rows, &Device::Cpu).unwrap(), (0..30).map(|i| i % 3).collect())
    }

    #[test]
    fn the_gradient_is_that_of_differences() {
        let (x, labels) = points();
        let x = x.to_dtype(DType::F64).unwrap();
        let problem = Problem { x_t: x.t().unwrap(), x, labels: &labels, classes: 3, c: 0.7 };
        let place: Vec<f64> = (0..9).map(|i| (i as f64 * 0.8).sin()).collect();
        let mut gradient = vec![0.; 9];
        problem.loss(&place, &mut gradient, 30, 2).unwrap();
        for i in 0..9 {
            let at = |by: f64| {
                let mut moved = place.clone();
                moved[i] += by;
                problem.loss(&moved, &mut [0.; 9], 30, 2).unwrap()
            };
            let slope = (at(1e-6) - at(-1e-6)) / 2e-6;
            // Central differences in f64: an error of about 1e-10 here.
            assert!((slope - gradient[i]).abs() < 1e-8, "{i}: {slope} {}", gradient[i]);
        }
    }

    #[test]
    fn regularisation_shrinks_and_bad_input_is_named() {
        let (x, labels) = points();
        let fit = |c: f64| {
            LinearProbe::fit(&x, &labels, 3, &ProbeOptions { c, ..Default::default() }, None)
                .unwrap()
        };
        let size = |p: &LinearProbe| {
            p.weight.sqr().unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap()
        };
        let (free, tame) = (fit(100.), fit(0.01));
        assert!(size(&free) > 10. * size(&tame));
        let right =
            free.predict(&x).unwrap().iter().zip(&labels).filter(|(p, l)| p.class() == **l).count();
        assert_eq!(right, 30);
        let again = ProbeOptions { c: 100., ..Default::default() };
        let again = LinearProbe::fit(&x, &labels, 3, &again, Some(&free)).unwrap();
        assert_eq!(again.iterations, 0);
        let options = ProbeOptions::default();
        assert!(LinearProbe::fit(&x, &labels[..9], 3, &options, None).is_err());
        assert!(LinearProbe::fit(&x, &labels, 2, &options, None).is_err());
        let bad = (&x * f64::NAN).unwrap();
        assert!(LinearProbe::fit(&bad, &labels, 3, &options, None).is_err());
    }
}
