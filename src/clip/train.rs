//! The training of the lecture's practice: `train_epoch`, `valid_epoch`, and all of it in one ([`fit`]).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::features::Features;
use super::{ClipModel, KeepBest};
use crate::checkpoint::{StateDict, load_pt};
use crate::config::Schedule;
use crate::dataset::Loader;
use crate::display::Interruptible;
use crate::nn::{AdamW, Mode, ReduceLrOnPlateau, warm_cosine};
use crate::{Error, Result};

/// A running mean, weighted by the sizes of batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AvgMeter {
    /// The mean of everything so far.
    pub avg: f64,
    /// The weighted sum.
    pub sum: f64,
    /// The sum of the weights.
    pub count: usize,
}

impl AvgMeter {
    /// Takes in a value that stands for `count` pairs.
    pub fn update(&mut self, value: f64, count: usize) {
        self.sum += value * count as f64;
        self.count += count;
        self.avg = self.sum / self.count.max(1) as f64;
    }
}

/// One step of a training, as it is told to whoever watches.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The step in the epoch, from 1.
    pub step: usize,
    /// Steps in the epoch.
    pub steps: usize,
    /// The loss of this batch.
    pub loss: f64,
    /// The mean loss of the epoch so far.
    pub avg: f64,
    /// Pairs a second, since the epoch began.
    pub pairs_per_second: f64,
}

/// What a training has done so far: for the schedule of the learning rates, for curves, for the time that is left.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TrainLog {
    /// Epochs that are planned.
    pub epochs: usize,
    /// Every step's loss.
    pub step_losses: Vec<f64>,
    /// Every epoch's mean training loss.
    pub train_losses: Vec<f64>,
    /// Every epoch's validation loss.
    pub valid_losses: Vec<f64>,
    /// Seconds of training, validation not counted.
    pub seconds: f64,
    /// Seconds after which the training ends, if that is before its last epoch.
    pub budget_seconds: Option<f64>,
    /// The learning rates that the schedule starts from; taken from the optimiser at the first step.
    peak: Vec<f64>,
}

impl TrainLog {
    /// For a training of `epochs` epochs.
    pub fn new(epochs: usize) -> Self {
        Self { epochs, ..Self::default() }
    }

    /// Ends the training after this time, in the middle of an epoch if need be. The cosine schedule reckons with it.
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget_seconds = Some(budget.as_secs_f64());
        self
    }

    /// Whether the planned epochs or the time are over.
    pub fn is_over(&self) -> bool {
        self.train_losses.len() >= self.epochs
            || self.budget_seconds.is_some_and(|b| self.seconds >= b)
    }

    /// How much of the training is behind, 0 to 1.
    pub fn progress(&self, steps_per_epoch: usize) -> f64 {
        let by_steps =
            self.step_losses.len() as f64 / (self.epochs as f64 * steps_per_epoch as f64).max(1.);
        let by_time = self.budget_seconds.map_or(0., |b| self.seconds / b);
        by_steps.max(by_time).min(1.)
    }

    /// The cosine schedule: up over the first twentieth, down to zero at the end.
    fn set_lr(&mut self, optimizer: &mut AdamW, steps_per_epoch: usize) {
        if self.peak.is_empty() {
            self.peak = optimizer.groups().iter().map(|g| g.lr).collect();
        }
        let factor = warm_cosine(self.progress(steps_per_epoch));
        for (group, peak) in optimizer.groups_mut().iter_mut().zip(&self.peak) {
            group.lr = peak * factor;
        }
    }
}

/// One pass over the training pairs: forward, loss, backward, step. Ends early when `log`'s time is over.
///
/// A notebook's stop button ends it between two steps: the model is as the last step left it, and `log` has the steps'
/// losses, but not the epoch's.
///
/// # Errors
/// What the loader or the model reports; a loss that is not a number; [`Error::Stopped`].
pub fn train_epoch(
    model: &ClipModel,
    loader: &Loader,
    optimizer: &mut AdamW,
    log: &mut TrainLog,
    watch: &mut dyn FnMut(Step),
) -> Result<AvgMeter> {
    train_epoch_with(model, loader, optimizer, log, &mut Features::default(), watch)
}

