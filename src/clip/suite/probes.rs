//! Linear probes on a task, with all its examples or with a few.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::gallery::pick;
use super::{Gallery, Scores, Task, TaskData};
use crate::Result;
use crate::clip::probe::{LinearProbe, ProbeOptions, SweepOptions, sweep};

/// A probe of a task and how well it did.
#[derive(Clone, Debug)]
pub struct ProbeScores {
    /// Which test pictures it recognised.
    pub scores: Scores,
    /// The regularisation that the sweep chose.
    pub c: f64,
    /// The probe, fitted to all training examples.
    pub probe: LinearProbe,
}

/// The part of a task's examples that the sweep holds out.
const HELD_OUT: f64 = 0.2;

/// A probe on the features of `train`, tested on those of `test`. `most` examples a class, a fifth of them held out to
/// choose `C` (then it is fitted to all, as in the paper).
///
/// # Errors
/// As [`sweep`].
pub fn probe_scores(
    train: &Gallery,
    test: &Gallery,
    task: Task,
    most: usize,
    most_tested: usize,
    options: &SweepOptions,
) -> Result<ProbeScores> {
    let (examples, tested) =
        (task.of_scenes(&train.scenes, most), task.of_scenes(&test.scenes, most_tested));
    let classes = task.class_names().len();
    let n = examples.rows.len();
    // Scenes are drawn independently, so the last ones are as good as any.
    let kept = n - ((n as f64 * HELD_OUT) as usize).clamp(1, n.max(2) - 1);
    let part = |from: usize, to: usize| pick(&train.features, &examples.rows[from..to]);
    let found = sweep(
        (&part(0, kept)?, &examples.labels[..kept]),
        (&part(kept, n)?, &examples.labels[kept..]),
        classes,
        options,
    )?;
    let again = ProbeOptions { c: found.c, ..options.probe };
    let all = train.features_of(&examples)?;
    let probe = LinearProbe::fit(&all, &examples.labels, classes, &again, Some(&found.probe))?;
    let scores = Scores::of(&probe.predict(&test.features_of(&tested)?)?, &tested.labels);
    Ok(ProbeScores { scores, c: found.c, probe })
}

/// Accuracy against examples a class.
#[derive(Clone, Debug, PartialEq)]
pub struct FewShot {
    /// Examples a class.
    pub shots: usize,
    /// The accuracy of each draw of examples.
    pub accuracies: Vec<f64>,
}

impl FewShot {
    /// The mean over the draws.
    pub fn mean(&self) -> f64 {
        self.accuracies.iter().sum::<f64>() / self.accuracies.len().max(1) as f64
    }
}

/// Probes with so many examples of each class as `shots` says, drawn by the seed: those of a larger number are the smaller's
/// and others. `c` is the regularisation: with so few examples none can be held out to choose it.
///
/// # Errors
/// As [`LinearProbe::fit`].
pub fn few_shot_probes(
    train: &Gallery,
    task: Task,
    shots: &[usize],
    c: f64,
    seed: u64,
) -> Result<Vec<LinearProbe>> {
    let classes = task.class_names().len();
    let all = task.of_scenes(&train.scenes, usize::MAX);
    let options = ProbeOptions { c, ..ProbeOptions::default() };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..all.rows.len()).collect();
    order.shuffle(&mut rng);
    let one = |shots: &usize| {
        let mut taken = vec![0; classes];
        let mut chosen = Vec::new();
        for &at in &order {
            let count = &mut taken[all.labels[at]];
            if *count < *shots {
                *count += 1;
                chosen.push(at);
            }
        }
        let rows: Vec<usize> = chosen.iter().map(|at| all.rows[*at]).collect();
        let labels: Vec<usize> = chosen.iter().map(|at| all.labels[*at]).collect();
        LinearProbe::fit(&pick(&train.features, &rows)?, &labels, classes, &options, None)
    };
    shots.iter().map(one).collect()
}

/// How well [`few_shot_probes`] do, drawn `draws` times, from `seed` on.
///
/// # Errors
/// As [`LinearProbe::fit`].
#[allow(clippy::too_many_arguments)]
pub fn few_shot(
    train: &Gallery,
    test: &Gallery,
    tested: &TaskData,
    shots: &[usize],
    draws: usize,
    c: f64,
    seed: u64,
) -> Result<Vec<FewShot>> {
    let test_features = test.features_of(tested)?;
    let mut found: Vec<FewShot> =
        shots.iter().map(|s| FewShot { shots: *s, accuracies: Vec::new() }).collect();
    for draw in 0..draws {
        let seed = seed.wrapping_add(draw as u64);
        let probes = few_shot_probes(train, tested.task, shots, c, seed)?;
        for (result, probe) in found.iter_mut().zip(probes) {
            let scores = Scores::of(&probe.predict(&test_features)?, &tested.labels);
            result.accuracies.push(scores.accuracy());
        }
    }
    Ok(found)
}
