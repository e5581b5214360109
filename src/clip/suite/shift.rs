//! What is left of the accuracy when the pictures change: zero-shot against probes (arXiv:2103.00020, section 3.3).

use super::{Corruption, Gallery, Painted, Scores, Task};
use crate::clip::probe::LinearProbe;
use crate::clip::{ClipModel, TextClassifier};
use crate::display::Progress;
use crate::{Error, Result};

/// Accuracies on the same pictures after a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// The change: `none`, `unseen style`, `blur`.
    pub name: String,
    /// 1 to 5; 0 where there is none.
    pub severity: usize,
    /// Of the zero-shot classifier.
    pub zero_shot: f64,
    /// Of the probe on CLIP's features.
    pub probe: f64,
    /// Of the last of the probes on the plain encoder's features.
    pub plain: f64,
    /// Of all of these probes: ordinary supervised models, from few examples to many.
    pub ordinary: Vec<f64>,
}

impl Shift {
    /// Zero-shot's [`effective_robustness`]: how much more of the accuracy is left than with an ordinary model that is as
    /// good on unchanged pictures.
    pub fn robustness(&self, unchanged: &Shift) -> f64 {
        let baseline: Vec<(f64, f64)> =
            unchanged.ordinary.iter().copied().zip(self.ordinary.iter().copied()).collect();
        effective_robustness(&baseline, (unchanged.zero_shot, self.zero_shot))
    }
}

/// Zero-shot's effective robustness under each change, in points, the mean of its severities. The first of `found` is what
/// the others are compared with, as [`shifts`] gives them.
pub fn robustness_by_shift(found: &[Shift]) -> Vec<(String, f64)> {
    let Some((unchanged, changed)) = found.split_first() else { return Vec::new() };
    changed
        .chunk_by(|a, b| a.name == b.name)
        .map(|same| {
            let sum: f64 = same.iter().map(|s| s.robustness(unchanged)).sum();
            (same[0].name.clone(), 100. * sum / same.len() as f64)
        })
        .collect()
}

/// A task's pictures as they are, in a style that nobody trained on, and under six corruptions at five severities.
///
/// `clip` is the model with its zero-shot classifier and its probe, `plain` an encoder with probes on it, from the weakest
/// to the strongest; `painted` are test pictures, `unseen` the same number in the unseen style.
///
/// # Errors
/// What the models say; without a probe on the plain encoder.
pub fn shifts(
    task: Task,
    clip: (&ClipModel, &TextClassifier, &LinearProbe),
    plain: (&ClipModel, &[LinearProbe]),
    painted: &Painted,
    unseen: &Painted,
) -> Result<Vec<Shift>> {
    if plain.1.is_empty() {
        let what = "shifts, probes on the plain encoder";
        return Err(Error::value(what, "at least one", 0));
    }
    let of_task = |p: &Painted| {
        let data = task.of_scenes(&p.scenes, usize::MAX);
        (p.select(&data.rows), data.labels)
    };
    let ((painted, labels), (unseen, unseen_labels)) = (of_task(painted), of_task(unseen));
    let all = 2 + 5 * Corruption::ALL.len();
    let (mut progress, mut done) = (Progress::new("changed pictures", all), 0);
    let mut measure = |name: &str, severity: usize, pictures: &Painted, labels: &[usize]| {
        let (model, classifier, probe) = clip;
        let gallery = Gallery::encoded_silently(model, pictures)?;
        let zero_shot = Scores::of(&classifier.predict(&gallery.embeddings)?, labels);
        let probed = Scores::of(&probe.predict(&gallery.features)?, labels);
        let gallery = Gallery::encoded_silently(plain.0, pictures)?;
        let one = |probe: &LinearProbe| {
            Ok(Scores::of(&probe.predict(&gallery.features)?, labels).accuracy())
        };
        let ordinary = plain.1.iter().map(one).collect::<Result<Vec<f64>>>()?;
        done += 1;
        progress.update(done, name);
        Ok::<Shift, Error>(Shift {
            name: name.to_string(),
            severity,
            zero_shot: zero_shot.accuracy(),
            probe: probed.accuracy(),
            plain: ordinary.last().copied().unwrap_or(f64::NAN),
            ordinary,
        })
    };
    let mut found = vec![measure("none", 0, &painted, &labels)?];
    found.push(measure("unseen style", 0, &unseen, &unseen_labels)?);
    for corruption in Corruption::ALL {
        for severity in 1..=5 {
            let worse = painted.corrupted(corruption, severity)?;
            found.push(measure(corruption.name(), severity, &worse, &labels)?);
        }
    }
    progress.finish(&format!("{all} kinds of pictures, {} of each", labels.len()));
    Ok(found)
}

