//! From noise to a picture or an embedding: the reverse process, a step at a time.
//!
//! ```text
//! x̂₀ = (x_t − √(1 − ᾱ_t) ε) / √ᾱ_t                                        what the network believes
//! DDPM  x_s ~ N(√ᾱ_s β/(1 − ᾱ_t) x̂₀ + √α (1 − ᾱ_s)/(1 − ᾱ_t) x_t,  (1 − ᾱ_s)/(1 − ᾱ_t) β)   α = ᾱ_t/ᾱ_s, β = 1 − α
//! DDIM  x_s = √ᾱ_s x̂₀ + √(1 − ᾱ_s − σ²) ε + σ z                           σ = η · DDPM's deviation
//! ```
//!
//! DDPM: arXiv:2006.11239, equations 6 and 7. DDIM: arXiv:2010.02502, equations 12 and 16.

use candle_core::{DType, Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{NoiseKind, NoiseSchedule};
use crate::display::Interruptible;
use crate::nn::normal;
use crate::{Error, Result};

/// What a network says about `x_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicts {
    /// The noise in it: DDPM's choice, and DALL-E 2's for its decoder.
    Noise,
    /// `v = √ᾱ ε − √(1 − ᾱ) x₀` (arXiv:2202.00512, section 4): the noise where there is little of it, the start where there is
    /// little else. A network that predicts noise has to repeat its input exactly where that is nearly all noise, and learns
    /// this late; this one does not.
    Velocity,
    /// What was there before the noise: DALL-E 2's prior ("we predict the unnoised z_i directly").
    Start,
}

/// How a step goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sampler {
    /// With new noise at each step.
    Ddpm,
    /// With `eta` times as much of it; 0: none, and the same start gives the same picture.
    Ddim {
        /// η, 0 to 1.
        eta: f64,
    },
}

/// A schedule, what the network predicts, and how far from 0 a start can be.
#[derive(Clone, Debug, PartialEq)]
pub struct Diffusion {
    /// ᾱ.
    pub schedule: NoiseSchedule,
    /// What the network says.
    pub predicts: Predicts,
    /// `x̂₀` is cut to ±this: pixels are in ±1.
    pub limit: Option<f64>,
}

/// A standard normal tensor from a seed's generator.
///
/// # Errors
/// When the tensor cannot be made.
pub fn gaussian(rng: &mut ChaCha8Rng, shape: &[usize]) -> Result<Tensor> {
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| normal(rng)).collect();
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// A tensor `(n, …)` of noise whose row i comes from `seed + i` alone: the same row whatever `n` is.
///
/// # Errors
/// When the tensor cannot be made.
pub fn gaussian_rows(seed: u64, n: usize, shape: &[usize]) -> Result<Tensor> {
    let row = |i| gaussian(&mut ChaCha8Rng::seed_from_u64(seed.wrapping_add(i as u64)), shape);
    Ok(Tensor::stack(&(0..n).map(row).collect::<Result<Vec<_>>>()?, 0)?)
}

impl Diffusion {
    /// For pixels in ±1.
    pub fn of_pictures(kind: NoiseKind, steps: usize, predicts: Predicts) -> Self {
        Self { schedule: NoiseSchedule::new(kind, steps), predicts, limit: Some(1.) }
    }

    /// For embeddings and a network that predicts them.
    pub fn of_embeddings(kind: NoiseKind, steps: usize) -> Self {
        let schedule = NoiseSchedule::new(kind, steps);
        Self { schedule, predicts: Predicts::Start, limit: None }
    }

    /// What the network should say of pictures or embeddings `x0 (b, …)` and the noise in them, at a step each.
    ///
    /// # Errors
    /// When a step is not one of the schedule's.
    pub fn target(&self, x0: &Tensor, noise: &Tensor, steps: &[usize]) -> Result<Tensor> {
        Ok(match self.predicts {
            Predicts::Noise => noise.clone(),
            Predicts::Start => x0.clone(),
            Predicts::Velocity => {
                let mut shape = vec![1; x0.rank()];
                shape[0] = steps.len();
                let left = self.schedule.at(steps)?.reshape(shape)?;
                let of_x0 = left.affine(-1., 1.)?.sqrt()?;
                (noise.broadcast_mul(&left.sqrt()?)? - x0.broadcast_mul(&of_x0)?)?
            }
        })
    }

    /// What the network believes of `x_t`, after what it predicted: the start `x̂₀`, and the noise that leads from it to `x_t`.
    ///
    /// # Errors
    /// When the shapes differ.
    pub fn believed(&self, x: &Tensor, predicted: &Tensor, t: usize) -> Result<(Tensor, Tensor)> {
        let left = self.schedule.alpha_bar(Some(t));
        let mut start = match self.predicts {
            Predicts::Start => predicted.clone(),
            Predicts::Noise => ((x - (predicted * (1. - left).sqrt())?)? / left.sqrt())?,
            Predicts::Velocity => ((x * left.sqrt())? - (predicted * (1. - left).sqrt())?)?,
        };
        if let Some(limit) = self.limit {
            start = start.clamp(-limit, limit)?;
        }
        let noise = ((x - (&start * left.sqrt())?)? / (1. - left).sqrt())?;
        Ok((start, noise))
    }

