//! Stage 1: the codebook is learned.

use std::fmt;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Dvae;
use crate::display::Interruptible;
use crate::measure::{code_counts, code_perplexity};
use crate::nn::Cosine;
use crate::{Error, Result};

/// One step of the training.
#[derive(Clone, Copy, Debug)]
pub struct DvaeStep {
    /// The step, from 1.
    pub step: usize,
    /// How much of the training is behind, 0 to 1.
    pub progress: f64,
    /// The loss that was differentiated.
    pub loss: f64,
    /// Mean −ln P of a value of a picture, nats.
    pub reconstruction: f64,
    /// The KL divergence, nats a picture.
    pub kl: f64,
    /// The temperature.
    pub temperature: f64,
    /// The weight of the KL divergence.
    pub kl_weight: f64,
    /// Of the batch's likeliest codes; the largest possible is the number of codes.
    pub perplexity: f64,
}

impl fmt::Display for DvaeStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "loss {:.3}  reconstruction {:.3}  KL {:.0}  temperature {:.3}  codes {:.0}",
            self.loss, self.reconstruction, self.kl, self.temperature, self.perplexity
        )
    }
}

/// What a training of the dVAE has done.
#[derive(Clone, Debug, Default)]
pub struct DvaeLog {
    /// Every step.
    pub steps: Vec<DvaeStep>,
    /// Seconds of training.
    pub seconds: f64,
}

/// Standard Gumbel noise, `−ln(−ln u)` with u uniform in (0, 1).
///
/// # Errors
/// When the device fails.
pub fn gumbel_noise(shape: &[usize], rng: &mut ChaCha8Rng) -> Result<Tensor> {
    let count: usize = shape.iter().product();
    let seed: u64 = rng.random();
    const CHUNK: usize = 8192;
    let mut values = vec![0f32; count];
    values.par_chunks_mut(CHUNK).enumerate().for_each(|(i, values)| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(i as u64);
        for value in values {
            // Away from 0 and 1, whose noise would be infinite.
            let u: f32 = rng.random::<f32>().clamp(1e-7, 1. - 1e-7);
            *value = -(-u.ln()).ln();
        }
    });
    Ok(Tensor::from_vec(values, shape, &Device::Cpu)?)
}

/// Trains on pictures `(n, 3, s, s)`, values from 0 to 1: `steps` of them, or for `budget` if that ends first; temperature,
/// KL weight and learning rate follow whichever is further.
///
/// # Errors
/// What `quantize` reports; a loss that is no number; [`Error::Stopped`].
pub fn train_dvae(
    dvae: &Dvae,
    images: &Tensor,
    steps: usize,
    budget: Option<Duration>,
    watch: &mut dyn FnMut(&DvaeStep),
) -> Result<DvaeLog> {
    let config = dvae.config().clone();
    let n = images.dim(0)?;
    let mut optimizer = dvae.optimizer();
    let schedule = Cosine::new(&optimizer, steps, budget);
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed ^ 0x6476_6165);
    let (mut log, start) = (DvaeLog::default(), Instant::now());
    let stop = Interruptible::new("the training of the dVAE");
    while schedule.set(&mut optimizer, log.steps.len()) {
        let done = log.steps.len();
        stop.check(|| format!("{done} of {steps} steps are done"))?;
        let progress = schedule.progress(done);
        let rows: Vec<u32> =
            (0..config.batch_size).map(|_| rng.random_range(0..n as u32)).collect();
        let batch = images.index_select(&Tensor::new(rows, images.device())?, 0)?;
        let g = config.grid();
        let noise = gumbel_noise(&[config.batch_size, config.codes, g, g], &mut rng)?;
        let (temperature, kl_weight) =
            (config.temperature.at(progress), config.kl_weight.at(progress));
        let found = dvae.loss(&batch, temperature, kl_weight, &noise)?;
        let loss = f64::from(found.total.to_scalar::<f32>()?);
        if !loss.is_finite() {
            let what = format!("the dVAE's loss at step {}", done + 1);
            return Err(Error::value(what, "a number", loss));
        }
        optimizer.backward_step(&found.total)?;
        let counts = code_counts(&found.logits.argmax(1)?, config.codes)?;
        let step = DvaeStep {
            step: done + 1,
            progress,
            loss,
            reconstruction: found.reconstruction,
            kl: found.kl,
            temperature,
            kl_weight,
            perplexity: code_perplexity(&counts),
        };
        watch(&step);
        log.steps.push(step);
    }
    log.seconds = start.elapsed().as_secs_f64();
    Ok(log)
}
