//! A classifier of pictures whose rows are made of text.

use std::path::Path;

use candle_core::{Device, Tensor};
use candle_nn::ops::softmax;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{StateDict, load_pt, save_pt};
use crate::clip::ClipModel;
use crate::nn::l2_normalize;
use crate::{Error, Result};

/// The record of the zip that says what the rows are.
const RECORD: &str = "vision_language.json";
const KIND: &str = "zero_shot_classifier";

/// One unit vector a class: what remains of a prompt ensemble. It asks the image encoder alone.
#[derive(Clone, Debug)]
pub struct TextClassifier {
    /// The classes.
    pub class_names: Vec<String>,
    /// `(c, p)`, rows of unit length.
    pub weights: Tensor,
    /// The logarithm of what cosines are multiplied with: the slide's `t`.
    pub logit_scale: f64,
}

/// What stands in the file beside the tensors.
#[derive(Serialize, Deserialize)]
struct Card {
    model: String,
    version: String,
    class_names: Vec<String>,
}

impl TextClassifier {
    /// The classifier with these rows (as the exercise `zero_shot_classifier` gives them) and the model's temperature.
    ///
    /// # Errors
    /// When there are not as many rows as classes, or rows that are not of unit length.
    pub fn new(class_names: &[String], weights: &Tensor, model: &ClipModel) -> Result<Self> {
        let scale = model.logit_scale().to_scalar::<f32>()?;
        Self::with_scale(class_names, weights, f64::from(scale))
    }

    /// As [`new`](Self::new) with a temperature of one's own.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_scale(class_names: &[String], weights: &Tensor, logit_scale: f64) -> Result<Self> {
        let c = class_names.len();
        if c == 0 || weights.rank() != 2 || weights.dim(0)? != c {
            let expected = format!("({c}, p), a row a class, of at least one class");
            return Err(Error::shape("TextClassifier, weights", expected, weights.shape()));
        }
        let lengths = weights.sqr()?.sum(1)?.sqrt()?.to_vec1::<f32>()?;
        if let Some(at) = lengths.iter().position(|l| l.is_nan() || (l - 1.).abs() >= 1e-3) {
            let got = format!("length {:.4} for {:?}", lengths[at], class_names[at]);
            return Err(Error::value("TextClassifier, weights", "rows of length 1", got));
        }
        Ok(Self { class_names: class_names.to_vec(), weights: weights.detach(), logit_scale })
    }

    /// One sentence a class, and no ensemble.
    ///
    /// # Errors
    /// When there are not as many sentences as classes.
    pub fn of_sentences(
        class_names: &[String],
        sentences: &[String],
        model: &ClipModel,
    ) -> Result<Self> {
        Self::new(class_names, &l2_normalize(&model.encode_texts(sentences)?)?, model)
    }

    /// Embeddings of pictures `(n, p)`, normalised or not → probabilities `(n, c)`.
    ///
    /// # Errors
    /// When the embeddings are of another model.
    pub fn probabilities(&self, image_embeddings: &Tensor) -> Result<Tensor> {
        let p = self.weights.dim(1)?;
        if image_embeddings.rank() != 2 || image_embeddings.dim(1)? != p {
            let expected = format!("(n, {p}), embeddings of the model that it was made with");
            return Err(Error::shape("TextClassifier", expected, image_embeddings.shape()));
        }
        let cosines = l2_normalize(image_embeddings)?.matmul(&self.weights.t()?)?;
        Ok(softmax(&(cosines * self.logit_scale.exp())?, 1)?)
    }

    /// Embeddings of pictures `(n, p)` → all classes of each, the most probable first.
    ///
    /// # Errors
    /// As [`probabilities`](Self::probabilities).
    pub fn predict(&self, image_embeddings: &Tensor) -> Result<Vec<Prediction>> {
        let rows = self.probabilities(image_embeddings)?.to_vec2::<f32>()?;
        Ok(rows.into_iter().map(Prediction::new).collect())
    }

    /// Writes a small file that `torch.load` reads: `weights`, `logit_scale`, and the class names in a record beside.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let state = StateDict::from([
            ("weights".to_string(), self.weights.to_device(&Device::Cpu)?),
            ("logit_scale".to_string(), Tensor::new(self.logit_scale as f32, &Device::Cpu)?),
        ]);
        let card = Card {
            model: KIND.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            class_names: self.class_names.clone(),
        };
        save_pt(path, &state, &[(RECORD, &serde_json::to_vec_pretty(&card)?)])
    }

    /// Reads a file of [`save`](Self::save).
    ///
    /// # Errors
    /// When it is missing, damaged, or something else.
    pub fn load(path: &Path) -> Result<Self> {
        let wrong = |why: String| Error::Checkpoint {
            path: path.into(),
            why,
            next: "use a file that `cargo vl classify --save` or `TextClassifier::save` wrote"
                .into(),
        };
        let mut file = load_pt(path)?;
        let card =
            file.records.get(RECORD).ok_or_else(|| wrong(format!("no record `{RECORD}`")))?;
        let card: Card = serde_json::from_slice(card)
            .map_err(|e| wrong(format!("it is no saved classifier ({e})")))?;
        if card.model != KIND {
            return Err(wrong(format!("it holds a model of the kind `{}`", card.model)));
        }
        let mut take = |key: &str| {
            file.state.remove(key).ok_or_else(|| wrong(format!("there is no tensor `{key}`")))
        };
        let (weights, scale) = (take("weights")?, take("logit_scale")?.to_scalar::<f32>()?);
        Self::with_scale(&card.class_names, &weights, f64::from(scale))
    }
}

