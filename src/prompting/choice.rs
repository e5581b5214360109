//! From likelihoods to a choice: normalised by length, and calibrated against an input that says nothing.

use crate::language_model::Likelihood;
use crate::{Error, Result};

/// What of an answer's likelihood counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// The chance of all its tokens: long answers are unlikely.
    Sum,
    /// The mean a token (GPT-3, section 2.4): long and short answers can be compared.
    PerToken,
}

/// The chances of the answers among themselves: `softmax` of their log-likelihoods.
pub fn chances(likelihoods: &[Likelihood], length: Length) -> Vec<f64> {
    let score = |l: &Likelihood| match length {
        Length::Sum => -l.nats,
        Length::PerToken => -l.nats_per_token(),
    };
    softmax(&likelihoods.iter().map(score).collect::<Vec<_>>())
}

fn softmax(scores: &[f64]) -> Vec<f64> {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = scores.iter().map(|s| (s - largest).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|w| w / total).collect()
}

/// Contextual calibration (Zhao et al. 2021, arXiv:2102.09690, section 5): the chances of labels divided by those after an
/// input that says nothing (their mean where there are several: `N/A`, `[MASK]`, the empty text), made to sum to one. What the
/// prompt alone prefers is taken out.
///
/// # Errors
/// When the numbers of labels differ, or there is no such input.
pub fn calibrate(chances: &[f64], content_free: &[Vec<f64>]) -> Result<Vec<f64>> {
    if content_free.is_empty() || content_free.iter().any(|c| c.len() != chances.len()) {
        let expected = format!("at least one row of {} chances", chances.len());
        let got = format!("{:?}", content_free.iter().map(Vec::len).collect::<Vec<_>>());
        return Err(Error::value("calibrate, content_free", expected, got));
    }
    let mean =
        |i: usize| content_free.iter().map(|c| c[i]).sum::<f64>() / content_free.len() as f64;
    let weighed: Vec<f64> =
        chances.iter().enumerate().map(|(i, p)| p / mean(i).max(f64::MIN_POSITIVE)).collect();
    let total: f64 = weighed.iter().sum();
    Ok(weighed.iter().map(|w| w / total).collect())
}

/// The number of the largest; of equal ones the first.
pub fn best(chances: &[f64]) -> usize {
    let better = |best: usize, i: usize| if chances[i] > chances[best] { i } else { best };
    (0..chances.len()).fold(0, better)
}

/// Which answers stand for which label: "great" and "good" for `++`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verbalizer {
    /// The labels' names.
    pub labels: Vec<String>,
    /// All answers.
    pub answers: Vec<String>,
    /// For each answer the number of its label.
    pub label_of: Vec<usize>,
}

impl Verbalizer {
    /// Labels with their answers.
    pub fn new(labels: &[(&str, &[&str])]) -> Self {
        let mut all = Self { labels: Vec::new(), answers: Vec::new(), label_of: Vec::new() };
        for (number, (label, answers)) in labels.iter().enumerate() {
            all.labels.push((*label).to_string());
            all.answers.extend(answers.iter().map(|a| (*a).to_string()));
            all.label_of.extend(std::iter::repeat_n(number, answers.len()));
        }
        all
    }

    /// Chances of answers → chances of labels: the sum of each label's answers.
    pub fn of_labels(&self, of_answers: &[f64]) -> Vec<f64> {
        let mut chances = vec![0.; self.labels.len()];
        for (chance, label) in of_answers.iter().zip(&self.label_of) {
            chances[*label] += chance;
        }
        chances
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nats(nats: f64, tokens: usize) -> Likelihood {
        Likelihood { nats, tokens, words: 1 }
    }

    #[test]
    fn a_long_answer_is_chosen_by_its_mean() {
        let both = [nats(3., 1), nats(4., 2)];
        assert_eq!(best(&chances(&both, Length::Sum)), 0);
        assert_eq!(best(&chances(&both, Length::PerToken)), 1);
        // softmax(−3, −4)
        assert!((chances(&both, Length::Sum)[0] - 0.731_058_578_630_004_9).abs() < 1e-12);
    }

    #[test]
    fn what_the_prompt_prefers_is_taken_out() {
        // The paper's way by hand: 0.6 / 0.8 against 0.4 / 0.2 is 0.75 against 2.
        let calibrated = calibrate(&[0.6, 0.4], &[vec![0.9, 0.1], vec![0.7, 0.3]]).unwrap();
        assert!((calibrated[1] - 2. / 2.75).abs() < 1e-12);
        assert_eq!(best(&calibrated), 1);
        assert!(calibrate(&[0.6, 0.4], &[]).is_err());
        assert!(calibrate(&[0.6, 0.4], &[vec![1.]]).is_err());
    }

    #[test]
    fn a_labels_answers_add_up() {
        let v = Verbalizer::new(&[("++", &["great", "good"]), ("--", &["bad"])]);
        assert_eq!(v.of_labels(&[0.3, 0.3, 0.4]), [0.6, 0.4]);
        assert_eq!(v.label_of, [0, 0, 1]);
    }
}
