//! The image encoder learns to name: for each object, is there at least one, two, three, four of it? And what ground?

use std::collections::VecDeque;

use candle_core::{Device, Tensor};
use image::RgbImage;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{Cosine, PretrainConfig};
use crate::Result;
use crate::config::Config;
use crate::dataset::Transform;
use crate::dataset::scenes::{Background, Scene, Split, objects};
use crate::encoder::{ImageEncoder, ResNet};
use crate::nn::{AdamW, Linear, Mode, ParamGroup, Params};

/// Pictures that are kept and drawn from; each step some are replaced by new ones.
const POOL: usize = 40_000;
/// An object has this many questions: at least one, two, three, four.
const COUNTS: usize = 4;

/// How the training goes, or how good the encoder is at its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImageReport {
    /// The step.
    pub step: usize,
    /// How much of the training is behind, 0 to 1.
    pub progress: f64,
    /// The training loss of the step: nats a picture.
    pub loss: f64,
    /// Of the objects in held-out pictures, the share among the best guesses (as many as the picture has kinds).
    pub named: f64,
    /// The same on the unseen style.
    pub named_unseen_style: f64,
    /// The share of held-out grounds that are right.
    pub ground: f64,
}

/// One picture with its answers.
struct Example {
    pixels: Vec<u8>,
    kinds: Vec<(usize, usize)>,
    ground: usize,
}

impl Example {
    fn sample(seed: u64, split: Split, size: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let scene = Scene::sample(&mut rng, split);
        let picture: RgbImage = scene.render(size as u32, size as u32);
        let ground = Background::ALL.iter().position(|b| *b == scene.background).unwrap_or(0);
        let kinds = scene.kinds.iter().map(|k| (k.object, k.count)).collect();
        Self { pixels: picture.into_raw(), kinds, ground }
    }
}

struct Namer {
    encoder: ResNet,
    answers: Linear,
}

impl Namer {
    /// `(b, 3, s, s)` → logits `(b, objects · 4 + grounds)`
    fn forward(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        self.answers.forward(&self.encoder.forward(images, mode)?)
    }
}

/// Trains an image encoder of `config` from scratch; its parameters come back under the encoder's own names.
///
/// # Errors
/// When the device fails.
pub fn pretrain_image(
    config: &Config,
    how: &PretrainConfig,
    report: &mut dyn FnMut(&ImageReport),
) -> Result<(Params, ImageReport)> {
    let device = config.device()?;
    let params = Params::new(&device, how.seed);
    let encoder = ResNet::new(&config.image_encoder, &params)?;
    let questions = objects().len() * COUNTS;
    let answer_params = Params::new(&device, how.seed + 1);
    let answers =
        Linear::new(encoder.features(), questions + Background::ALL.len(), &answer_params)?;
    let namer = Namer { encoder, answers };
    let mut all = params.trainable();
    all.extend(answer_params.trainable());
    let group = ParamGroup { name: "all".into(), params: all, lr: how.lr, weight_decay: 0.02 };
    let mut optimizer = AdamW::new(vec![group]);
    let schedule = Cosine::new(&optimizer, how.steps, how.budget);
    let transform = Transform::imagenet(config.size);
    let mut rng = ChaCha8Rng::seed_from_u64(how.seed ^ 0x7072_6574);
    let fresh = |rng: &mut ChaCha8Rng, n: usize| -> Vec<Example> {
        let seeds: Vec<u64> = (0..n).map(|_| rng.random()).collect();
        seeds.par_iter().map(|s| Example::sample(*s, Split::Train, config.size)).collect()
    };
    let mut pool: VecDeque<Example> = fresh(&mut rng, how.batch_size * 4).into();
    let mut step = 0;
    while schedule.set(&mut optimizer, step) {
        for example in fresh(&mut rng, how.batch_size) {
            if pool.len() == POOL {
                pool.pop_front();
            }
            pool.push_back(example);
        }
        let (a, b) = pool.as_slices();
        let at = |i: usize| if i < a.len() { &a[i] } else { &b[i - a.len()] };
        let picked: Vec<(&Example, u64)> = (0..how.batch_size)
            .map(|_| (at(rng.random_range(0..pool.len())), rng.random()))
            .collect();
        let images = batch(&picked, &transform, true, &device)?;
        let logits = namer.forward(&images, Mode::Train)?;
        let examples: Vec<&Example> = picked.iter().map(|p| p.0).collect();
        let loss = loss(&logits, &examples, questions)?;
        optimizer.backward_step(&loss)?;
        step += 1;
        if step.is_multiple_of(50) {
            let loss = f64::from(loss.to_scalar::<f32>()?);
            let mut now =
                ImageReport { step, progress: schedule.progress(step), loss, ..Default::default() };
            if step.is_multiple_of(500) {
                examine(&namer, &transform, &device, 512, &mut now)?;
            }
            report(&now);
        }
    }
    let mut last = ImageReport { step, progress: 1., ..Default::default() };
    examine(&namer, &transform, &device, 2048, &mut last)?;
    Ok((params, last))
}

