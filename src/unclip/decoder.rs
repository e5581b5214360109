//! The decoder: a diffusion model that inverts CLIP's image encoder (arXiv:2204.06125, section 2.1).
//!
//! ```text
//! e = MLP(step) + W_i z_i + W_t z_t          what the U-Net's blocks hear of
//! m = W_m z_i                                a map at the U-Net's bottom: what is where
//! x̂₀ = UNet(x_t, e, m),   loss = mean (x̂₀ − x₀)²
//! ```
//!
//! The paper adds the projected image embedding to the step's embedding, and shows the caption's tokens to attention layers.
//! This small one has no attention: the caption comes as its CLIP embedding `z_t`, added in the same way. And it predicts x₀
//! where the paper's predicts ε: in some hundred steps that comes to nothing ([`Predicts`](super::Predicts) has all three).

use candle_core::Tensor;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::diffusion::{gaussian, timestep_embedding};
use super::unet::{UNet, bottom};
use super::{DecoderConfig, Diffusion, Guidance, Sampler};
use crate::nn::{Linear, Params, ops};
use crate::{Error, Result};

/// The length of a step's sines and cosines.
const SINES: usize = 64;

/// What to draw by: a row a picture.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Image embeddings `(b, p)`, of length √p; zeros: unknown.
    pub image: Tensor,
    /// The captions' text embeddings `(b, p)`, of length √p; zeros: unknown.
    pub caption: Tensor,
}

impl Condition {
    /// Only image embeddings.
    ///
    /// # Errors
    /// When a tensor cannot be made.
    pub fn image(image: &Tensor) -> Result<Self> {
        Ok(Self { image: image.clone(), caption: image.zeros_like()? })
    }

    fn unknown(&self) -> Result<Self> {
        Ok(Self { image: self.image.zeros_like()?, caption: self.caption.zeros_like()? })
    }

    fn beside(&self, other: &Self) -> Result<Self> {
        Ok(Self {
            image: Tensor::cat(&[&self.image, &other.image], 0)?,
            caption: Tensor::cat(&[&self.caption, &other.caption], 0)?,
        })
    }
}

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecoderDraw {
    /// Stops on the way from noise to picture.
    pub steps: usize,
    /// How a step goes.
    pub sampler: Sampler,
    /// The guidance scale: 1 is without guidance.
    pub scale: f64,
}

impl Default for DecoderDraw {
    fn default() -> Self {
        Self { steps: 25, sampler: Sampler::Ddim { eta: 0. }, scale: 2. }
    }
}

/// The decoder.
pub struct Decoder {
    config: DecoderConfig,
    diffusion: Diffusion,
    step1: Linear,
    step2: Linear,
    image: Linear,
    caption: Linear,
    map: Linear,
    unet: UNet,
    params: Params,
}

crate::display::shows_its_parameters!(Decoder);

impl Decoder {
    /// Takes its parameters from `params`.
    ///
    /// # Errors
    /// When the sizes do not fit.
    pub fn new(config: &DecoderConfig, params: &Params) -> Result<Self> {
        let DecoderConfig { size, channels, patch, width, embedding, .. } = config;
        let (last, side) = bottom(*size, channels, *patch)?;
        Ok(Self {
            config: config.clone(),
            diffusion: Diffusion::of_pictures(config.noise, config.steps, config.predicts),
            step1: Linear::new(SINES, *width, &params.pp("step.0"))?,
            step2: Linear::new(*width, *width, &params.pp("step.1"))?,
            image: Linear::new(*embedding, *width, &params.pp("image"))?,
            caption: Linear::new(*embedding, *width, &params.pp("caption"))?,
            map: Linear::new(*embedding, last * side * side, &params.pp("map"))?,
            unet: UNet::new(*size, channels, *patch, *width, &params.pp("unet"))?,
            params: params.clone(),
        })
    }

    /// The sizes.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// The noise and what is predicted.
    pub fn diffusion(&self) -> &Diffusion {
        &self.diffusion
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Noisy pictures `(b, 3, s, s)` in ±1, a step each, conditions → what the network says, `(b, 3, s, s)`: see
    /// [`Predicts`](super::Predicts).
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor, steps: &[usize], by: &Condition) -> Result<Tensor> {
        let s = self.config.size;
        if x.dims() != [steps.len(), 3, s, s] {
            let expected = format!("({}, 3, {s}, {s})", steps.len());
            return Err(Error::shape("decoder, pictures", expected, x.shape()));
        }
        let step = self.step1.forward(&timestep_embedding(steps, SINES)?)?;
        let step = self.step2.forward(&ops::silu(&step)?)?;
        let known = (self.image.forward(&by.image)? + self.caption.forward(&by.caption)?)?;
        let (last, side) = bottom(s, &self.config.channels, self.config.patch)?;
        let map = self.map.forward(&by.image)?.reshape((steps.len(), last, side, side))?;
        self.unet.forward(x, &(step + known)?, &map)
    }

