//! The image encoder learns to name: which objects are there, are there at least two, three, four of each, what ground?
//!
//! Two things make minutes enough. Many of the first pictures show the surroundings of one object, seen larger, so that
//! objects are seen before crowds; their share falls as the training goes on. And the cells of the last two feature maps
//! are asked what is inside them, so that the encoder need not find out where in the picture an answer comes from.

use std::collections::{BTreeMap, VecDeque};

use candle_core::{Device, Tensor};
use image::RgbImage;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{Cosine, PretrainConfig};
use crate::config::{Config, ImageEncoderConfig};
use crate::dataset::Transform;
use crate::dataset::scenes::{Background, HEIGHT, Scene, Split, WIDTH, objects};
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

/// One picture with its answers.
struct Example {
    pixels: Vec<u8>,
    kinds: Vec<(usize, usize)>,
    /// Every object and its box: left, top, right, bottom in pixels.
    boxes: Vec<(usize, [f32; 4])>,
    ground: usize,
}

impl Example {
    /// A whole scene, squeezed to `size × size`.
    fn whole(rng: &mut ChaCha8Rng, split: Split, size: usize) -> Self {
        Self::of(&Scene::sample(rng, split), size)
    }

    /// As [`whole`](Example::whole), redrawn for training.
    fn redrawn(rng: &mut ChaCha8Rng, split: Split, size: usize) -> Self {
        let mut scene = Scene::sample(rng, split);
        redraw(&mut scene, rng);
        Self::of(&scene, size)
    }

    /// The surroundings of one of a scene's objects, seen larger: at most so that it fills the picture.
    fn near(rng: &mut ChaCha8Rng, split: Split, size: usize) -> Self {
        let mut scene = Scene::sample(rng, split);
        let (width, height) = (WIDTH as f32, HEIGHT as f32);
        if let Some(&focus) = scene.objects.choose(rng) {
            let largest = 0.95 * (width / focus.w).min(height / focus.h);
            let zoom = if largest > 1.2 { rng.random_range(1.2..largest) } else { largest };
            let mut middle = |side: f32, long: f32| {
                let free = (side - zoom * long) / 2.;
                side / 2. + rng.random_range(-0.8..0.8) * free.max(0.)
            };
            let (at_x, at_y) = (middle(width, focus.w), middle(height, focus.h));
            for p in &mut scene.objects {
                let from_x = p.x + p.w / 2. - focus.x - focus.w / 2.;
                let from_y = p.y + p.h / 2. - focus.y - focus.h / 2.;
                (p.w, p.h) = (p.w * zoom, p.h * zoom);
                p.x = at_x + zoom * from_x - p.w / 2.;
                p.y = at_y + zoom * from_y - p.h / 2.;
            }
        }
        redraw(&mut scene, rng);
        Self::of(&scene, size)
    }

    /// The picture of `scene` and what can be seen of it: an object counts when its centre is inside.
    fn of(scene: &Scene, size: usize) -> Self {
        let (sx, sy) = (size as f32 / WIDTH as f32, size as f32 / HEIGHT as f32);
        let mut counts = BTreeMap::new();
        let mut boxes = Vec::new();
        for p in &scene.objects {
            let (x, y) = (p.x + p.w / 2., p.y + p.h / 2.);
            if (0. ..WIDTH as f32).contains(&x) && (0. ..HEIGHT as f32).contains(&y) {
                *counts.entry(p.object).or_insert(0) += 1;
            }
            boxes.push((p.object, [p.x * sx, p.y * sy, (p.x + p.w) * sx, (p.y + p.h) * sy]));
        }
        Self {
            pixels: soften(scene.render(size as u32, size as u32)),
            kinds: counts.into_iter().collect(),
            boxes,
            ground: ground(scene),
        }
    }