/// Pictures to a batch `(b, 3, s, s)`; in training moved by some pixels, with colours and light changed.
fn batch(
    examples: &[(&Example, u64)],
    transform: &Transform,
    augment: bool,
    device: &Device,
) -> Result<Tensor> {
    let s = transform.size;
    let plane = s * s;
    let mut values = vec![0f32; examples.len() * 3 * plane];
    values.par_chunks_mut(3 * plane).zip(examples).for_each(|(values, (example, seed))| {
        let mut rng = ChaCha8Rng::seed_from_u64(*seed);
        let mut shift = || if augment { rng.random_range(-5i64..=5) } else { 0 };
        let (dx, dy) = (shift(), shift());
        let (mut gain, mut level) = ([1f32; 3], [0f32; 3]);
        if augment {
            let light: f32 = rng.random_range(0.8..1.2);
            gain = std::array::from_fn(|_| light * rng.random_range(0.85..1.15));
            level = std::array::from_fn(|_| rng.random_range(-0.06..0.06));
        }
        let grey = augment && rng.random_bool(0.1);
        let noise: f32 =
            if augment { *[0., 0., 0.02, 0.04].choose(&mut rng).unwrap_or(&0.) } else { 0. };
        for y in 0..s {
            let from_y = (y as i64 + dy).clamp(0, s as i64 - 1) as usize;
            for x in 0..s {
                let from_x = (x as i64 + dx).clamp(0, s as i64 - 1) as usize;
                let pixel = &example.pixels[(from_y * s + from_x) * 3..][..3];
                let mut rgb: [f32; 3] = std::array::from_fn(|c| f32::from(pixel[c]) / 255.);
                if grey {
                    rgb = [0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2]; 3];
                }
                for c in 0..3 {
                    let mut v = rgb[c] * gain[c] + level[c];
                    if noise > 0. {
                        v += noise * (rng.random::<f32>() - 0.5) * 3.5;
                    }
                    values[c * plane + y * s + x] =
                        (v.clamp(0., 1.) - transform.mean[c]) / transform.std[c];
                }
            }
        }
    });
    Ok(Tensor::from_vec(values, (examples.len(), 3, s, s), device)?)
}

/// Binary cross-entropy of every question and cross-entropy of the ground, nats a picture.
fn loss(logits: &Tensor, examples: &[&Example], questions: usize) -> Result<Tensor> {
    let b = examples.len();
    let mut targets = vec![0f32; b * questions];
    for (row, example) in examples.iter().enumerate() {
        for &(object, count) in &example.kinds {
            for c in 0..count.min(COUNTS) {
                targets[row * questions + object * COUNTS + c] = 1.;
            }
        }
    }
    let device = logits.device();
    let targets = Tensor::from_vec(targets, (b, questions), device)?;
    let x = logits.narrow(1, 0, questions)?.contiguous()?;
    // max(x, 0) − x·y + ln(1 + e^−|x|)
    let naming = ((x.relu()? - (&x * targets)?)? + (x.abs()?.neg()?.exp()? + 1.)?.log()?)?;
    let naming = (naming.sum_all()? / b as f64)?;
    let grounds: Vec<u32> = examples.iter().map(|e| e.ground as u32).collect();
    let rest = logits.dim(1)? - questions;
    let ground_logits = logits.narrow(1, questions, rest)?.contiguous()?;
    let ground = candle_nn::loss::cross_entropy(&ground_logits, &Tensor::new(grounds, device)?)?;
    Ok((naming + ground)?)
}

/// Fills in the shares of right answers on `n` held-out pictures and `n` of the unseen style.
fn examine(
    namer: &Namer,
    transform: &Transform,
    device: &Device,
    n: usize,
    report: &mut ImageReport,
) -> Result<()> {
    let questions = objects().len() * COUNTS;
    let share = |split: Split| -> Result<(f64, f64)> {
        let (mut right, mut kinds, mut grounds) = (0, 0, 0);
        for start in (0..n as u64).step_by(128) {
            let seeds = start..(start + 128).min(n as u64);
            let examples: Vec<Example> = seeds
                .into_par_iter()
                .map(|s| Example::sample(u64::MAX - s, split, transform.size))
                .collect();
            let with: Vec<(&Example, u64)> = examples.iter().map(|e| (e, 0)).collect();
            let images = batch(&with, transform, false, device)?;
            let logits = namer.forward(&images, Mode::Eval)?.to_vec2::<f32>()?;
            for (row, example) in logits.iter().zip(&examples) {
                let mut order: Vec<usize> = (0..objects().len()).collect();
                order.sort_by(|a, b| row[b * COUNTS].total_cmp(&row[a * COUNTS]));
                let guesses = &order[..example.kinds.len()];
                right +=
                    example.kinds.iter().filter(|(object, _)| guesses.contains(object)).count();
                kinds += example.kinds.len();
                let best = (questions..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b]));
                grounds += usize::from(best == Some(questions + example.ground));
            }
        }
        Ok((right as f64 / kinds as f64, grounds as f64 / n as f64))
    };
    (report.named, report.ground) = share(Split::Valid)?;
    report.named_unseen_style = share(Split::UnseenStyle)?.0;
    Ok(())
}
