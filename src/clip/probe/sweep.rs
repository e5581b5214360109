//! Which regularisation? The paper's search over `C` (arXiv:2103.00020, appendix A.3): seven values from 1e-6 to 1e6,
//! then the interval around the best is halved, again and again, on a logarithmic scale.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::{LinearProbe, ProbeOptions};
use crate::clip::top_k_accuracy;
use crate::{Error, Result};

/// Where and how finely it looks.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepOptions {
    /// The first values of log₁₀ C, evenly spaced.
    pub first: Vec<f64>,
    /// How often the interval around the best is halved. From the paper's steps of two decades, four times lead to its
    /// eight steps a decade.
    pub halvings: usize,
    /// How each probe is fitted; its `c` is replaced.
    pub probe: ProbeOptions,
}

impl Default for SweepOptions {
    fn default() -> Self {
        let first = vec![-6., -4., -2., 0., 2., 4., 6.];
        Self { first, halvings: 4, probe: ProbeOptions::default() }
    }
}

/// What a sweep found.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The best `C`; of equals the smallest, which is the tamest.
    pub c: f64,
    /// The accuracy on the held-out examples with each `C`, by `C`.
    pub tried: Vec<(f64, f64)>,
    /// The probe with the best `C`.
    pub probe: LinearProbe,
}

/// Fits probes to `(features, labels)` and keeps the one that is best on `(held_features, held_labels)`.
///
/// # Errors
/// As [`LinearProbe::fit`]; when there is no first value.
pub fn sweep(
    (features, labels): (&Tensor, &[usize]),
    (held_features, held_labels): (&Tensor, &[usize]),
    classes: usize,
    options: &SweepOptions,
) -> Result<Sweep> {
    // By log₁₀ C in thousandths, so that a value is fitted once.
    let mut tried: BTreeMap<i64, (f64, LinearProbe)> = BTreeMap::new();
    let key = |log: f64| (log * 1000.).round() as i64;
    let try_out = |tried: &mut BTreeMap<i64, (f64, LinearProbe)>, log: f64| -> Result<()> {
        if tried.contains_key(&key(log)) {
            return Ok(());
        }
        let one = ProbeOptions { c: 10f64.powf(log), ..options.probe };
        // The nearest that is more regularised is a good place to begin.
        let start = tried.range(..key(log)).next_back().map(|(_, (_, probe))| probe);
        let probe = LinearProbe::fit(features, labels, classes, &one, start)?;
        let right = top_k_accuracy(&probe.predict(held_features)?, held_labels, 1)?;
        tried.insert(key(log), (right, probe));
        Ok(())
    };
    let best = |tried: &BTreeMap<i64, (f64, LinearProbe)>| {
        let mut best: Option<(i64, f64)> = None;
        for (log, (right, _)) in tried {
            if best.is_none_or(|(_, most)| *right > most) {
                best = Some((*log, *right));
            }
        }
        best.map(|(log, _)| log as f64 / 1000.)
    };
    for log in &options.first {
        try_out(&mut tried, *log)?;
    }
    let none = || Error::value("sweep, first", "at least one value", "none");
    let mut step = match options.first.as_slice() {
        [a, b, ..] => (b - a).abs(),
        _ => 2.,
    };
    for _ in 0..options.halvings {
        step /= 2.;
        let around = best(&tried).ok_or_else(none)?;
        try_out(&mut tried, around - step)?;
        try_out(&mut tried, around + step)?;
    }
    let log = best(&tried).ok_or_else(none)?;
    let list = tried.iter().map(|(log, (right, _))| (10f64.powf(*log as f64 / 1000.), *right));
    let list = list.collect();
    let (_, probe) = tried.remove(&key(log)).ok_or_else(none)?;
    Ok(Sweep { c: 10f64.powf(log), tried: list, probe })
}

#[cfg(test)]
mod tests {
    use candle_core::Device;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Two classes that a twentieth of the first number tells apart, among noise.
    fn data(n: usize, seed: u64) -> (Tensor, Vec<usize>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let labels: Vec<usize> = (0..n).map(|i| i % 2).collect();
        let values: Vec<f32> = labels
            .iter()
            .flat_map(|label| {
                let mut row: Vec<f32> = (0..20).map(|_| rng.random_range(-1.0..1.0)).collect();
                row[0] += *label as f32 * 1.2 - 0.6;
                row
            })
            .collect();
        (Tensor::from_vec(values, (n, 20), &Device::Cpu).unwrap(), labels)
    }

    #[test]
    fn values_are_tried_as_the_paper_does() {
        let ((x, y), (held, held_y)) = (data(30, 1), data(400, 2));
        let found = sweep((&x, &y), (&held, &held_y), 2, &SweepOptions::default()).unwrap();
        // Seven, and two more a halving, less those that coincide.
        assert!((11..=15).contains(&found.tried.len()), "{:?}", found.tried);
        let most = found.tried.iter().map(|(_, right)| *right).fold(0., f64::max);
        let first = found.tried.iter().find(|(_, right)| *right == most).unwrap();
        assert!((first.0 / found.c - 1.).abs() < 1e-9);
        let right = top_k_accuracy(&found.probe.predict(&held).unwrap(), &held_y, 1).unwrap();
        assert_eq!(right, most);
        assert!(most > 0.7, "{most}");
        let none = SweepOptions { first: vec![], halvings: 0, ..Default::default() };
        assert!(sweep((&x, &y), (&held, &held_y), 2, &none).is_err());
    }
}