    /// Adds to `targets` `(side · side, objects + 1)` what is in each cell of the picture, moved by `shift` pixels: the
    /// share that each object's box covers; the last is nothing.
    fn cells(&self, size: usize, side: usize, shift: (i64, i64), targets: &mut [f32]) {
        let long = size as f32 / side as f32;
        let (dx, dy) = (shift.0 as f32, shift.1 as f32);
        let answers = targets.len() / (side * side);
        let overlap = |a: f32, b: f32, cell: usize| {
            let start = cell as f32 * long;
            (b.min(start + long) - a.max(start)).max(0.) / long
        };
        for (at, cell) in targets.chunks_mut(answers).enumerate() {
            for &(object, [left, top, right, bottom]) in &self.boxes {
                cell[object] += overlap(left - dx, right - dx, at % side)
                    * overlap(top - dy, bottom - dy, at / side);
            }
            let sum: f32 = cell.iter().sum();
            if sum > 1. {
                cell.iter_mut().for_each(|c| *c /= sum);
            } else {
                cell[answers - 1] = 1. - sum;
            }
        }
    }
}

/// Every kind a little wider or narrower and turned: another hand would have drawn it so.
fn redraw(scene: &mut Scene, rng: &mut ChaCha8Rng) {
    for kind in &scene.kinds {
        let (wider, turned) = (rng.random_range(-0.2f32..0.2).exp(), rng.random_range(-12. ..12.));
        for p in scene.objects.iter_mut().filter(|p| p.object == kind.object) {
            let (w, h) = (p.w * wider, p.h / wider);
            p.x += (p.w - w) / 2.;
            p.y += (p.h - h) / 2.;
            (p.w, p.h) = (w, h);
            p.tilt += turned;
        }
    }
}

/// A drawing's pixels are means over squares, those of a resized photograph means under triangles twice as wide: this
/// is the step from one to the other, so that the encoder learns on what it will see.
fn soften(picture: RgbImage) -> Vec<u8> {
    let width = 3 * picture.width() as usize;
    let mut rows = picture.into_raw();
    let height = rows.len() / width;
    for (count, step) in [(width / 3, 3), (height, width)] {
        let from = rows.clone();
        for (i, to) in rows.iter_mut().enumerate() {
            let at = i / step % count;
            let before = from[if at == 0 { i } else { i - step }];
            let after = from[if at + 1 == count { i } else { i + step }];
            *to = ((u32::from(before) + 6 * u32::from(from[i]) + u32::from(after) + 4) / 8) as u8;
        }
    }
    rows
}

/// How far a picture is moved in training, pixels.
fn shift(seed: u64) -> (i64, i64) {
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    (rng.random_range(-5..=5), rng.random_range(-5..=5))
}

