//! CIDEr-D (Vedantam et al. 2015, arXiv:1411.5726, section 5 and appendix).

use std::collections::BTreeMap;

use super::{Judged, Run, runs, wants_references};
use crate::Result;

/// The width of the penalty for another length.
const SIGMA: f64 = 6.;

/// The weighed counts of a text's runs of n words, and their length as a vector.
struct Weighed<'a> {
    runs: BTreeMap<Run<'a>, f64>,
    norm: f64,
}

/// The mean, and each caption's own, 0 to 10: for runs of one to four words the cosine of tf-idf vectors, with counts clipped
/// to the reference's and a Gaussian penalty for another length; the mean over n and over references, times ten. A run's
/// weight is `ln(pictures / pictures whose references have it)`, so that a set of one picture scores 0.
///
/// # Errors
/// When there is no caption, or one has no reference.
pub fn cider_d(all: &[Judged]) -> Result<(f64, Vec<f64>)> {
    wants_references(all)?;
    let mut each = vec![0.; all.len()];
    for n in 1..=4 {
        let mut pictures: BTreeMap<Run<'_>, f64> = BTreeMap::new();
        for one in all {
            let mut seen: Vec<Run<'_>> = one.references.iter().flat_map(|r| r.windows(n)).collect();
            seen.sort_unstable();
            seen.dedup();
            for run in seen {
                *pictures.entry(run).or_insert(0.) += 1.;
            }
        }
        let weigh = |words| {
            let mut runs = runs(words, n);
            for (run, weight) in &mut runs {
                let rare = pictures.get(run).copied().unwrap_or(0.).max(1.);
                *weight *= (all.len() as f64).ln() - rare.ln();
            }
            let norm = runs.values().map(|w| w * w).sum::<f64>().sqrt();
            Weighed { runs, norm }
        };
        for (score, one) in each.iter_mut().zip(all) {
            let candidate = weigh(&one.candidate);
            for reference in &one.references {
                // pycocoevalcap measures a text by its pairs of words: one less, and none for the empty text.
                let pairs = |words: &[String]| words.len().saturating_sub(1) as f64;
                let longer = pairs(&one.candidate) - pairs(reference);
                let penalty = (-longer * longer / (2. * SIGMA * SIGMA)).exp();
                let similar = similarity(&candidate, &weigh(reference)) * penalty;
                *score += 10. * similar / (4 * one.references.len()) as f64;
            }
        }
    }
    Ok((each.iter().sum::<f64>() / each.len() as f64, each))
}

fn similarity(candidate: &Weighed<'_>, reference: &Weighed<'_>) -> f64 {
    let common = candidate.runs.iter().map(|(run, weight)| {
        let there = reference.runs.get(run).copied().unwrap_or(0.);
        weight.min(there) * there
    });
    let product: f64 = common.sum();
    if candidate.norm == 0. || reference.norm == 0. {
        return product;
    }
    product / (candidate.norm * reference.norm)
}