/// [`train_epoch`], with what is known of the loader's features.
fn train_epoch_with(
    model: &ClipModel,
    loader: &Loader,
    optimizer: &mut AdamW,
    log: &mut TrainLog,
    features: &mut Features,
    watch: &mut dyn FnMut(Step),
) -> Result<AvgMeter> {
    let epoch = log.train_losses.len();
    let batches = loader.epoch(epoch);
    let steps = batches.steps();
    let cosine = model.config().schedule == Schedule::Cosine;
    let before = log.seconds;
    let start = Instant::now();
    let mut meter = AvgMeter::default();
    let stop = Interruptible::new("the training");
    for (step, batch) in batches.enumerate() {
        stop.check(|| format!("epoch {}: {step} of {steps} steps are done", epoch + 1))?;
        let batch = batch?.to_device(model.params().device())?;
        if cosine {
            log.set_lr(optimizer, steps);
        }
        let loss = features.loss(model, &batch, Mode::Train)?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        if !value.is_finite() {
            return Err(Error::value(
                format!("the training loss of epoch {}, step {}", epoch + 1, step + 1),
                "a number",
                format!("{value}: a learning rate is too high, or the loss divides by zero"),
            ));
        }
        optimizer.backward_step(&loss)?;
        model.clamp_logit_scale()?;
        meter.update(value, batch.len());
        log.step_losses.push(value);
        log.seconds = before + start.elapsed().as_secs_f64();
        let pairs_per_second = meter.count as f64 / (log.seconds - before).max(1e-9);
        watch(Step {
            epoch: epoch + 1,
            step: step + 1,
            steps,
            loss: value,
            avg: meter.avg,
            pairs_per_second,
        });
        if log.budget_seconds.is_some_and(|b| log.seconds >= b) {
            break;
        }
    }
    log.train_losses.push(meter.avg);
    Ok(meter)
}

/// The mean loss over the validation pairs, without gradients, in evaluation mode.
///
/// # Errors
/// What the loader or the model reports; [`Error::Stopped`].
pub fn valid_epoch(model: &ClipModel, loader: &Loader, log: &mut TrainLog) -> Result<AvgMeter> {
    valid_epoch_with(model, loader, log, &mut Features::default())
}

/// [`valid_epoch`], with what is known of the loader's features.
fn valid_epoch_with(
    model: &ClipModel,
    loader: &Loader,
    log: &mut TrainLog,
    features: &mut Features,
) -> Result<AvgMeter> {
    let mut meter = AvgMeter::default();
    let stop = Interruptible::new("the validation");
    for batch in loader.epoch(0) {
        stop.check(|| format!("{} pairs are looked at", meter.count))?;
        let batch = batch?.to_device(model.params().device())?;
        let loss = features.loss(model, &batch, Mode::Eval)?;
        meter.update(f64::from(loss.to_scalar::<f32>()?), batch.len());
    }
    log.valid_losses.push(meter.avg);
    Ok(meter)
}

/// What [`fit`] does besides training.
pub struct FitOptions {
    /// Where `best.pt` and `last.pt` are written.
    pub folder: PathBuf,
    /// Who decides what the best model is.
    pub keep_best: KeepBest,
    /// Epochs at most.
    pub epochs: usize,
    /// Seconds of training at most.
    pub budget: Option<Duration>,
    /// Goes on from `last.pt` in `folder`.
    pub resume: bool,
}

/// The state of a training between epochs, a record of `last.pt`.
#[derive(Serialize, Deserialize)]
struct Resume {
    log: TrainLog,
    best_loss: Option<f64>,
    scheduler: ReduceLrOnPlateau,
    learning_rates: Vec<f64>,
    steps: usize,
}

const RESUME_RECORD: &str = "training.json";

