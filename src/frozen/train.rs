//! Training on captions, with the lines that the slide's `metric_logger` prints.

use std::fmt;
use std::time::{Duration, Instant};

use candle_core::Tensor;

use super::Frozen;
use super::features::Features;
use crate::dataset::Loader;
use crate::display::Interruptible;
use crate::language_model::{Likelihood, likelihood_of};
use crate::nn::{AdamW, Mode, warm_cosine};
use crate::{Error, Result};

/// What a training has done so far.
#[derive(Clone, Debug, Default)]
pub struct FrozenLog {
    /// Epochs that are planned.
    pub epochs: usize,
    /// Every step's loss.
    pub step_losses: Vec<f64>,
    /// Every epoch's mean training loss, nats a token.
    pub train_losses: Vec<f64>,
    /// How likely the validation captions were after every epoch.
    pub valid: Vec<Likelihood>,
    /// Seconds of training.
    pub seconds: f64,
    budget: Option<f64>,
    peak: Vec<f64>,
    features: Features,
}

impl FrozenLog {
    /// For a training of `epochs` epochs.
    pub fn new(epochs: usize) -> Self {
        Self { epochs, ..Self::default() }
    }

    /// Ends the training after this time. The learning rates' cosine reckons with it.
    pub fn budget(self, budget: Duration) -> Self {
        Self { budget: Some(budget.as_secs_f64()), ..self }
    }

    /// Whether the planned epochs or the time are over.
    pub fn is_over(&self) -> bool {
        self.train_losses.len() >= self.epochs || self.budget.is_some_and(|b| self.seconds >= b)
    }

    fn set_lr(&mut self, optimizer: &mut AdamW, steps_per_epoch: usize) {
        if self.peak.is_empty() {
            self.peak = optimizer.groups().iter().map(|g| g.lr).collect();
        }
        let planned = (self.epochs * steps_per_epoch).max(1) as f64;
        let by_time = self.budget.map_or(0., |b| self.seconds / b);
        let factor = warm_cosine((self.step_losses.len() as f64 / planned).max(by_time));
        for (group, peak) in optimizer.groups_mut().iter_mut().zip(&self.peak) {
            group.lr = peak * factor;
        }
    }
}

/// One step, as a line: `Epoch: [0]  [ 50/312]  eta: 0:01:02  lr: 0.001000  loss: 2.3100 (2.8000)  time: 0.2000`.
#[derive(Clone, Copy, Debug)]
pub struct FrozenStep {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The step in it, from 1.
    pub step: usize,
    /// Steps in an epoch.
    pub steps: usize,
    /// The learning rate of `vision_proj_m`.
    pub lr: f64,
    /// The step's loss, nats a token.
    pub loss: f64,
    /// The mean loss of the epoch so far.
    pub avg: f64,
    /// Seconds a step.
    pub time: f64,
}

impl fmt::Display for FrozenStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, step, steps, lr, loss, avg, time } = self;
        let eta = ((steps - step) as f64 * time).round() as u64;
        let (hours, minutes, seconds) = (eta / 3600, eta / 60 % 60, eta % 60);
        let wide = steps.to_string().len();
        write!(
            f,
            "Epoch: [{epoch}]  [{step:wide$}/{steps}]  eta: {hours}:{minutes:02}:{seconds:02}  lr: {lr:.6}  loss: {loss:.4} ({avg:.4})  time: {time:.4}"
        )
    }
}

impl Frozen {
    /// How likely each caption is, given its picture: `b` captions, pictures `(b, 3, s, s)`.
    ///
    /// # Errors
    /// When the numbers differ, or a caption is longer than the language model reads.
    pub fn caption_likelihoods(
        &self,
        captions: &[String],
        pictures: &Tensor,
    ) -> Result<Vec<Likelihood>> {
        let prefix = self.visual_prefix(pictures, Mode::Eval)?;
        self.likelihoods_behind(captions, &prefix)
    }

