//! How the decoder and the priors learn: the same loop, three losses, and the average of the weights at the end.

use std::time::{Duration, Instant};

use candle_core::Tensor;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::caption::{CaptionBatch, embed_pictures};
use super::{ArPrior, Condition, Decoder, Guidance, Prior};
use crate::clip::ClipModel;
use crate::display::Interruptible;
use crate::nn::{AdamW, Cosine, Ema, ParamGroup, Params};
use crate::{Error, Result};

/// Pictures with captions and their CLIP embeddings, a row each: what everything here learns from.
#[derive(Clone, Debug)]
pub struct UnclipData {
    /// `(n, 3, s, s)`, values in ±1.
    pub pictures: Tensor,
    /// CLIP's image embeddings `(n, p)`, of length √p.
    pub embeddings: Tensor,
    /// The captions.
    pub captions: CaptionBatch,
}

impl UnclipData {
    /// Pictures `(n, 3, s, s)`, values from 0 to 1, with a caption each, through CLIP. `tokens` is the priors' number.
    ///
    /// # Errors
    /// When there are not as many captions as pictures; [`Error::Stopped`] by a notebook's stop button.
    pub fn new(
        clip: &ClipModel,
        pictures: &Tensor,
        captions: &[String],
        tokens: usize,
    ) -> Result<Self> {
        if pictures.dim(0)? != captions.len() {
            let expected = format!("{} captions, one a picture", pictures.dim(0)?);
            return Err(Error::value("UnclipData::new", expected, captions.len()));
        }
        Ok(Self {
            pictures: ((pictures * 2.)? - 1.)?,
            embeddings: embed_pictures(clip, pictures)?,
            captions: CaptionBatch::new(clip, captions, tokens)?,
        })
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.captions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.captions.is_empty()
    }

    /// Those at these places.
    ///
    /// # Errors
    /// When a place is not there.
    pub fn select(&self, places: &[u32]) -> Result<Self> {
        let index = Tensor::new(places, self.pictures.device())?;
        Ok(Self {
            pictures: self.pictures.index_select(&index, 0)?,
            embeddings: self.embeddings.index_select(&index, 0)?,
            captions: self.captions.select(places)?,
        })
    }
}

/// How long to train and how.
#[derive(Clone, Debug)]
pub struct UnclipTraining {
    /// The seed of batches, steps and noise.
    pub seed: u64,
    /// Examples in a step.
    pub batch_size: usize,
    /// The largest learning rate.
    pub lr: f64,
    /// Steps in all.
    pub steps: usize,
    /// Ends earlier after this time. The learning rate follows whichever of time and steps is further.
    pub budget: Option<Duration>,
    /// How slowly the average of the weights follows them.
    pub ema: f64,
}

impl Default for UnclipTraining {
    fn default() -> Self {
        Self { seed: 0, batch_size: 32, lr: 1e-3, steps: 3000, budget: None, ema: 0.995 }
    }
}

/// A step of a training, as it is told while it runs.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct UnclipStep {
    /// The step, from 1.
    pub step: usize,
    /// How much of the training is behind, 0 to 1.
    pub progress: f64,
    /// The step's loss.
    pub loss: f64,
    /// Seconds so far.
    pub seconds: f64,
}

/// Trains the decoder on pictures with their embeddings and captions; gives the losses. The weights are their moving average
/// afterwards.
///
/// # Errors
/// What the exercise reports; a loss that is not a number; [`Error::Stopped`].
pub fn train_decoder(
    decoder: &Decoder,
    examples: &UnclipData,
    guidance: &dyn Guidance,
    how: &UnclipTraining,
    watch: &mut dyn FnMut(&UnclipStep),
) -> Result<Vec<f64>> {
    train(decoder.params(), examples.len(), how, watch, &mut |places, rng| {
        let batch = examples.select(places)?;
        let by = Condition { image: batch.embeddings, caption: batch.captions.embedding };
        decoder.loss(&batch.pictures, &by, guidance, rng)
    })
}

/// Trains the diffusion prior on embeddings with their captions; gives the losses.
///
/// # Errors
/// As [`train_decoder`].
pub fn train_prior(
    prior: &Prior,
    examples: &UnclipData,
    guidance: &dyn Guidance,
    how: &UnclipTraining,
    watch: &mut dyn FnMut(&UnclipStep),
) -> Result<Vec<f64>> {
    train(prior.params(), examples.len(), how, watch, &mut |places, rng| {
        let captions = examples.captions.select(places)?;
        let index = Tensor::new(places, examples.embeddings.device())?;
        prior.loss(&examples.embeddings.index_select(&index, 0)?, &captions, guidance, rng)
    })
}

/// Trains the autoregressive prior; gives the losses, nats a code.
///
/// # Errors
/// As [`train_decoder`].
pub fn train_ar_prior(
    prior: &ArPrior,
    examples: &UnclipData,
    guidance: &dyn Guidance,
    how: &UnclipTraining,
    watch: &mut dyn FnMut(&UnclipStep),
) -> Result<Vec<f64>> {
    train(prior.params(), examples.len(), how, watch, &mut |places, rng| {
        let captions = examples.captions.select(places)?;
        let index = Tensor::new(places, examples.embeddings.device())?;
        prior.loss(&examples.embeddings.index_select(&index, 0)?, &captions, guidance, rng)
    })
}

fn train(
    params: &Params,
    examples: usize,
    how: &UnclipTraining,
    watch: &mut dyn FnMut(&UnclipStep),
    loss: &mut dyn FnMut(&[u32], &mut ChaCha8Rng) -> Result<Tensor>,
) -> Result<Vec<f64>> {
    if examples == 0 || how.batch_size == 0 {
        let got = format!("{examples} and {}", how.batch_size);
        return Err(Error::value("examples and batch_size", "at least one each", got));
    }
    let group = ParamGroup {
        name: "all".into(),
        params: params.trainable(),
        lr: how.lr,
        weight_decay: 0.01,
    };
    let mut optimizer = AdamW::new(vec![group]);
    let schedule = Cosine::new(&optimizer, how.steps, how.budget);
    let mut ema = Ema::new(params, how.ema)?;
    let mut rng = ChaCha8Rng::seed_from_u64(how.seed);
    let (start, mut losses) = (Instant::now(), Vec::new());
    let stop = Interruptible::new("the training");
    while schedule.set(&mut optimizer, losses.len()) {
        let step = losses.len() + 1;
        stop.check(|| format!("{} steps are done", step - 1))?;
        let places: Vec<u32> =
            (0..how.batch_size).map(|_| rng.random_range(0..examples as u32)).collect();
        let loss = loss(&places, &mut rng)?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        if !value.is_finite() {
            return Err(Error::value(format!("the loss of step {step}"), "a number", value));
        }
        optimizer.backward_step(&loss)?;
        ema.update()?;
        losses.push(value);
        let (progress, seconds) = (schedule.progress(step), start.elapsed().as_secs_f64());
        watch(&UnclipStep { step, progress, loss: value, seconds });
    }
    ema.apply()?;
    Ok(losses)
}