/// The end of an epoch, as it is told to whoever watches.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    /// The epoch, from 1.
    pub epoch: usize,
    /// The mean training loss.
    pub train_loss: f64,
    /// The mean validation loss.
    pub valid_loss: f64,
    /// Whether the model is the best so far.
    pub best: bool,
    /// Seconds of training so far, validation not counted.
    pub seconds: f64,
}

/// What comes in to whoever watches [`fit`].
pub enum Event {
    /// A step was taken.
    Step(Step),
    /// An epoch ended.
    Epoch(Epoch),
}

/// The slide's loop: train, validate, keep the best, let the scheduler look; `last.pt` after every epoch. What a frozen
/// encoder makes of a picture or a caption is computed once.
///
/// # Errors
/// What any part reports. Whatever was saved before is whole.
pub fn fit(
    model: &ClipModel,
    train: &Loader,
    valid: &Loader,
    options: &FitOptions,
    watch: &mut dyn FnMut(Event),
) -> Result<TrainLog> {
    let config = model.config();
    let last = options.folder.join("last.pt");
    std::fs::create_dir_all(&options.folder).map_err(Error::io(&options.folder))?;
    let mut optimizer = model.optimizer();
    let mut log = TrainLog::new(options.epochs);
    let mut scheduler = ReduceLrOnPlateau::new(config.patience, config.factor);
    let mut best_loss = f64::INFINITY;
    if options.resume {
        let state = load_resume(model, &last, &mut optimizer)?;
        (log, scheduler) = (state.log, state.scheduler);
        best_loss = state.best_loss.unwrap_or(f64::INFINITY);
        log.epochs = options.epochs;
    }
    log.budget_seconds = options.budget.map(|b| b.as_secs_f64());
    // The two loaders may have pictures of one name in different folders.
    let mut known = (Features::of_frozen(model), Features::of_frozen(model));
    while !log.is_over() {
        let told = &mut |s| watch(Event::Step(s));
        let train_loss =
            train_epoch_with(model, train, &mut optimizer, &mut log, &mut known.0, told)?;
        let valid_loss = valid_epoch_with(model, valid, &mut log, &mut known.1)?;
        let before = best_loss;
        best_loss = (options.keep_best)(valid_loss.avg, best_loss, model, &options.folder)?;
        if config.schedule == Schedule::Plateau {
            scheduler.step(valid_loss.avg, &mut optimizer);
        }
        let state = Resume {
            log: log.clone(),
            best_loss: best_loss.is_finite().then_some(best_loss),
            scheduler: scheduler.clone(),
            learning_rates: optimizer.groups().iter().map(|g| g.lr).collect(),
            steps: optimizer.steps(),
        };
        let record = serde_json::to_vec(&state)?;
        model.save_with(&last, optimizer.state_dict()?, &[(RESUME_RECORD, record)])?;
        watch(Event::Epoch(Epoch {
            epoch: log.train_losses.len(),
            train_loss: train_loss.avg,
            valid_loss: valid_loss.avg,
            best: best_loss < before,
            seconds: log.seconds,
        }));
    }
    Ok(log)
}

fn load_resume(model: &ClipModel, last: &Path, optimizer: &mut AdamW) -> Result<Resume> {
    let file = load_pt(last)?;
    let wrong = |why: String| Error::Checkpoint {
        path: last.into(),
        why,
        next: "train without `--resume`, which starts anew".into(),
    };
    let record = file
        .records
        .get(RESUME_RECORD)
        .ok_or_else(|| wrong("it has no state of a training".into()))?;
    let state: Resume = serde_json::from_slice(record)
        .map_err(|e| wrong(format!("its state of the training cannot be read: {e}")))?;
    let (moments, weights): (StateDict, StateDict) =
        file.state.into_iter().partition(|(name, _)| name.starts_with("optimizer."));
    model.params().load_state_dict(&weights).map_err(|e| wrong(e.to_string()))?;
    optimizer.load_state_dict(&moments, state.steps)?;
    for (group, lr) in optimizer.groups_mut().iter_mut().zip(&state.learning_rates) {
        group.lr = *lr;
    }
    Ok(state)
}
