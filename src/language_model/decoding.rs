//! How the next token is chosen from its logits.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How the next token is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decoding {
    /// The likeliest one.
    Greedy,
    /// One drawn at random. What is set applies in the order of the fields, as in transformers.
    Sample {
        /// Divides the logits: below 1 likely tokens get likelier, above 1 less so.
        temperature: f64,
        /// Only among this many of the likeliest.
        top_k: Option<usize>,
        /// Only among the likeliest that together have this probability (arXiv:1904.09751): at least one.
        top_p: Option<f64>,
    },
}

impl Decoding {
    /// The probability with which each token is chosen: `(v)` logits → `(v)`.
    pub fn probabilities(&self, logits: &[f32]) -> Vec<f64> {
        let Self::Sample { temperature, top_k, top_p } = *self else {
            let mut one_hot = vec![0.; logits.len()];
            one_hot[argmax(logits)] = 1.;
            return one_hot;
        };
        let scaled: Vec<f64> =
            logits.iter().map(|l| f64::from(*l) / temperature.max(1e-6)).collect();
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|a, b| scaled[*b].total_cmp(&scaled[*a]));
        let mut keep = top_k.unwrap_or(logits.len()).clamp(1, logits.len());
        let largest = scaled[order[0]];
        let weight = |i: &usize| (scaled[*i] - largest).exp();
        if let Some(p) = top_p {
            let total: f64 = order[..keep].iter().map(weight).sum();
            let mut sum = 0.;
            let enough = order[..keep].iter().position(|i| {
                sum += weight(i) / total;
                sum >= p
            });
            keep = enough.map_or(keep, |last| last + 1);
        }
        let total: f64 = order[..keep].iter().map(weight).sum();
        let mut probabilities = vec![0.; logits.len()];
        for i in &order[..keep] {
            probabilities[*i] = weight(i) / total;
        }
        probabilities
    }

    /// A token.
    pub(crate) fn choose(&self, logits: &[f32], rng: &mut ChaCha8Rng) -> u32 {
        if *self == Self::Greedy {
            return argmax(logits) as u32;
        }
        let probabilities = self.probabilities(logits);
        let mut left: f64 = rng.random();
        let mut last = 0;
        for (token, p) in probabilities.iter().enumerate().filter(|(_, p)| **p > 0.) {
            last = token;
            left -= p;
            if left < 0. {
                break;
            }
        }
        last as u32
    }
}

/// The place of the largest; of equal ones the first, as PyTorch's argmax.
fn argmax(values: &[f32]) -> usize {
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    values.iter().position(|value| *value == largest).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn sample(temperature: f64, top_k: Option<usize>, top_p: Option<f64>) -> Decoding {
        Decoding::Sample { temperature, top_k, top_p }
    }

    #[test]
    fn drawn_as_often_as_likely() {
        let logits = [0f32, 1., 2., f32::NEG_INFINITY];
        let how = sample(1.5, None, None);
        let expected = how.probabilities(&logits);
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut counts = [0f64; 4];
        const DRAWS: usize = 20_000;
        for _ in 0..DRAWS {
            counts[how.choose(&logits, &mut rng) as usize] += 1. / DRAWS as f64;
        }
        // Four standard deviations of a share drawn 20,000 times: 4 · √(0.25 / 20,000) = 0.014.
        let near = |(a, b): (&f64, &f64)| (a - b).abs() < 0.014;
        assert!(counts.iter().zip(&expected).all(near), "{counts:?} {expected:?}");
        assert_eq!(counts[3], 0.);
    }

    #[test]
    fn one_is_always_left() {
        let logits = [0f32, 3., 1.];
        for how in [sample(1., Some(1), None), sample(1., None, Some(0.)), Decoding::Greedy] {
            assert_eq!(how.probabilities(&logits), [0., 1., 0.]);
        }
        assert_eq!(sample(1e-9, None, None).probabilities(&logits)[1], 1.);
    }
}
