//! Training by one objective, and accuracy against examples seen: a line of the paper's figure 2.

use std::time::Instant;

use candle_core::Tensor;
use rayon::prelude::*;

use super::learner::{Learner, learner};
use super::{Labels, Objective, ObjectivesConfig};
use crate::clip::suite::Painted;
use crate::clip::{AvgMeter, ClipLoss};
use crate::dataset::{Loader, Transform};
use crate::display::{Interruptible, Picture, Progress, Spread, spread_plot};
use crate::nn::Cosine;
use crate::{Error, Result};

/// Pictures that go through an encoder at once.
const BATCH: usize = 64;

/// What was measured after some examples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectiveRow {
    /// What the captions were used for.
    pub objective: Objective,
    /// The seed of the initial weights.
    pub seed: u64,
    /// Pairs of picture and caption seen so far.
    pub examples: usize,
    /// Seconds of training so far, without measuring.
    pub seconds: f64,
    /// The mean loss since the last row. Losses of different objectives cannot be compared.
    pub loss: f64,
    /// The share of the held-out pictures whose class was recognised.
    pub accuracy: f64,
}

/// Trains a model by one objective and measures its zero-shot accuracy on the way. The same loader, configuration and seed
/// give every objective the same pictures with the same captions in the same order.
///
/// `train` has the pictures as `config.base` wants them, `test` are held-out scenes; `loss` is used by
/// [`Objective::Contrastive`] alone. `watch` gets each row as soon as it is known.
///
/// # Errors
/// When the configuration asks for fewer examples than measurements, or for none; when no test picture fits the task; when a
/// loss is not a number; what the model or the loader reports; [`Error::Stopped`].
pub fn objective_curve(
    objective: Objective,
    config: &ObjectivesConfig,
    loss: ClipLoss,
    train: &Loader,
    test: &Painted,
    watch: &mut dyn FnMut(&ObjectiveRow),
) -> Result<Vec<ObjectiveRow>> {
    if config.measurements == 0 || config.examples < config.measurements {
        let expected =
            format!("at least one, and at least as many as measurements ({})", config.measurements);
        return Err(Error::value("objective_curve, examples", expected, config.examples));
    }
    let exam = Exam::new(config, test)?;
    let model = learner(objective, config, loss)?;
    let mut optimizer = model.optimizer();
    let schedule = Cosine::new(&optimizer, config.examples, None);
    let stop = Interruptible::new("the training");
    let mut progress = Progress::new(format!("learning by {}", objective.name()), config.examples);
    let (mut rows, mut seen) = (Vec::<ObjectiveRow>::new(), 0);
    let (mut seconds, mut clock, mut meter) = (0., Instant::now(), AvgMeter::default());
    for epoch in 0.. {
        let before = seen;
        for batch in train.epoch(epoch) {
            stop.check(|| format!("{seen} of {} examples are seen", config.examples))?;
            let batch = batch?.to_device(&exam.device)?;
            schedule.set(&mut optimizer, seen);
            let loss = model.loss(&batch)?;
            let value = f64::from(loss.to_scalar::<f32>()?);
            if !value.is_finite() {
                let what = format!("the loss after {seen} examples by {}", objective.name());
                return Err(Error::value(what, "a number", value));
            }
            optimizer.backward_step(&loss)?;
            model.after_step()?;
            seen += batch.len();
            meter.update(value, batch.len());
            if seen.min(config.examples) * config.measurements / config.examples > rows.len() {
                seconds += clock.elapsed().as_secs_f64();
                let row = ObjectiveRow {
                    objective,
                    seed: config.base.seed,
                    examples: seen,
                    seconds,
                    loss: meter.avg,
                    accuracy: exam.accuracy(model.as_ref())?,
                };
                watch(&row);
                rows.push(row);
                (clock, meter) = (Instant::now(), AvgMeter::default());
            }
            let accuracy = rows.last().map_or(0., |row| row.accuracy);
            if seen >= config.examples {
                progress.finish(&format!("accuracy {accuracy:.3} after {seen} examples"));
                return Ok(rows);
            }
            progress.update(seen, &format!("loss {value:.2}, accuracy {accuracy:.3}"));
        }
        if seen == before {
            return Err(Error::value("objective_curve, train", "a loader with batches", "none"));
        }
    }
    Ok(rows)
}

/// The question, and the pictures that it is about.
struct Exam {
    transform: Transform,
    pictures: Painted,
    classes: Vec<usize>,
    labels: Labels,
    device: candle_core::Device,
}

impl Exam {
    fn new(config: &ObjectivesConfig, test: &Painted) -> Result<Self> {
        let data = config.task.of_scenes(&test.scenes, usize::MAX);
        if data.rows.is_empty() {
            let expected = format!("pictures that the task `{}` fits", config.task.name());
            return Err(Error::value("objective_curve, test", expected, "none"));
        }
        Ok(Self {
            transform: Transform::of(&config.base),
            pictures: test.select(&data.rows),
            classes: data.labels,
            labels: Labels::of(config.task),
            device: config.base.device()?,
        })
    }

    /// The share of pictures whose class has the highest score, alone.
    fn accuracy(&self, model: &dyn Learner) -> Result<f64> {
        let stop = Interruptible::new("the measuring");
        let (mut right, mut done) = (0, 0);
        let parts = self.pictures.pictures.chunks(BATCH).zip(self.classes.chunks(BATCH));
        for (part, classes) in parts {
            stop.check(|| format!("{done} of {} pictures are done", self.classes.len()))?;
            let images = part.par_iter().map(|p| self.transform.apply(p));
            let images = Tensor::stack(&images.collect::<Result<Vec<_>>>()?, 0)?;
            let scores = model.scores(&images.to_device(&self.device)?, &self.labels)?;
            for (row, class) in scores.to_vec2::<f32>()?.iter().zip(classes) {
                // A tie, or something that is no number, is a miss.
                let others = row.iter().enumerate().filter(|(other, _)| other != class);
                right += usize::from(others.into_iter().all(|(_, s)| *s < row[*class]));
            }
            done += part.len();
        }
        Ok(right as f64 / self.classes.len() as f64)
    }
}

