//! The image encoder learns to name: which objects are there, are there at least two, three, four of each, what ground?
//!
//! Two things make minutes enough. Many of the first pictures show the surroundings of one object, seen larger, so that
//! objects are seen before crowds; their share falls as the training goes on. And the cells of the last two feature maps
//! are asked what is inside them, so that the encoder need not find out where in the picture an answer comes from.

mod example;

use std::collections::VecDeque;

use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use self::example::{Example, batch, shift};
use super::{Cosine, PretrainConfig};
use crate::config::{Config, ImageEncoderConfig};
use crate::dataset::Transform;
use crate::dataset::scenes::{Background, Split, objects};
use crate::display::Interruptible;
use crate::encoder::{ImageEncoder, ResNet};
use crate::nn::{AdamW, Linear, Mode, ParamGroup, Params, ops};
use crate::{Error, Result};

/// Pictures that are kept and drawn from; each step some are replaced by new ones.
const POOL: usize = 20_000;
/// An object has this many answers: how much it is there, and whether there are at least two, three, four of it.
const COUNTS: usize = 4;
/// What a map's cells weigh beside the whole picture's loss.
const CELLS: f64 = 2.;

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

struct Namer {
    encoder: ResNet,
    answers: Linear,
    /// What is in each cell of the last two stages' maps.
    cells: [Linear; 2],
}

impl Namer {
    fn new(encoder: ResNet, widths: &[usize], params: &Params) -> Result<Self> {
        let features = encoder.features();
        let answers = objects().len() * COUNTS + Background::ALL.len();
        let cell = |i: usize| {
            let width = widths[widths.len() - 2 + i];
            Linear::new(width, objects().len() + 1, &params.pp(format!("cells.{i}")))
        };
        let cells = [cell(0)?, cell(1)?];
        Ok(Self { encoder, answers: Linear::new(features, answers, &params.pp("answers"))?, cells })
    }

    /// `(b, 3, s, s)` → logits `(b, objects · 4 + grounds)`
    fn forward(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        self.answers.forward(&self.encoder.forward(images, mode)?)
    }