/// What a classifier says of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Every class with its probability, the most probable first.
    pub ranked: Vec<(usize, f32)>,
}

impl Prediction {
    /// Of a probability a class.
    pub fn new(probabilities: Vec<f32>) -> Self {
        let mut ranked: Vec<(usize, f32)> = probabilities.into_iter().enumerate().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        Self { ranked }
    }

    /// The most probable class.
    pub fn class(&self) -> usize {
        self.ranked.first().map_or(0, |(class, _)| *class)
    }

    /// The probability of a class; 0 for one that is not there.
    pub fn probability(&self, class: usize) -> f32 {
        self.ranked.iter().find(|(other, _)| *other == class).map_or(0., |(_, p)| *p)
    }

    /// At which place a class is: 1 is best; where probabilities tie, the worse place.
    pub fn rank(&self, class: usize) -> usize {
        let own = self.probability(class);
        self.ranked.iter().filter(|(_, p)| *p >= own).count().max(1)
    }
}

/// The share of pictures whose class is among the `k` most probable.
///
/// # Errors
/// When there is no picture, or not a label a picture.
pub fn top_k_accuracy(predictions: &[Prediction], labels: &[usize], k: usize) -> Result<f64> {
    if predictions.is_empty() || predictions.len() != labels.len() {
        let got = format!("{} predictions, {} labels", predictions.len(), labels.len());
        return Err(Error::value("top_k_accuracy", "a label a prediction, at least one", got));
    }
    let right = predictions.iter().zip(labels).filter(|(p, label)| p.rank(**label) <= k).count();
    Ok(right as f64 / labels.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["dog", "cat", "boat"].map(String::from).to_vec()
    }

    fn classifier() -> TextClassifier {
        let rows = Tensor::new(&[[1f32, 0.], [0., 1.], [-1., 0.]], &Device::Cpu).unwrap();
        TextClassifier::with_scale(&names(), &rows, 0.).unwrap()
    }

    #[test]
    fn probabilities_are_a_softmax_over_scaled_cosines() {
        // Cosines 0.6, 0.8, −0.6 by hand; lengths of pictures do not matter.
        let images = Tensor::new(&[[3f32, 4.]], &Device::Cpu).unwrap();
        let p = classifier().probabilities(&images).unwrap().to_vec2::<f32>().unwrap();
        let e = [0.6f64, 0.8, -0.6].map(f64::exp);
        let sum: f64 = e.iter().sum();
        for (came, e) in p[0].iter().zip(e) {
            assert!((f64::from(*came) - e / sum).abs() < 1e-6);
        }
        let found = &classifier().predict(&images).unwrap()[0];
        assert_eq!((found.class(), found.rank(1), found.rank(0), found.rank(2)), (1, 1, 2, 3));
    }

    #[test]
    fn a_saved_classifier_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dogs.pt");
        let mut one = classifier();
        one.logit_scale = 4.5;
        one.save(&path).unwrap();
        let back = TextClassifier::load(&path).unwrap();
        assert_eq!((&back.class_names, back.logit_scale), (&names(), 4.5));
        let rows = |c: &TextClassifier| c.weights.to_vec2::<f32>().unwrap();
        assert_eq!(rows(&back), rows(&one));
        save_pt(&path, &StateDict::new(), &[]).unwrap();
        assert!(TextClassifier::load(&path).unwrap_err().to_string().contains("classify --save"));
    }

    #[test]
    fn rows_that_are_not_normalised_are_refused() {
        let rows = Tensor::new(&[[1f32, 0.], [0., 2.], [-1., 0.]], &Device::Cpu).unwrap();
        let error = TextClassifier::with_scale(&names(), &rows, 0.).unwrap_err().to_string();
        assert!(error.contains("length 2.0000 for \"cat\""), "{error}");
        assert!(TextClassifier::with_scale(&names()[..2], &rows, 0.).is_err());
    }

    #[test]
    fn a_tie_is_no_hit() {
        let same = Prediction::new(vec![0.25; 4]);
        assert_eq!(same.rank(0), 4);
        assert_eq!(top_k_accuracy(std::slice::from_ref(&same), &[0], 1).unwrap(), 0.);
        assert_eq!(top_k_accuracy(&[same], &[0], 4).unwrap(), 1.);
        assert!(top_k_accuracy(&[], &[], 1).is_err());
    }
}