fn ground(scene: &Scene) -> usize {
    Background::ALL.iter().position(|b| *b == scene.background).unwrap_or(0)
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

/// Turns a colour by `angle` around the grey axis and multiplies its distance from grey.
fn turn([r, g, b]: [f32; 3], angle: f32, colour: f32) -> [f32; 3] {
    let grey = (r + g + b) / 3.;
    let (sin, cos) = (colour * angle.sin() / 3f32.sqrt(), colour * angle.cos());
    let one = |own: f32, next: f32, last: f32| grey + cos * (own - grey) + sin * (last - next);
    [one(r, g, b), one(g, b, r), one(b, r, g)]
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
        let (dx, dy) = if augment { shift(*seed) } else { (0, 0) };
        let (mut gain, mut level) = ([1f32; 3], [0f32; 3]);
        if augment {
            let light: f32 = rng.random_range(0.8..1.2);
            gain = std::array::from_fn(|_| light * rng.random_range(0.85..1.15));
            level = std::array::from_fn(|_| rng.random_range(-0.06..0.06));
        }
        // Colours turned around the grey axis and made paler or stronger.
        let (angle, colour): (f32, f32) = if augment {
            (rng.random_range(-0.5..0.5), rng.random_range(0.3..1.4))
        } else {
            (0., 1.)
        };
        let noise: f32 =
            if augment { *[0., 0., 0.02, 0.04].choose(&mut rng).unwrap_or(&0.) } else { 0. };
        for y in 0..s {
            let from_y = (y as i64 + dy).clamp(0, s as i64 - 1) as usize;
            for x in 0..s {
                let from_x = (x as i64 + dx).clamp(0, s as i64 - 1) as usize;
                let pixel = &example.pixels[(from_y * s + from_x) * 3..][..3];
                let mut rgb: [f32; 3] = std::array::from_fn(|c| f32::from(pixel[c]) / 255.);
                if augment {
                    rgb = turn(rgb, angle, colour);
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
    fn a_cells_answers_are_shares_of_its_area() {
        let example = |boxes| Example { pixels: vec![], kinds: vec![], boxes, ground: 0 };
        let nothing = objects().len();
        let cells = |example: &Example, shift| {
            let mut targets = vec![0f32; 4 * (nothing + 1)];
            example.cells(64, 2, shift, &mut targets);
            move |cell: usize, answer: usize| targets[cell * (nothing + 1) + answer]
        };
        // Object 5 covers the upper left cell and half of the upper right one.
        let one = example(vec![(5, [0., 0., 48., 32.])]);
        let at = cells(&one, (0, 0));
        assert_eq!([at(0, 5), at(0, nothing)], [1., 0.]);
        assert_eq!([at(1, 5), at(1, nothing)], [0.5, 0.5]);
        assert_eq!([at(2, nothing), at(3, nothing)], [1., 1.]);
        // The picture moved to the left by 16 pixels: only the first cell still has it.
        let at = cells(&one, (16, 0));
        assert_eq!([at(0, 5), at(1, 5)], [1., 0.]);
        // Two objects over each other share the cell.
        let two = example(vec![(5, [0., 0., 32., 32.]), (7, [0., 0., 32., 32.])]);
        let at = cells(&two, (0, 0));
        assert_eq!([at(0, 5), at(0, 7), at(0, nothing)], [0.5, 0.5, 0.]);
    }

    #[test]
    fn an_object_counts_where_its_centre_is_seen() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..20 {
            let near = Example::near(&mut rng, Split::Train, 64);
            let seen = |b: &[f32; 4]| {
                let middle = [(b[0] + b[2]) / 2., (b[1] + b[3]) / 2.];
                middle.iter().all(|m| (0. ..64.).contains(m))
            };
            let boxes = near.boxes.iter().filter(|b| seen(&b.1)).count();
            assert_eq!(near.kinds.iter().map(|k| k.1).sum::<usize>(), boxes);
            assert!(boxes >= 1, "the one that is looked at is inside");
            assert_eq!(near.pixels.len(), 64 * 64 * 3);
        }
    }

    #[test]
    fn softening_keeps_what_is_flat_and_spreads_a_point() {
        let flat = RgbImage::from_pixel(4, 4, image::Rgb([10, 100, 250]));
        assert_eq!(soften(flat.clone()), flat.into_raw());
        let mut point = RgbImage::new(5, 5);
        point.put_pixel(2, 2, image::Rgb([255, 0, 0]));
        let soft = soften(point);
        let at = |x: usize, y: usize| soft[(y * 5 + x) * 3];
        assert_eq!([at(2, 2), at(1, 2), at(2, 1), at(0, 2)], [143, 24, 24, 0]);
    }

    #[test]
    fn a_turned_colour_keeps_its_light() {
        let same = turn([0.2, 0.5, 0.8], 0., 1.);
        assert!(same.iter().zip([0.2, 0.5, 0.8]).all(|(a, b)| (a - b).abs() < 1e-6), "{same:?}");
        let third = 2. * std::f32::consts::FRAC_PI_3;
        let green = turn([1., 0., 0.], third, 1.);
        assert!(green.iter().zip([0., 1., 0.]).all(|(a, b)| (a - b).abs() < 1e-6), "{green:?}");
        let pale = turn([1., 0., 0.], 0.3, 0.);
        assert!(pale.iter().all(|c| (c - 1. / 3.).abs() < 1e-6), "{pale:?}");
    }

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