/// By how much a model is better under a shift than what its accuracy without it lets expect (R. Taori and others,
/// arXiv:2007.00644): its accuracy under the shift less that of a line through `baseline`, pairs (accuracy without,
/// accuracy under the shift) of ordinary models, fitted as there on logits.
///
/// With fewer than two baselines that differ, the line is the diagonal.
pub fn effective_robustness(baseline: &[(f64, f64)], model: (f64, f64)) -> f64 {
    model.1 - expected_accuracy(baseline, model.0)
}

/// The accuracy under a shift that the line of [`effective_robustness`] gives to a model with this accuracy without it.
pub fn expected_accuracy(baseline: &[(f64, f64)], without: f64) -> f64 {
    // An accuracy of 0 or 1 has no logit: it counts as this far from it.
    let logit = |p: f64| {
        let p = p.clamp(1e-3, 1. - 1e-3);
        (p / (1. - p)).ln()
    };
    let points: Vec<(f64, f64)> = baseline.iter().map(|(x, y)| (logit(*x), logit(*y))).collect();
    let n = points.len().max(1) as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = points.iter().map(|p| (p.0 - mx).powi(2)).sum();
    let common: f64 = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    if spread <= 1e-12 {
        return without;
    }
    let at = my + common / spread * (logit(without) - mx);
    1. / (1. + (-at).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_on_the_line_has_none() {
        // logit y = 0.5 logit x − 1.
        let y = |x: f64| 1. / (1. + (1f64 - 0.5 * (x / (1. - x)).ln()).exp());
        let line = [0.2, 0.6, 0.9].map(|x| (x, y(x)));
        assert!(effective_robustness(&line, (0.8, y(0.8))).abs() < 1e-12);
        assert!((effective_robustness(&line, (0.8, y(0.8) + 0.2)) - 0.2).abs() < 1e-12);
        assert!((effective_robustness(&[], (0.8, 0.6)) + 0.2).abs() < 1e-12);
        assert!((effective_robustness(&[(0.5, 0.3)], (0.8, 0.6)) + 0.2).abs() < 1e-12);
        // Nothing left of anything is expected, and what is left of a perfect model is no infinity.
        let lost = [(0.5, 0.), (1., 0.)];
        assert!(expected_accuracy(&lost, 1.) < 2e-3 && expected_accuracy(&line, 1.) < 1.);
    }

    #[test]
    fn severities_are_averaged() {
        let shift = |name: &str, severity, zero_shot, ordinary: [f64; 2]| Shift {
            name: name.to_string(),
            severity,
            zero_shot,
            probe: 0.,
            plain: ordinary[1],
            ordinary: ordinary.to_vec(),
        };
        let found = [
            shift("none", 0, 0.7, [0.5, 0.7]),
            shift("unseen style", 0, 0.6, [0.3, 0.5]),
            shift("blur", 1, 0.7, [0.5, 0.7]),
            shift("blur", 2, 0.5, [0.2, 0.4]),
        ];
        let names: Vec<(String, i64)> = robustness_by_shift(&found)
            .into_iter()
            .map(|(name, points)| (name, (points * 1e6).round() as i64))
            .collect();
        assert_eq!(names, [("unseen style".into(), 10_000_000), ("blur".into(), 5_000_000)]);
        assert!(robustness_by_shift(&[]).is_empty());
    }
}
