//! Zero-shot accuracy of a task, prompted in three ways, and whether the ways differ.

use candle_core::Tensor;

use super::{Gallery, Prompts, Task, TaskData};
use crate::clip::{ClipModel, Prediction, TextClassifier, TextTable, ZeroShotClassifier, fill};
use crate::{Error, Result};

/// Which pictures were recognised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scores {
    /// For each picture of the task.
    pub right: Vec<bool>,
}

impl Scores {
    /// Compares predictions with the classes. A tie for the first place is a miss.
    pub fn of(predictions: &[Prediction], labels: &[usize]) -> Self {
        let right = predictions.iter().zip(labels).map(|(p, label)| p.rank(*label) == 1);
        Self { right: right.collect() }
    }

    /// The share that was recognised; 0 without pictures.
    pub fn accuracy(&self) -> f64 {
        let right = self.right.iter().filter(|right| **right).count();
        right as f64 / self.right.len().max(1) as f64
    }
}

/// The three ways of prompting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZeroShotScores {
    /// The label alone.
    pub bare: Scores,
    /// One sentence.
    pub one: Scores,
    /// The ensemble.
    pub ensemble: Scores,
}

/// Zero-shot classification of a task's pictures, with the label alone, one sentence, and the ensemble.
///
/// # Errors
/// What the classifier and the model say.
pub fn zero_shot_scores(
    zero_shot_classifier: ZeroShotClassifier,
    model: &ClipModel,
    gallery: &Gallery,
    data: &TaskData,
) -> Result<ZeroShotScores> {
    let images = gallery.embeddings_of(data)?;
    let [bare, one, ensemble] = Prompts::ALL.map(|prompts| {
        let classifier = zero_shot_of_task(zero_shot_classifier, model, data.task, prompts)?;
        Ok::<_, Error>(Scores::of(&classifier.predict(&images)?, &data.labels))
    });
    Ok(ZeroShotScores { bare: bare?, one: one?, ensemble: ensemble? })
}

/// The zero-shot classifier of a task.
///
/// # Errors
/// What the classifier and the model say.
pub fn zero_shot_of_task(
    zero_shot_classifier: ZeroShotClassifier,
    model: &ClipModel,
    task: Task,
    prompts: Prompts,
) -> Result<TextClassifier> {
    let (names, templates) = (task.class_names(), task.templates(prompts));
    let texts: Vec<String> =
        names.iter().flat_map(|name| templates.iter().map(move |t| fill(t, name))).collect();
    let table = TextTable::encoded(&texts, &|texts| model.encode_texts(texts))?;
    let rows: Tensor = zero_shot_classifier(&names, &templates, &|texts| table.encode(texts))?;
    TextClassifier::new(&names, &rows, model)
}

/// McNemar's exact test of two classifiers on the same pictures: how probable a difference at least this large is when
/// each picture on which they disagree falls to either with the same chance. Gives that probability.
///
/// # Errors
/// When they were asked about different numbers of pictures.
pub fn paired_test(a: &Scores, b: &Scores) -> Result<f64> {
    if a.right.len() != b.right.len() {
        let got = format!("{} and {}", a.right.len(), b.right.len());
        return Err(Error::value("paired_test", "the same pictures", got));
    }
    let pairs = || a.right.iter().zip(&b.right);
    let only_a = pairs().filter(|(a, b)| **a && !**b).count();
    let only_b = pairs().filter(|(a, b)| !**a && **b).count();
    let (n, few) = (only_a + only_b, only_a.min(only_b));
    // The binomial coefficients over 2ⁿ, in logarithms: from k to k + 1 the coefficient grows by (n − k) / (k + 1).
    let (mut log, mut sum) = (-(n as f64) * 2f64.ln(), 0.);
    for k in 0..=few {
        sum += log.exp();
        log += ((n - k) as f64 / (k + 1) as f64).ln();
    }
    Ok((2. * sum).min(1.))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(right: usize, of: usize) -> Scores {
        Scores { right: (0..of).map(|i| i < right).collect() }
    }

    #[test]
    fn the_paired_test_is_the_binomial_one() {
        // scipy.stats.binomtest(2, 12).pvalue = 0.03857421875; of 0 in 5: 0.0625; of 6 in 12: 1.
        let case = |only_a: usize, only_b: usize| {
            let (mut a, mut b) = (vec![true; 30], vec![true; 30]);
            b[..only_a].fill(false);
            a[only_a..only_a + only_b].fill(false);
            paired_test(&Scores { right: a }, &Scores { right: b }).unwrap()
        };
        assert!((case(2, 10) - 0.038_574_218_75).abs() < 1e-12);
        assert!((case(10, 2) - 0.038_574_218_75).abs() < 1e-12);
        assert!((case(0, 5) - 0.0625).abs() < 1e-12);
        assert_eq!((case(6, 6), case(0, 0)), (1., 1.));
        // Far out it is tiny and not zero or NaN.
        let p = paired_test(&scores(0, 900), &scores(900, 900)).unwrap();
        assert!(p > 0. && p < 1e-200);
        assert!(paired_test(&scores(1, 2), &scores(1, 3)).is_err());
    }

    #[test]
    fn accuracy_counts() {
        assert_eq!(scores(3, 4).accuracy(), 0.75);
        assert_eq!(Scores::default().accuracy(), 0.);
        let said = [Prediction::new(vec![0.2, 0.8]), Prediction::new(vec![0.5, 0.5])];
        assert_eq!(Scores::of(&said, &[1, 0]).right, [true, false]);
    }
}
