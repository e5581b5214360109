//! Stage 2: the transformer learns which codes follow which words and codes.

use std::fmt;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::Dalle;
use crate::dataset::scenes::single::Singles;
use crate::display::Interruptible;
use crate::nn::{Cosine, Mode};
use crate::{Error, Result};

/// Captions as ids and pictures as codes, a row each.
#[derive(Clone, Debug)]
pub struct DalleData {
    /// `(n, t)` u32
    pub text_ids: Tensor,
    /// `(n, h·w)` u32
    pub codes: Tensor,
}

impl DalleData {
    /// What `model` reads of pictures and captions: the dVAE's codes, the tokenizer's ids.
    ///
    /// # Errors
    /// When the pictures have another size than the dVAE's.
    pub fn of(model: &Dalle, pictures: &Singles) -> Result<Self> {
        Ok(Self {
            text_ids: model.text_ids(&pictures.captions)?,
            codes: model.dvae().codes(&pictures.images)?,
        })
    }

    /// These rows.
    ///
    /// # Errors
    /// When there is no such row.
    pub fn rows(&self, rows: &[u32]) -> Result<Self> {
        let rows = Tensor::new(rows, &Device::Cpu)?;
        Ok(Self {
            text_ids: self.text_ids.index_select(&rows, 0)?,
            codes: self.codes.index_select(&rows, 0)?,
        })
    }
}

/// One step of the training.
#[derive(Clone, Copy, Debug)]
pub struct DalleStep {
    /// The step, from 1.
    pub step: usize,
    /// How much of the training is behind, 0 to 1.
    pub progress: f64,
    /// The loss that was differentiated.
    pub loss: f64,
    /// The mean cross-entropy of text targets, nats.
    pub text: f64,
    /// The mean cross-entropy of image targets, nats.
    pub image: f64,
}

impl fmt::Display for DalleStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "loss {:.3}  text {:.3}  image {:.3}", self.loss, self.text, self.image)
    }
}

/// What a training of the transformer has done.
#[derive(Clone, Debug, Default)]
pub struct DalleLog {
    /// Every step.
    pub steps: Vec<DalleStep>,
    /// Seconds of training.
    pub seconds: f64,
}

/// Trains on `data`: `steps` of them, or for `budget` if that ends first. Every row comes once before one comes twice.
///
/// # Errors
/// What `dalle_sequence` reports; a loss that is no number; [`Error::Stopped`].
pub fn train_dalle(
    model: &Dalle,
    data: &DalleData,
    steps: usize,
    budget: Option<Duration>,
    watch: &mut dyn FnMut(&DalleStep),
) -> Result<DalleLog> {
    let config = model.config().clone();
    let n = data.codes.dim(0)?;
    let mut optimizer = model.optimizer();
    let schedule = Cosine::new(&optimizer, steps, budget);
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed ^ 0x6461_6c6c);
    let mut left: Vec<u32> = Vec::new();
    let (mut log, start) = (DalleLog::default(), Instant::now());
    let stop = Interruptible::new("the training of DALL-E");
    while schedule.set(&mut optimizer, log.steps.len()) {
        let done = log.steps.len();
        stop.check(|| format!("{done} of {steps} steps are done"))?;
        let mut rows = Vec::with_capacity(config.batch_size);
        for _ in 0..config.batch_size {
            if left.is_empty() {
                left = (0..n as u32).collect();
            }
            rows.push(left.swap_remove(rng.random_range(0..left.len())));
        }
        let batch = data.rows(&rows)?;
        let sequence = model.sequence(&batch.text_ids, &batch.codes)?;
        let found = model.loss(&sequence, Mode::Train)?;
        let loss = f64::from(found.total.to_scalar::<f32>()?);
        if !loss.is_finite() {
            let what = format!("DALL-E's loss at step {}", done + 1);
            return Err(Error::value(what, "a number", loss));
        }
        optimizer.backward_step(&found.total)?;
        let progress = schedule.progress(done);
        let step =
            DalleStep { step: done + 1, progress, loss, text: found.text, image: found.image };
        watch(&step);
        log.steps.push(step);
    }
    log.seconds = start.elapsed().as_secs_f64();
    Ok(log)
}