    /// The same, and for each of the two maps its side and the logits of its cells `(b · side · side, objects + 1)`.
    fn forward_cells(&self, images: &Tensor) -> Result<(Tensor, Vec<(usize, Tensor)>)> {
        let maps = self.encoder.stages(images, Mode::Train)?;
        let maps = &maps[maps.len() - 2..];
        let of = |map: &Tensor, cell: &Linear| -> Result<(usize, Tensor)> {
            let (b, c, h, w) = map.dims4()?;
            let rows = map.permute((0, 2, 3, 1))?.contiguous()?.reshape((b * h * w, c))?;
            Ok((h, cell.forward(&rows)?))
        };
        let cells = maps.iter().zip(&self.cells).map(|(m, c)| of(m, c)).collect::<Result<_>>()?;
        Ok((self.answers.forward(&ops::global_avg_pool(&maps[1])?)?, cells))
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
    let ImageEncoderConfig::ResNet(sizes) = &config.image_encoder else {
        return Err(Error::value(
            "pretrain_image, config.image_encoder",
            "a ResNet",
            "another encoder",
        ));
    };
    let encoder = ResNet::new(sizes, &params)?;
    if let Some(start) = &how.start {
        params.load_state_dict(start)?;
    }
    let questions = objects().len() * COUNTS;
    let answer_params = Params::new(&device, how.seed + 1);
    let namer = Namer::new(encoder, &sizes.hidden_sizes, &answer_params)?;
    let mut all = params.trainable();
    all.extend(answer_params.trainable());
    let group = ParamGroup { name: "all".into(), params: all, lr: how.lr, weight_decay: 0.02 };
    let mut optimizer = AdamW::new(vec![group]);
    let schedule = Cosine::new(&optimizer, how.steps, how.budget);
    let transform = Transform::imagenet(config.size);
    let mut rng = ChaCha8Rng::seed_from_u64(how.seed ^ 0x7072_6574);
    let fresh = |rng: &mut ChaCha8Rng, n: usize, parts: f64| -> Vec<Example> {
        let seeds: Vec<u64> = (0..n).map(|_| rng.random()).collect();
        let one = |seed: &u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(*seed);
            let part = rng.random_bool(parts);
            let make = if part { Example::near } else { Example::redrawn };
            make(&mut rng, Split::Train, config.size)
        };
        seeds.par_iter().map(one).collect()
    };
    let mut pool: VecDeque<Example> = fresh(&mut rng, how.batch_size * 4, 0.9).into();
    let mut step = 0;
    let stop = Interruptible::new("the pretraining");
    while schedule.set(&mut optimizer, step) {
        stop.check(|| format!("{step} of {} steps are done", how.steps))?;
        let parts = 0.9 - 0.9 * (schedule.progress(step) / 0.6).min(1.);
        for example in fresh(&mut rng, how.batch_size / 2, parts) {
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
        let (logits, cells) = namer.forward_cells(&images)?;
        let examples: Vec<&Example> = picked.iter().map(|p| p.0).collect();
        let mut loss = loss(&logits, &examples, questions)?;
        for (side, logits) in cells {
            loss = (loss + (cells_loss(&logits, &picked, config.size, side)? * CELLS)?)?;
        }
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

/// Cross-entropy of the objects that are there, as if each were as likely, binary cross-entropy of the counts, and
/// cross-entropy of the ground: nats a picture.
fn loss(logits: &Tensor, examples: &[&Example], questions: usize) -> Result<Tensor> {
    let (b, objects) = (examples.len(), questions / COUNTS);
    let mut there = vec![0f32; b * objects];
    let mut counts = vec![0f32; b * objects * (COUNTS - 1)];
    for (row, example) in examples.iter().enumerate() {
        for &(object, count) in &example.kinds {
            let at = row * objects + object;
            there[at] = 1. / example.kinds.len() as f32;
            counts[at * (COUNTS - 1)..][..(count.min(COUNTS) - 1)].fill(1.);
        }
    }
    let device = logits.device();
    let there = Tensor::from_vec(there, (b, objects), device)?;
    let counts = Tensor::from_vec(counts, (b, objects, COUNTS - 1), device)?;
    let answers = logits.narrow(1, 0, questions)?.contiguous()?.reshape((b, objects, COUNTS))?;
    let scores = answers.narrow(2, 0, 1)?.contiguous()?.squeeze(2)?;
    let naming = (candle_nn::ops::log_softmax(&scores, 1)? * there)?.sum_all()?.neg()?;
    let x = answers.narrow(2, 1, COUNTS - 1)?.contiguous()?;
    // max(x, 0) − x·y + ln(1 + e^−|x|)
    let counting = ((x.relu()? - (&x * counts)?)? + (x.abs()?.neg()?.exp()? + 1.)?.log()?)?;
    let grounds: Vec<u32> = examples.iter().map(|e| e.ground as u32).collect();
    let rest = logits.dim(1)? - questions;
    let ground_logits = logits.narrow(1, questions, rest)?.contiguous()?;
    let ground = candle_nn::loss::cross_entropy(&ground_logits, &Tensor::new(grounds, device)?)?;
    let objects = ((naming + (counting.sum_all()? * 0.3)?)? / b as f64)?;
    Ok((objects + ground)?)
}

/// Cross-entropy of what is in the cells, logits `(b · side · side, objects + 1)`: nats a cell.
fn cells_loss(
    logits: &Tensor,
    picked: &[(&Example, u64)],
    size: usize,
    side: usize,
) -> Result<Tensor> {
    let (cells, answers) = logits.dims2()?;
    let mut targets = vec![0f32; cells * answers];
    for ((example, seed), targets) in picked.iter().zip(targets.chunks_mut(side * side * answers)) {
        example.cells(size, side, shift(*seed), targets);
    }
    let targets = Tensor::from_vec(targets, (cells, answers), logits.device())?;
    Ok(((candle_nn::ops::log_softmax(logits, 1)? * targets)?.sum_all()?.neg()? / cells as f64)?)
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
        let held_out = |seed: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(u64::MAX - seed);
            Example::whole(&mut rng, split, transform.size)
        };
        let (mut right, mut kinds, mut grounds) = (0, 0, 0);
        for start in (0..n as u64).step_by(128) {
            let seeds = start..(start + 128).min(n as u64);
            let examples: Vec<Example> = seeds.into_par_iter().map(held_out).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ResNetConfig;

    #[test]
    fn a_short_training_gives_the_encoders_parameters() {
        let mut config = Config::tiny();
        config.device = "cpu".into();
        config.image_encoder = ResNetConfig {
            hidden_sizes: vec![8, 8, 8, 8],
            embedding_size: 8,
            ..ResNetConfig::tiny()
        }
        .into();
        let how = |start| PretrainConfig {
            seed: 1,
            batch_size: 4,
            lr: 1e-3,
            steps: 2,
            start,
            budget: None,
        };
        // An optimiser's step fails when a parameter has no gradient.
        let (params, report) = pretrain_image(&config, &how(None), &mut |_| ()).unwrap();
        assert_eq!(report.step, 2);
        let state = params.state_dict();
        assert!(state.contains_key("embedder.embedder.convolution.weight"), "{:?}", state.keys());
        let again = pretrain_image(&config, &how(Some(state)), &mut |_| ());
        assert!(again.is_ok());
    }
}