/// Accuracy against examples seen, a line an objective; where there are several seeds, their mean with a bar from the lowest
/// to the highest.
///
/// # Errors
/// When there is no row.
pub fn objectives_plot(rows: &[ObjectiveRow]) -> Result<Picture> {
    let mut lines: Vec<Spread> = Vec::new();
    for objective in Objective::ALL {
        let mut line = Spread::new(objective.name());
        for row in rows.iter().filter(|row| row.objective == objective) {
            line.add(row.examples as f64 / 1000., row.accuracy);
        }
        if !line.points.is_empty() {
            lines.push(line);
        }
    }
    let title = "What captions are good for: three objectives";
    spread_plot(title, "thousand examples seen", "zero-shot accuracy", &lines)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clip::suite::{Task, draw_scenes};
    use crate::config::{Config, Gpt2Config, ResNetConfig, ResidualLayer, Stem};
    use crate::dataset::scenes::{ScenesConfig, Split, generate};
    use crate::dataset::{BadRows, DataFolder, FolderPairs, PairDataset};
    use crate::encoder;

    fn config() -> ObjectivesConfig {
        let tiny = ObjectivesConfig::tiny();
        let image_encoder = ResNetConfig {
            embedding_size: 8,
            hidden_sizes: vec![8],
            depths: vec![1],
            layer: ResidualLayer::Basic,
            stem: Stem::Small,
        };
        ObjectivesConfig {
            base: Config {
                size: 16,
                device: "cpu".into(),
                image_encoder: image_encoder.into(),
                ..tiny.base
            },
            decoder: Gpt2Config { n_embd: 16, n_layer: 1, n_head: 2, ..tiny.decoder },
            examples: 200,
            measurements: 4,
            task: Task::Background,
        }
    }

    /// Not the contrastive loss: the distance of each pair, so that every parameter has a gradient.
    fn distance(image: &Tensor, text: &Tensor, scale: &Tensor) -> Result<Tensor> {
        Ok(((image - text)?.sqr()?.mean_all()? * scale.exp()?)?)
    }

    fn loader(folder: &std::path::Path, config: &ObjectivesConfig) -> Loader {
        let some =
            ScenesConfig { images: 30, unseen_style: 0, unseen_pairs: 0, ..Default::default() };
        generate(&some, folder, &mut |_, _| {}).unwrap();
        let data = DataFolder::find(folder).unwrap();
        let all = data.captions(BadRows::Refuse).unwrap();
        let pairs = FolderPairs::new(
            &all.image_filenames,
            &all.captions,
            &encoder::tokenizer(&config.base).unwrap(),
            &Transform::of(&config.base),
            &data.images,
            32,
        );
        Loader::new(Arc::new(pairs.unwrap().cached()), 8, Some(0), 1, true).unwrap()
    }

    #[test]
    fn every_objective_learns_and_is_measured_on_the_way() {
        let (config, folder) = (config(), tempfile::tempdir().unwrap());
        let loader = loader(folder.path(), &config);
        let test = Painted::at(&config.base, draw_scenes(Split::Valid, 20, 0)).unwrap();
        let mut all = Vec::new();
        for objective in Objective::ALL {
            let mut told = Vec::new();
            let mut watch = |row: &ObjectiveRow| told.push(*row);
            let rows = objective_curve(objective, &config, distance, &loader, &test, &mut watch);
            let rows = rows.unwrap();
            assert_eq!(rows, told);
            let seen: Vec<usize> = rows.iter().map(|row| row.examples).collect();
            // Of 200 examples in batches of 8, after each quarter: the first batch that ends behind it.
            assert_eq!(seen, [56, 104, 152, 200]);
            assert!(rows.iter().all(|row| row.objective == objective && row.seed == 42));
            assert!(rows.windows(2).all(|w| w[0].seconds < w[1].seconds));
            assert!(rows.iter().all(|row| (0. ..=1.).contains(&row.accuracy)));
            assert!(rows[3].loss < rows[0].loss, "{rows:?}");
            all.extend(rows);
        }
        let alt = objectives_plot(&all).unwrap().alt;
        assert!(Objective::ALL.iter().all(|o| alt.contains(o.name())), "{alt}");
        assert!(objectives_plot(&[]).is_err());
        let none = ObjectivesConfig { examples: 3, ..config };
        let words = Objective::Words;
        assert!(objective_curve(words, &none, distance, &loader, &test, &mut |_| {}).is_err());
    }

    /// The comparison is one of objectives alone: what sees the pictures begins as the same network.
    #[test]
    fn all_image_encoders_start_the_same() {
        let config = config();
        let values = |params: &crate::nn::Params| -> Vec<(String, Vec<f32>)> {
            let all = params.pp("image_encoder").all();
            let flat = |p: &crate::nn::Param| p.var().flatten_all().unwrap().to_vec1().unwrap();
            all.iter().map(|p| (p.name().to_string(), flat(p))).collect()
        };
        let captioner = values(super::super::Captioner::new(&config).unwrap().params());
        let words = values(super::super::BagOfWords::new(&config.base).unwrap().params());
        let head = crate::clip::head::<crate::clip::LinearHead>();
        let clip = crate::clip::ClipModel::new(&config.base, head, distance).unwrap();
        assert!(captioner.len() > 8);
        assert_eq!(captioner, words);
        assert_eq!(captioner, values(clip.params()));
    }
}
