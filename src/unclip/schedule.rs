//! How fast noise comes: ᾱ_t, what is left of a picture's variance after t + 1 of T steps.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The two schedules of the papers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoiseKind {
    /// β from 1e-4 to 0.02 over 1,000 steps (DDPM, arXiv:2006.11239, section 4); as much noise in all with other numbers of
    /// steps.
    Linear,
    /// `ᾱ = cos²((t/T + 0.008) / 1.008 · π/2)`, β at most 0.999 (arXiv:2102.09672, section 3.2): DALL-E 2's choice for its
    /// prior and its decoder.
    Cosine,
}

/// `ᾱ_0 … ᾱ_{T−1}`.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseSchedule {
    alpha_bars: Vec<f64>,
}

impl NoiseSchedule {
    /// A schedule of `steps` steps.
    pub fn new(kind: NoiseKind, steps: usize) -> Self {
        let t = steps.max(1) as f64;
        let left = |s: f64| ((s + 0.008) / 1.008 * std::f64::consts::FRAC_PI_2).cos().powi(2);
        let beta = |i: usize| match kind {
            NoiseKind::Linear => {
                let (first, last) = (1e-4 * 1000. / t, 0.02 * 1000. / t);
                first + (last - first) * i as f64 / (t - 1.).max(1.)
            }
            NoiseKind::Cosine => 1. - left((i as f64 + 1.) / t) / left(i as f64 / t),
        };
        let mut product = 1.;
        let mut next = |i| {
            product *= 1. - beta(i).min(0.999);
            product
        };
        Self { alpha_bars: (0..steps).map(&mut next).collect() }
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.alpha_bars.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.alpha_bars.is_empty()
    }

    /// All of them.
    pub fn alpha_bars(&self) -> &[f64] {
        &self.alpha_bars
    }

    /// `ᾱ_t`; 1 where there is no step: a clean picture.
    pub fn alpha_bar(&self, t: Option<usize>) -> f64 {
        t.and_then(|t| self.alpha_bars.get(t).copied()).unwrap_or(1.)
    }

    /// `ᾱ` of a batch's steps, `(b)`.
    ///
    /// # Errors
    /// When a step is not below [`len`](Self::len).
    pub fn at(&self, steps: &[usize]) -> Result<Tensor> {
        let one = |t: &usize| {
            let found = self.alpha_bars.get(*t).map(|a| *a as f32);
            found.ok_or_else(|| {
                Error::value("a step of the schedule", format!("below {}", self.len()), t)
            })
        };
        let values = steps.iter().map(one).collect::<Result<Vec<f32>>>()?;
        Ok(Tensor::from_vec(values, steps.len(), &Device::Cpu)?)
    }

    /// `n` of the steps, the noisiest first, equally far apart and down to 0: where a drawing stops on its way.
    ///
    /// # Errors
    /// When `n` is 0 or there are fewer steps.
    pub fn stops(&self, n: usize) -> Result<Vec<usize>> {
        if n == 0 || n > self.len() {
            return Err(Error::value("steps of a drawing", format!("1 to {}", self.len()), n));
        }
        let stride = self.len() / n;
        Ok((0..n).rev().map(|i| i * stride).collect())
    }
}
