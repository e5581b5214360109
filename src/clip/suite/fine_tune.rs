//! Fine-tuning, end to end: the image encoder, its head, and a linear classifier that starts as the zero-shot classifier, all
//! trained on a task's labelled pictures (M. Wortsman and others, "Robust fine-tuning of zero-shot models",
//! arXiv:2109.01903, section 3.1).
//!
//! ```text
//! logits = W e / |e|,  e = head(encoder(picture)),  W = exp(t) · the zero-shot classifier's unit rows, to begin with
//! ```
//!
//! So the first step starts from zero-shot accuracy. What it gains on pictures like those it is trained on, it may lose on
//! others: that paper is about the loss.

use candle_core::{Device, Tensor};
use candle_nn::loss::cross_entropy;
use candle_nn::ops::softmax;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use super::{Painted, TaskData};
use crate::clip::{ClipModel, Prediction, TextClassifier};
use crate::dataset::Transform;
use crate::display::{Interruptible, Progress};
use crate::nn::{AdamW, Cosine, Init, Mode, Param, ParamGroup, Params, l2_normalize};
use crate::{Error, Result};

/// Pictures that go through the encoder at once when nothing is trained.
const BATCH: usize = 64;

/// How a classifier is fine-tuned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FineTuneOptions {
    /// Passes over the examples.
    pub epochs: usize,
    /// Examples in a batch; what makes no full one at an epoch's end is left out of that epoch.
    pub batch_size: usize,
    /// The learning rate of everything: up over the first twentieth, then down to zero along a cosine.
    pub lr: f64,
    /// The seed of the shuffles.
    pub seed: u64,
}

impl Default for FineTuneOptions {
    fn default() -> Self {
        Self { epochs: 10, batch_size: 64, lr: 3e-4, seed: 0 }
    }
}

/// A CLIP model that becomes a classifier of one task.
pub struct FineTuned {
    model: ClipModel,
    /// `(c, p)`
    weight: Param,
    /// The mean loss of every epoch so far.
    pub losses: Vec<f64>,
}

impl FineTuned {
    /// Before the first step: the zero-shot classifier. The model is changed by what follows; who wants to compare with it
    /// opens it once more.
    ///
    /// # Errors
    /// When the classifier was made with a model of another size.
    pub fn new(model: ClipModel, classifier: &TextClassifier) -> Result<Self> {
        let p = model.config().projection_dim;
        let rows = &classifier.weights;
        if rows.dim(1)? != p {
            let expected = format!("(c, {p}), made with this model");
            return Err(Error::shape("FineTuned, the classifier's rows", expected, rows.shape()));
        }
        let place = Params::new(model.params().device(), 0).pp("classifier");
        let weight = place.get(rows.shape().clone(), "weight", Init::Const(0.))?;
        weight.var().set(&(rows * classifier.logit_scale.exp())?.contiguous()?)?;
        model.params().pp("image_encoder").set_trainable(true);
        Ok(Self { model, weight, losses: Vec::new() })
    }

    /// The model, as far as it was trained.
    pub fn model(&self) -> &ClipModel {
        &self.model
    }

    /// The classifier `W`, `(c, p)`.
    pub fn weight(&self) -> &Param {
        &self.weight
    }

    /// Pictures `(b, 3, s, s)` → logits `(b, c)`.
    ///
    /// # Errors
    /// When the pictures have another shape.
    pub fn logits(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        let embeddings = l2_normalize(&self.model.encode_image(images, mode)?)?;
        Ok(embeddings.matmul(&self.weight.tensor().t()?)?)
    }

    /// The mean cross-entropy of pictures `(b, 3, s, s)` with their classes `(b)`, u32.
    ///
    /// # Errors
    /// As [`logits`](Self::logits).
    pub fn loss(&self, images: &Tensor, classes: &Tensor, mode: Mode) -> Result<Tensor> {
        Ok(cross_entropy(&self.logits(images, mode)?, classes)?)
    }

    /// AdamW over all that trains: the image encoder, its head, the classifier. The text encoder is not asked any more.
    pub fn optimizer(&self, lr: f64) -> AdamW {
        let group =
            |name: &str, params| ParamGroup { name: name.into(), params, lr, weight_decay: 0. };
        let below = |name: &str| self.model.params().pp(name).trainable();
        AdamW::new(vec![
            group("image_encoder", below("image_encoder")),
            group("image_projection", below("image_projection")),
            group("classifier", vec![self.weight.clone()]),
        ])
    }

