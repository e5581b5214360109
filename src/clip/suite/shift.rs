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
    /// Of the probe on the plain encoder's features.
    pub plain: f64,
}

/// A task's pictures as they are, in a style that nobody trained on, and under six corruptions at five severities.
///
/// `clip` is the model with its zero-shot classifier and its probe, `plain` an encoder with its probe; `painted` are test
/// pictures, `unseen` the same number in the unseen style.
///
/// # Errors
/// What the models say.
pub fn shifts(
    task: Task,
    clip: (&ClipModel, &TextClassifier, &LinearProbe),
    plain: (&ClipModel, &LinearProbe),
    painted: &Painted,
    unseen: &Painted,
) -> Result<Vec<Shift>> {
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
        let plain = Scores::of(&plain.1.predict(&gallery.features)?, labels);
        done += 1;
        progress.update(done, name);
        Ok::<Shift, Error>(Shift {
            name: name.to_string(),
            severity,
            zero_shot: zero_shot.accuracy(),
            probe: probed.accuracy(),
            plain: plain.accuracy(),
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
/// accuracy under the shift) of ordinary models. Gives the line's slope and height, too.
///
/// With fewer than two baselines that differ, the line is the diagonal.
pub fn effective_robustness(baseline: &[(f64, f64)], model: (f64, f64)) -> (f64, f64, f64) {
    let n = baseline.len().max(1) as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| baseline.iter().map(of).sum::<f64>() / n;
    let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = baseline.iter().map(|p| (p.0 - mx).powi(2)).sum();
    let common: f64 = baseline.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    let (slope, height) = match spread > 1e-12 {
        true => (common / spread, my - common / spread * mx),
        false => (1., 0.),
    };
    (model.1 - (slope * model.0 + height), slope, height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_on_the_line_has_none() {
        let line = [(0.2, 0.1), (0.6, 0.3), (1., 0.5)];
        let (none, slope, height) = effective_robustness(&line, (0.8, 0.4));
        assert!(none.abs() < 1e-12 && (slope - 0.5).abs() < 1e-12 && height.abs() < 1e-12);
        assert!((effective_robustness(&line, (0.8, 0.6)).0 - 0.2).abs() < 1e-12);
        assert!((effective_robustness(&[], (0.8, 0.6)).0 + 0.2).abs() < 1e-12);
    }
}