    /// As [`caption_likelihoods`](Self::caption_likelihoods), given the pictures' prefix `(b, n, d)`.
    fn likelihoods_behind(&self, captions: &[String], prefix: &Tensor) -> Result<Vec<Likelihood>> {
        let (ids, mask) = self.caption_ids(captions)?;
        let prefix = prefix.detach();
        let input = self.in_place(&ids, &mask, &prefix)?;
        let words = ids.ne(self.image_token_id())?.to_dtype(mask.dtype())?;
        let mut found = likelihood_of(self.language_model(), &input, &ids, &(mask * words)?)?;
        for (found, caption) in found.iter_mut().zip(captions) {
            found.words = caption.split_whitespace().count();
        }
        Ok(found)
    }
}

/// One pass over pictures and captions; gives the mean loss. Ends early when `log`'s time is over. In the first
/// `projection_epochs` epochs the vision encoder stays as it is.
///
/// # Errors
/// What the loader, the model or the exercises report; a loss that is not a number; [`Error::Stopped`].
pub fn train_frozen_epoch(
    model: &Frozen,
    loader: &Loader,
    optimizer: &mut AdamW,
    log: &mut FrozenLog,
    watch: &mut dyn FnMut(FrozenStep),
) -> Result<f64> {
    let base = &model.config().base;
    let unchanged =
        !base.image_trainable || log.train_losses.len() < model.config().projection_epochs;
    let vision = model.params().pp("vision_encoder");
    vision.set_trainable(!unchanged);
    let mean = steps(model, loader, optimizer, log, unchanged, watch);
    vision.set_trainable(base.image_trainable);
    log.train_losses.push(mean?);
    Ok(log.train_losses[log.train_losses.len() - 1])
}

/// The steps of one epoch; `unchanged`: the vision encoder does not train in it, and has not before.
fn steps(
    model: &Frozen,
    loader: &Loader,
    optimizer: &mut AdamW,
    log: &mut FrozenLog,
    unchanged: bool,
    watch: &mut dyn FnMut(FrozenStep),
) -> Result<f64> {
    let epoch = log.train_losses.len();
    let batches = loader.epoch(epoch);
    let steps = batches.steps();
    let (before, start) = (log.seconds, Instant::now());
    let (mut sum, mut done) = (0., 0);
    let stop = Interruptible::new("the training");
    for batch in batches {
        stop.check(|| format!("epoch {}: {done} of {steps} steps are done", epoch + 1))?;
        let batch = batch?;
        let seed = model.config().base.seed ^ ((epoch as u64) << 32) ^ done as u64;
        let (ids, mask) = model.training_ids(&batch.captions, seed)?;
        log.set_lr(optimizer, steps);
        let prefix = log.features.prefix(model, &batch, unchanged, Mode::Train)?;
        let loss = model.loss_of_prefix(&ids, &mask, &prefix, Mode::Train)?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        if !value.is_finite() {
            let what = format!("the training loss of epoch {}, step {}", epoch + 1, done + 1);
            return Err(Error::value(what, "a number", value));
        }
        optimizer.backward_step(&loss)?;
        (sum, done) = (sum + value, done + 1);
        log.step_losses.push(value);
        let spent = start.elapsed().as_secs_f64();
        log.seconds = before + spent;
        let lr = optimizer.groups().iter().find(|g| g.name == "vision_proj_m").map_or(0., |g| g.lr);
        let (avg, time) = (sum / done as f64, spent / done as f64);
        watch(FrozenStep { epoch: epoch + 1, step: done, steps, lr, loss: value, avg, time });
        if log.budget.is_some_and(|b| log.seconds >= b) {
            break;
        }
    }
    Ok(sum / done.max(1) as f64)
}

/// How likely the captions are, given their pictures: perplexity is `per_token()`.
///
/// # Errors
/// What the loader or the model reports; [`Error::Stopped`].
pub fn valid_frozen_epoch(
    model: &Frozen,
    loader: &Loader,
    log: &mut FrozenLog,
) -> Result<Likelihood> {
    let unchanged = !model.config().base.image_trainable
        || log.train_losses.len() <= model.config().projection_epochs;
    let mut found = Likelihood::default();
    let stop = Interruptible::new("the validation");
    for batch in loader.epoch(0) {
        stop.check(|| format!("{} tokens are looked at", found.tokens))?;
        let batch = batch?;
        let prefix = log.features.prefix(model, &batch, unchanged, Mode::Eval)?;
        let each = model.likelihoods_behind(&batch.captions, &prefix)?;
        found = each.into_iter().fold(found, Likelihood::and);
    }
    log.valid.push(found);
    Ok(found)
}