    /// From `x_t` to `x_s`, where `s` is the next stop; none: to the clean picture. `fresh` is standard normal noise of the
    /// same shape, which DDIM with η = 0 does not use.
    ///
    /// # Errors
    /// When the shapes differ.
    pub fn step(
        &self,
        x: &Tensor,
        predicted: &Tensor,
        (t, s): (usize, Option<usize>),
        sampler: Sampler,
        fresh: &Tensor,
    ) -> Result<Tensor> {
        let (left, next) = (self.schedule.alpha_bar(Some(t)), self.schedule.alpha_bar(s));
        let (start, noise) = self.believed(x, predicted, t)?;
        let beta = 1. - left / next;
        let deviation = ((1. - next) / (1. - left) * beta).max(0.).sqrt();
        let (mean, deviation) = match sampler {
            Sampler::Ddpm => {
                let of_start = next.sqrt() * beta / (1. - left);
                let of_x = (1. - beta).sqrt() * (1. - next) / (1. - left);
                (((start * of_start)? + (x * of_x)?)?, deviation)
            }
            Sampler::Ddim { eta } => {
                let deviation = eta * deviation;
                let direction = (1. - next - deviation * deviation).max(0.).sqrt();
                (((start * next.sqrt())? + (noise * direction)?)?, deviation)
            }
        };
        if s.is_none() || deviation == 0. {
            return Ok(mean);
        }
        Ok((mean + (fresh * deviation)?)?)
    }

    /// From noise `(b, …)` to what it becomes, in `steps` stops. `predict` gets `x_t` and `t`; `watch` gets the stop's
    /// number and `x̂₀`. Fresh noise of row i comes from `seed + i`.
    ///
    /// # Errors
    /// What `predict` or `watch` reports; [`Error::Stopped`] by a notebook's stop button.
    pub fn sample(
        &self,
        start: &Tensor,
        steps: usize,
        sampler: Sampler,
        seed: u64,
        predict: &mut dyn FnMut(&Tensor, usize) -> Result<Tensor>,
        watch: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let stops = self.schedule.stops(steps)?;
        let (n, shape) = (start.dim(0)?, &start.dims()[1..]);
        let stop = Interruptible::new("the drawing");
        let mut x = start.clone();
        for (i, &t) in stops.iter().enumerate() {
            stop.check(|| format!("{i} of {steps} steps are done"))?;
            let predicted = predict(&x, t)?.detach();
            watch(i, &self.believed(&x, &predicted, t)?.0)?;
            let fresh = match sampler {
                Sampler::Ddim { eta: 0. } => x.zeros_like()?,
                _ => gaussian_rows(seed ^ ((i as u64 + 1) << 32), n, shape)?,
            };
            x = self.step(&x, &predicted, (t, stops.get(i + 1).copied()), sampler, &fresh)?;
        }
        Ok(x)
    }

    /// The way back: the noise `(b, …)` from which DDIM with η = 0 comes to `clean` again, nearly (arXiv:2010.02502,
    /// section 4.3). What an embedding does not say of a picture is in it.
    ///
    /// # Errors
    /// As [`sample`](Self::sample).
    pub fn invert(
        &self,
        clean: &Tensor,
        steps: usize,
        predict: &mut dyn FnMut(&Tensor, usize) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let mut stops = self.schedule.stops(steps)?;
        stops.reverse();
        let unlimited = Self { limit: None, ..self.clone() };
        let stop = Interruptible::new("the way back to noise");
        let mut x = clean.clone();
        for (i, &t) in stops.iter().enumerate() {
            stop.check(|| format!("{i} of {steps} steps are done"))?;
            // What is predicted here is taken for what is predicted one stop further on.
            let predicted = predict(&x, t)?.detach();
            let (start, noise) = if i == 0 {
                (clean.clone(), unlimited.believed(&x, &predicted, t)?.1)
            } else {
                unlimited.believed(&x, &predicted, stops[i - 1])?
            };
            let left = self.schedule.alpha_bar(Some(t));
            let noise = if self.predicts == Predicts::Noise { predicted } else { noise };
            x = ((start * left.sqrt())? + (noise * (1. - left).sqrt())?)?;
        }
        Ok(x)
    }
}

/// Steps `(b)` as sines and cosines `(b, d)`: `[cos(t ω), sin(t ω)]`, ω from 1 to 1/10,000 (arXiv:1706.03762, section 3.5).
///
/// # Errors
/// When `d` is odd.
pub fn timestep_embedding(steps: &[usize], d: usize) -> Result<Tensor> {
    if d == 0 || !d.is_multiple_of(2) {
        return Err(Error::value("timestep_embedding, d", "an even number", d));
    }
    let half = d / 2;
    let mut values = Vec::with_capacity(steps.len() * d);
    for &t in steps {
        let angle = |i: usize| t as f64 * (-(10_000f64.ln()) * i as f64 / half as f64).exp();
        values.extend((0..half).map(|i| angle(i).cos() as f32));
        values.extend((0..half).map(|i| angle(i).sin() as f32));
    }
    Ok(Tensor::from_vec(values, (steps.len(), d), &Device::Cpu)?.to_dtype(DType::F32)?)
}
