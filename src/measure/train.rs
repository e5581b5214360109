//! How the independent classifier learns.

use std::time::Duration;

use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::PictureClassifier;
use crate::dataset::scenes::Split;
use crate::dataset::scenes::single::{self, SIDE, Singles};
use crate::display::Interruptible;
use crate::nn::{AdamW, Cosine, Mode, ParamGroup, Params};
use crate::{Error, Result};

/// How far the training is, or how good the classifier is at its end.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct ClassifierReport {
    /// Steps taken.
    pub step: usize,
    /// How much of the training is behind, 0 to 1.
    pub progress: f64,
    /// The step's loss, nats: object and ground together.
    pub loss: f64,
    /// At the end: the share of held-out pictures whose object is right.
    pub object: f64,
    /// At the end: the share of held-out pictures whose ground is right.
    pub ground: f64,
    /// At the end: the share of pictures of unseen pairs whose object is right.
    pub object_of_unseen_pairs: f64,
}

/// Pictures in a step.
const BATCH: usize = 64;

/// Trains a classifier on `pictures` pictures of [`Split::Train`] and, so that no object is known by its ground, a quarter as
/// many of [`Split::UnseenPairs`]: it judges models that have not seen those. Pictures are moved by a pixel or two and get
/// some noise and blur, as reconstructions have. `seed` gives weights and pictures.
///
/// # Errors
/// When a loss is no number; [`Error::Stopped`].
pub fn train_classifier(
    pictures: usize,
    steps: usize,
    budget: Option<Duration>,
    seed: u64,
    report: &mut dyn FnMut(&ClassifierReport),
) -> Result<(PictureClassifier, ClassifierReport)> {
    let params = Params::new(&Device::Cpu, seed);
    let classifier = PictureClassifier::new(&params)?;
    let group =
        ParamGroup { name: "all".into(), params: params.trainable(), lr: 3e-3, weight_decay: 0.05 };
    let mut optimizer = AdamW::new(vec![group]);
    let train = single::draw(pictures, Split::Train, SIDE, seed)?;
    let pairs = single::draw(pictures.div_ceil(4), Split::UnseenPairs, SIDE, seed)?;
    let schedule = Cosine::new(&optimizer, steps, budget);
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x6a75_6467);
    let mut step = 0;
    let stop = Interruptible::new("the classifier's training");
    while schedule.set(&mut optimizer, step) {
        stop.check(|| format!("{step} of {steps} steps are done"))?;
        let from = if step % 5 == 4 { &pairs } else { &train };
        let rows: Vec<u32> =
            (0..BATCH).map(|_| rng.random_range(0..from.captions.len() as u32)).collect();
        let images = roughen(
            &from.images.index_select(&Tensor::new(&rows[..], &Device::Cpu)?, 0)?,
            &mut rng,
        )?;
        let (objects, grounds) = classifier.logits(&images, Mode::Train)?;
        let of = |classes: &[usize]| -> Result<Tensor> {
            let picked: Vec<u32> = rows.iter().map(|r| classes[*r as usize] as u32).collect();
            Ok(Tensor::new(picked, &Device::Cpu)?)
        };
        let loss = (candle_nn::loss::cross_entropy(&objects, &of(&from.objects)?)?
            + candle_nn::loss::cross_entropy(&grounds, &of(&from.grounds)?)?)?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        if !value.is_finite() {
            return Err(Error::value("the classifier's loss", "a number", value));
        }
        optimizer.backward_step(&loss)?;
        step += 1;
        if step.is_multiple_of(20) {
            let progress = schedule.progress(step);
            report(&ClassifierReport { step, progress, loss: value, ..Default::default() });
        }
    }
    let (object, ground) = examine(&classifier, &single::draw(1000, Split::Valid, SIDE, seed)?)?;
    // Other pictures than those of the training.
    let unseen = single::draw(500, Split::UnseenPairs, SIDE, seed ^ 0xff)?;
    let (object_of_unseen_pairs, _) = examine(&classifier, &unseen)?;
    let last =
        ClassifierReport { step, progress: 1., loss: 0., object, ground, object_of_unseen_pairs };
    Ok((classifier, last))
}

/// The shares of right objects and grounds.
fn examine(classifier: &PictureClassifier, test: &Singles) -> Result<(f64, f64)> {
    let seen = classifier.look(&test.images)?;
    let share = |right: &dyn Fn(usize) -> bool| {
        (0..seen.len()).filter(|i| right(*i)).count() as f64 / seen.len() as f64
    };
    Ok((
        share(&|i| seen[i].object == test.objects[i]),
        share(&|i| seen[i].ground == test.grounds[i]),
    ))
}

/// Pictures moved by up to two pixels, some of them blurred, with some noise: `(b, 3, s, s)` → the same.
fn roughen(images: &Tensor, rng: &mut ChaCha8Rng) -> Result<Tensor> {
    let (b, c, h, w) = images.dims4()?;
    let from = images.contiguous()?.flatten_all()?.to_vec1::<f32>()?;
    let mut to = vec![0f32; from.len()];
    for i in 0..b {
        let (dx, dy) = (rng.random_range(-2..=2i64), rng.random_range(-2..=2i64));
        let blur: f32 = if rng.random_bool(0.5) { rng.random_range(0.0..0.2) } else { 0. };
        let noise: f32 = rng.random_range(0.0..0.06);
        for plane in 0..c {
            let start = (i * c + plane) * h * w;
            let at = |x: i64, y: i64| {
                let (x, y) = (x.clamp(0, w as i64 - 1), y.clamp(0, h as i64 - 1));
                from[start + y as usize * w + x as usize]
            };
            for y in 0..h {
                for x in 0..w {
                    let (u, v) = (x as i64 + dx, y as i64 + dy);
                    let around = at(u - 1, v) + at(u + 1, v) + at(u, v - 1) + at(u, v + 1);
                    let value = (1. - 4. * blur) * at(u, v) + blur * around;
                    to[start + y * w + x] = value + noise * (rng.random::<f32>() * 2. - 1.);
                }
            }
        }
    }
    Ok(Tensor::from_vec(to, (b, c, h, w), &Device::Cpu)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_the_grounds_in_a_few_steps() {
        let (_, report) = train_classifier(512, 40, None, 0, &mut |_| {}).unwrap();
        // Eight grounds: chance is 0.125, and a ground is most of a picture's colour.
        assert!(report.ground > 0.5, "{report:?}");
    }
}
