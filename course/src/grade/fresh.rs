//! Inputs that are drawn for a run: the student's answers against the master's, which nobody but the grader holds.
//!
//! The checks that everybody sees put the same questions each time, and their expected numbers lie in the library. Who
//! knows the numbers could give them without computing anything. So the grader asks once more, with numbers from the
//! run's seed, and compares with what the master answers to the same question, here.

use std::path::Path;
use std::sync::OnceLock;

use vision_language::candle_core::{DType, Tensor};
use vision_language::exercise::ask::answers::Answers;
use vision_language::exercise::ask::{Answer, Ask, Failure, Local, Question};
use vision_language::exercise::{CheckResult, Measure, Status};

use crate::Result;

/// What the instructor's side knows of an exercise.
#[derive(Clone, Copy)]
pub struct Hidden {
    /// The exercise.
    pub id: &'static str,
    /// What the check is called in a report.
    pub name: &'static str,
    /// What it is worth, besides the ten points that a student sees.
    pub points: u32,
    /// How far an answer may be from the master's: `|a − m| ≤ tolerance · (1 + |m|)`.
    pub tolerance: f64,
    /// Who answers as it should be.
    pub master: fn() -> Answers,
    /// The questions of a seed. Files that they are about are put into the folder.
    pub questions: fn(seed: u64, folder: &Path) -> vision_language::Result<Vec<Question>>,
}

static HIDDEN: OnceLock<&'static [Hidden]> = OnceLock::new();

/// Hands over the hidden checks; who has none grades without.
pub fn hidden(checks: &'static [Hidden]) {
    // A second call changes nothing.
    let _ = HIDDEN.set(checks);
}

/// Whether there are hidden checks.
pub fn present() -> bool {
    HIDDEN.get().is_some()
}

pub(super) fn of(id: &str) -> Option<&'static Hidden> {
    HIDDEN.get()?.iter().find(|hidden| hidden.id == id)
}

/// What the hidden check of an exercise is worth.
pub(super) fn points(id: &str) -> u32 {
    of(id).map_or(0, |hidden| hidden.points)
}

/// Puts the questions of `seed`. `None` where there is no hidden check.
///
/// # Errors
/// When the questions cannot be made, or the master gives no answer.
pub fn check(id: &str, seed: u64, who: &dyn Ask) -> Result<Option<CheckResult>> {
    let Some(hidden) = of(id) else { return Ok(None) };
    let place = who.folder();
    let mut folder = tempfile::Builder::new();
    #[cfg(unix)]
    folder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
    let folder = folder.tempdir_in(&place).map_err(crate::Error::io(&place))?;
    let master = Local::new((hidden.master)());
    let mut result = CheckResult {
        id: "fresh".into(),
        name: hidden.name.into(),
        points: hidden.points,
        status: Status::Passed,
        expected: String::new(),
        came: String::new(),
        misconception: None,
        question: String::new(),
        measure: None,
    };
    let mut worst: f64 = 0.;
    for question in (hidden.questions)(seed, folder.path())? {
        let right = master.ask(&question).map_err(|failure| {
            crate::Error::Failed(format!("the master of {id} gives no answer: {failure:?}"))
        })?;
        match compare(who.ask(&question), &right, hidden.tolerance) {
            Ok(far) => worst = worst.max(far),
            Err((status, came)) => {
                // What was asked stays hidden.
                result.expected = "the same as the course's own solution, on other numbers".into();
                (result.status, result.came) = (status, came);
                return Ok(Some(result));
            }
        }
    }
    result.measure = Some(Measure { deviation: worst, tolerance: hidden.tolerance });
    Ok(Some(result))
}

/// How far an answer is from the right one, or what is wrong with it.
pub(super) fn compare(
    came: std::result::Result<Answer, Failure>,
    right: &Answer,
    tolerance: f64,
) -> std::result::Result<f64, (Status, String)> {
    let came = came.map_err(|failure| match failure {
        Failure::NotYet => (Status::NotYet, "not filled in".to_string()),
        Failure::Error(why) => (Status::Error, why),
        Failure::Panic(why) => (Status::Panic, why),
        Failure::TimedOut(limit) => {
            (Status::TimedOut, format!("nothing after {} s", limit.as_secs()))
        }
        Failure::Died(why) => (Status::Died, why),
    })?;
    let mut worst: f64 = 0.;
    for (name, tensor) in &right.tensors {
        let Some(other) = came.tensors.get(name) else {
            return Err((Status::Wrong, format!("no {name}")));
        };
        if other.dims() != tensor.dims() {
            return Err((Status::Shape, format!("{name} of shape {:?}", other.dims())));
        }
        let broken = |_| (Status::Error, format!("{name} cannot be read"));
        let (a, m) = (values(other).map_err(broken)?, values(tensor).map_err(broken)?);
        for (a, m) in a.into_iter().zip(m) {
            if a.is_nan() && m.is_nan() {
                continue;
            }
            if !a.is_finite() {
                return Err((Status::NotFinite, format!("{name} is not finite")));
            }
            let far = (a - m).abs() / (1. + m.abs());
            worst = worst.max(far);
            if far > tolerance {
                return Err((Status::Wrong, format!("another {name}")));
            }
        }
    }
    for (name, word) in &right.words {
        if came.words.get(name) != Some(word) {
            return Err((Status::Wrong, format!("another {name}")));
        }
    }
    Ok(worst)
}

/// The tensors and texts of an answer that are the right one's.
pub(super) fn agreeing(came: &Answer, right: &Answer, tolerance: f64) -> Vec<String> {
    let tensors =
        right.tensors.iter().map(|(name, t)| (name, Answer::default().tensor(name, t.clone())));
    let words = right.words.iter().map(|(name, word)| (name, Answer::default().word(name, word)));
    let parts = tensors.chain(words);
    let fits = parts.filter(|(_, part)| compare(Ok(came.clone()), part, tolerance).is_ok());
    fits.map(|(name, _)| name.clone()).collect()
}

fn values(tensor: &Tensor) -> vision_language::candle_core::Result<Vec<f64>> {
    tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1()
}