    /// The loss of a batch: pictures `(b, 3, s, s)` in ±1 with their conditions. Steps, noise and what is dropped come from
    /// `rng`.
    ///
    /// # Errors
    /// What the exercise reports, or shapes that do not fit.
    pub fn loss(
        &self,
        pictures: &Tensor,
        by: &Condition,
        guidance: &dyn Guidance,
        rng: &mut ChaCha8Rng,
    ) -> Result<Tensor> {
        let b = pictures.dim(0)?;
        let steps = spread(rng, b, self.config.steps);
        let noise = gaussian(rng, pictures.dims())?;
        let image = keep(rng, b, self.config.drop_embedding)?;
        let caption = keep(rng, b, self.config.drop_caption)?;
        self.loss_at(pictures, by, &steps, &noise, (&image, &caption), guidance)
    }

    /// [`loss`](Self::loss) with everything that is random given: steps, noise, and which embeddings and captions are kept,
    /// `(b)` each.
    ///
    /// # Errors
    /// As [`loss`](Self::loss).
    pub fn loss_at(
        &self,
        pictures: &Tensor,
        by: &Condition,
        steps: &[usize],
        noise: &Tensor,
        (keep_image, keep_caption): (&Tensor, &Tensor),
        guidance: &dyn Guidance,
    ) -> Result<Tensor> {
        let x = guidance.noise(pictures, noise, &self.diffusion.schedule.at(steps)?)?;
        let kept = Condition {
            image: guidance.drop_condition(&by.image, keep_image)?,
            caption: guidance.drop_condition(&by.caption, keep_caption)?,
        };
        let predicted = self.forward(&x, steps, &kept)?;
        let target = self.diffusion.target(pictures, noise, steps)?;
        Ok((predicted - target)?.sqr()?.mean_all()?)
    }

    /// What the network says, guided: without guidance where `scale` is 1.
    ///
    /// # Errors
    /// What the exercise reports, or shapes that do not fit.
    pub fn predict(
        &self,
        x: &Tensor,
        t: usize,
        by: &Condition,
        guidance: &dyn Guidance,
        scale: f64,
    ) -> Result<Tensor> {
        let b = x.dim(0)?;
        if scale == 1. {
            return self.forward(x, &vec![t; b], by);
        }
        let twice = Tensor::cat(&[x, x], 0)?;
        let both = self.forward(&twice, &vec![t; 2 * b], &by.beside(&by.unknown()?)?)?.detach();
        guidance.guided(&both.narrow(0, 0, b)?, &both.narrow(0, b, b)?, scale)
    }

    /// Draws from the noise `(b, 3, s, s)` by conditions; `watch` gets every stop's number and what the picture looks like by
    /// then. Pixels are in ±1. Where the sampler needs noise, it comes from `seed`.
    ///
    /// # Errors
    /// What the exercise reports, or shapes that do not fit; [`Error::Stopped`] by a notebook's stop button.
    pub fn draw(
        &self,
        noise: &Tensor,
        by: &Condition,
        how: &DecoderDraw,
        seed: u64,
        guidance: &dyn Guidance,
        watch: &mut dyn FnMut(usize, &Tensor) -> Result<()>,
    ) -> Result<Tensor> {
        let predict = &mut |x: &Tensor, t| self.predict(x, t, by, guidance, how.scale);
        self.diffusion.sample(noise, how.steps, how.sampler, seed, predict, watch)
    }
}

/// A step for each of `b`, one in each of `b` equal parts of all steps: as random as independent ones, and a batch's loss
/// varies less.
pub(super) fn spread(rng: &mut ChaCha8Rng, b: usize, steps: usize) -> Vec<usize> {
    let one = |i: usize| (i as f64 + rng.random::<f64>()) / b as f64 * steps as f64;
    (0..b).map(one).map(|t| (t as usize).min(steps - 1)).collect()
}

/// `(b)`: 0 with probability `drop`, otherwise 1.
pub(super) fn keep(rng: &mut ChaCha8Rng, b: usize, drop: f64) -> Result<Tensor> {
    let values: Vec<f32> =
        (0..b).map(|_| if rng.random::<f64>() < drop { 0. } else { 1. }).collect();
    Ok(Tensor::from_vec(values, b, &candle_core::Device::Cpu)?)
}