    /// Trains on pictures of a task, `data` of `train`, with a bar of progress.
    ///
    /// # Errors
    /// When there is no example, or a class without a row; when a loss is not a number; [`Error::Stopped`].
    pub fn fit(
        &mut self,
        train: &Painted,
        data: &TaskData,
        options: &FineTuneOptions,
    ) -> Result<()> {
        let (n, c) = (data.rows.len(), self.weight.var().dim(0)?);
        if n == 0 || options.batch_size == 0 || data.labels.iter().any(|label| *label >= c) {
            let expected =
                format!("at least one example, of {c} classes, in batches of at least one");
            let got = format!("{n} examples, batches of {}", options.batch_size);
            return Err(Error::value("FineTuned::fit", expected, got));
        }
        let batch_size = options.batch_size.min(n);
        let steps = options.epochs * (n / batch_size);
        let mut optimizer = self.optimizer(options.lr);
        let schedule = Cosine::new(&optimizer, steps, None);
        let stop = Interruptible::new("the fine-tuning");
        let what = format!("fine-tuning on {}", data.task.name());
        let (mut progress, mut step) = (Progress::new(what, steps), 0);
        let mut order: Vec<usize> = (0..n).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        for _ in 0..options.epochs {
            order.shuffle(&mut rng);
            let mut sum = 0.;
            for part in order.chunks_exact(batch_size) {
                stop.check(|| format!("{step} of {steps} steps are done"))?;
                let rows: Vec<usize> = part.iter().map(|at| data.rows[*at]).collect();
                let classes: Vec<u32> = part.iter().map(|at| data.labels[*at] as u32).collect();
                let images = self.images(train, &rows)?;
                schedule.set(&mut optimizer, step);
                let classes = Tensor::new(classes, images.device())?;
                let loss = self.loss(&images, &classes, Mode::Train)?;
                let value = f64::from(loss.to_scalar::<f32>()?);
                if !value.is_finite() {
                    let what = format!("the fine-tuning's loss of step {}", step + 1);
                    return Err(Error::value(what, "a number", value));
                }
                optimizer.backward_step(&loss)?;
                (step, sum) = (step + 1, sum + value);
                progress.update(step, &format!("loss {value:.3}"));
            }
            self.losses.push(sum / (n / batch_size) as f64);
        }
        progress.finish(&format!("{n} examples, {} times", options.epochs));
        Ok(())
    }

    /// Pictures of a task, `data` of `test` → all classes of each, the most probable first.
    ///
    /// # Errors
    /// [`Error::Stopped`] by a notebook's stop button.
    pub fn predict(&self, test: &Painted, data: &TaskData) -> Result<Vec<Prediction>> {
        let stop = Interruptible::new("the classification");
        let mut found = Vec::with_capacity(data.rows.len());
        for rows in data.rows.chunks(BATCH) {
            stop.check(|| format!("{} of {} pictures are done", found.len(), data.rows.len()))?;
            let logits = self.logits(&self.images(test, rows)?, Mode::Eval)?.detach();
            let chances = softmax(&logits, 1)?.to_vec2::<f32>()?;
            found.extend(chances.into_iter().map(Prediction::new));
        }
        Ok(found)
    }

    /// These pictures as the encoder reads them, `(b, 3, s, s)`.
    fn images(&self, painted: &Painted, rows: &[usize]) -> Result<Tensor> {
        let transform = Transform::of(self.model.config());
        let one = |row: &usize| transform.apply(&painted.pictures[*row]);
        let images: Vec<Tensor> = rows.par_iter().map(one).collect::<Result<_>>()?;
        let device: &Device = self.model.params().device();
        Ok(Tensor::stack(&images, 0)?.to_device(device)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::suite::{Gallery, Task, draw_scenes};
    use crate::dataset::scenes::Split;

    fn classifier(model: &ClipModel) -> TextClassifier {
        let names = Task::Background.class_names();
        let sentences: Vec<String> = names.iter().map(|n| format!("on the {n}")).collect();
        TextClassifier::of_sentences(&names, &sentences, model).unwrap()
    }

    #[test]
    fn before_the_first_step_it_is_the_zero_shot_classifier() {
        let model = ClipModel::shipped().unwrap();
        let classifier = classifier(&model);
        let painted = Painted::new(&model, draw_scenes(Split::Valid, 12, 0)).unwrap();
        let zero_shot =
            classifier.predict(&Gallery::encoded(&model, &painted).unwrap().embeddings).unwrap();
        let data = Task::Background.of_scenes(&painted.scenes, usize::MAX);
        let tuned = FineTuned::new(model, &classifier).unwrap();
        for (a, b) in tuned.predict(&painted, &data).unwrap().iter().zip(&zero_shot) {
            assert_eq!(a.class(), b.class());
            // Two softmaxes in f32 of logits up to about 30.
            assert!((a.ranked[0].1 - b.ranked[0].1).abs() < 1e-4);
        }
    }

    #[test]
    fn all_of_the_image_side_is_trained_and_nothing_of_the_text_side() {
        let model = ClipModel::shipped().unwrap();
        let classifier = classifier(&model);
        let painted = Painted::new(&model, draw_scenes(Split::Train, 24, 0)).unwrap();
        let data = Task::Background.of_scenes(&painted.scenes, usize::MAX);
        let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let all = |model: &ClipModel| -> Vec<(String, Vec<f32>)> {
            model.params().all().iter().map(|p| (p.name().into(), values(p.var()))).collect()
        };
        let (before, rows) = (all(&model), values(&classifier.weights));
        let mut tuned = FineTuned::new(model, &classifier).unwrap();
        let options = FineTuneOptions { epochs: 6, batch_size: 8, ..Default::default() };
        tuned.fit(&painted, &data, &options).unwrap();
        for ((name, before), (_, after)) in before.iter().zip(all(tuned.model())) {
            let image = name.starts_with("image_encoder") || name.starts_with("image_projection");
            assert_eq!(*before != after, image, "`{name}`");
        }
        let scale = classifier.logit_scale.exp() as f32;
        let moved = values(tuned.weight().var()).iter().zip(rows).any(|(a, b)| *a != b * scale);
        assert!(moved);
        assert_eq!(tuned.losses.len(), 6);
        assert!(tuned.losses[5] < tuned.losses[0], "{:?}", tuned.losses);
        let none = TaskData { rows: vec![], labels: vec![], ..data };
        assert!(tuned.fit(&painted, &none, &options).is_err());
    }
}
