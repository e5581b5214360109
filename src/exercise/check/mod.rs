//! The checks that a student may see: properties that every right solution has, and worked numbers.
//!
//! A check puts questions and looks at the answers; it neither knows nor holds a solution. Where the answer is the one
//! of a well-known wrong way (the worked numbers of those stand beside the right ones in `goldens.json`, and
//! `tests/golden/exercises.py` made both), the check names the misconception, and that leads to the hint.

mod caption_loss_checks;
mod clip_dataset_checks;
mod clip_loss_checks;
mod dalle_sequence_checks;
mod few_shot_prompt_checks;
mod find_matches_checks;
mod freeze_lm_checks;
mod goldens;
mod guidance_checks;
mod keep_best_checks;
mod perplexity_checks;
mod projection_head_checks;
mod prompt_template_checks;
mod quantize_checks;
mod visual_prefix_checks;
mod zero_shot_classifier_checks;

use candle_core::{DType, Tensor};

use super::ask::{Answer, Ask, Failure, Local, answers};
use super::hint;
use super::report::{CheckResult, Measure, Report, Status};
use super::{Exercise, exercise};
use crate::Error;
use crate::clip::{ClipLoss, FindMatches, KeepBest, Projection, ZeroShotClassifier};
use crate::dalle::{DalleSequence, Quantize};
use crate::dataset::PairDataset;
use crate::frozen::{CaptionLoss, FreezeLm, VisualPrefix};
use crate::language_model::{EarlyStopping, Perplexity};
use crate::prompting::{FewShotPrompt, PromptTemplate, ReadAnswer};
use crate::unclip::Guidance;

/// One check of an exercise.
#[derive(Clone, Copy)]
pub struct Check {
    /// Its id, unique within the exercise.
    pub id: &'static str,
    /// What it asks for, in the student's words.
    pub name: &'static str,
    /// What it is worth. An exercise's checks are worth ten together.
    pub points: u32,
    /// Whether the later ones make no sense without it.
    gate: bool,
    run: fn(&dyn Ask) -> Outcome,
}

/// What a check found: how close it was, where it measures; or what was missed.
type Outcome = Result<Option<Measure>, Miss>;

/// What was expected and what came.
#[derive(Clone, Debug)]
struct Miss {
    status: Status,
    expected: String,
    came: String,
    misconception: Option<&'static str>,
    measure: Option<Measure>,
}

impl Miss {
    fn new(expected: impl Into<String>, came: impl Into<String>) -> Self {
        Self {
            status: Status::Wrong,
            expected: expected.into(),
            came: came.into(),
            misconception: None,
            measure: None,
        }
    }

    /// That this is how the misconception looks.
    fn named(mut self, misconception: impl Into<Option<&'static str>>) -> Self {
        self.misconception = misconception.into();
        self
    }

    fn of(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    fn measured(mut self, measure: Measure) -> Self {
        self.measure = Some(measure);
        self
    }
}

impl From<Failure> for Miss {
    fn from(failure: Failure) -> Self {
        let miss = |status, came: String| Miss::new("an answer", came).of(status);
        match failure {
            Failure::NotYet => Miss::new("", "").of(Status::NotYet),
            Failure::Error(message) => miss(Status::Error, format!("an error: {message}")),
            Failure::Panic(message) => miss(Status::Panic, format!("a panic: {message}")),
            Failure::TimedOut(limit) => miss(
                Status::TimedOut,
                format!("nothing after {} s: is there an endless loop?", limit.as_secs_f64()),
            ),
            Failure::Died(how) => miss(Status::Died, how),
        }
    }
}

impl From<Error> for Miss {
    fn from(error: Error) -> Self {
        Miss::new("an answer that can be compared", error.to_string()).of(Status::Error)
    }
}

impl From<candle_core::Error> for Miss {
    fn from(error: candle_core::Error) -> Self {
        Error::from(error).into()
    }
}

/// The checks of an exercise; none for an unknown id.
pub fn checks(id: &str) -> &'static [Check] {
    match id {
        "clip_dataset" => clip_dataset_checks::CHECKS,
        "projection_head" => projection_head_checks::CHECKS,
        "clip_loss" => clip_loss_checks::CHECKS,
        "keep_best" => keep_best_checks::CHECKS,
        "find_matches" => find_matches_checks::CHECKS,
        "zero_shot_classifier" => zero_shot_classifier_checks::CHECKS,
        "freeze_lm" => freeze_lm_checks::CHECKS,
        "visual_prefix" => visual_prefix_checks::CHECKS,
        "caption_loss" => caption_loss_checks::CHECKS,
        "perplexity" => perplexity_checks::CHECKS,
        "quantize" => quantize_checks::CHECKS,
        "dalle_sequence" => dalle_sequence_checks::CHECKS,
        "prompt_template" => prompt_template_checks::CHECKS,
        "few_shot_prompt" => few_shot_prompt_checks::CHECKS,
        "guidance" => guidance_checks::CHECKS,
        _ => &[],
    }
}

/// Puts the questions of an exercise's checks to `who`.
///
/// # Errors
/// When there is no such exercise.
pub fn run(id: &str, who: &dyn Ask) -> crate::Result<Report> {
    let exercise = exercise(id).ok_or_else(|| {
        let ids: Vec<&str> = super::exercises().iter().map(|e| e.id).collect();
        Error::value("exercise", ids.join(", "), id)
    })?;
    Ok(report(exercise, who))
}

fn report(exercise: &Exercise, who: &dyn Ask) -> Report {
    let mut stop = None;
    let mut results = Vec::new();
    for check in checks(exercise.id) {
        who.about(check.id);
        let outcome = match stop {
            None => (check.run)(who),
            Some(status) => Err(Miss::new("", "").of(status)),
        };
        let (measure, miss) = match outcome {
            Ok(measure) => (measure, None),
            Err(miss) => (miss.measure, Some(miss)),
        };
        let status = miss.as_ref().map_or(Status::Passed, |miss| miss.status);
        stop = stop.or(match status {
            Status::Passed => None,
            Status::NotYet => Some(Status::NotYet),
            Status::TimedOut | Status::Died if !who.goes_on() => Some(Status::Waiting),
            _ => check.gate.then_some(Status::Waiting),
        });
        let misconception = miss.as_ref().and_then(|miss| miss.misconception);
        let asked = results.iter().any(|result: &CheckResult| !result.question.is_empty());
        let (expected, came) = miss.map(|miss| (miss.expected, miss.came)).unwrap_or_default();
        results.push(CheckResult {
            id: check.id.into(),
            name: check.name.into(),
            points: check.points,
            status,
            expected,
            came,
            misconception: misconception.map(Into::into),
            // One question is enough for what nobody has recognised.
            question: match misconception {
                Some(name) => hint::of(exercise.id, Some(name)).steps[0].to_string(),
                None if status.is_failure() && !asked => {
                    hint::of(exercise.id, None).steps[0].to_string()
                }
                None => String::new(),
            },
            measure,
        });
    }
    let report = Report { id: exercise.id.into(), title: exercise.title.into(), checks: results };
    hint::remember(&report);
    report
}

/// Checks a dataset: `check::clip_dataset::<ClipDataset>()`.
pub fn clip_dataset<D: PairDataset + 'static>() -> Report {
    of_item("clip_dataset", answers::clip_dataset::<D>())
}

/// Checks a projection head: `check::projection_head::<ProjectionHead>()`.
pub fn projection_head<H: Projection + 'static>() -> Report {
    of_item("projection_head", answers::projection_head::<H>())
}

/// Checks a loss: `check::clip_loss(clip_loss)`.
pub fn clip_loss(loss: ClipLoss) -> Report {
    of_item("clip_loss", answers::clip_loss(loss))
}

/// Checks what keeps the best model: `check::keep_best(keep_best)`.
pub fn keep_best(keep: KeepBest) -> Report {
    of_item("keep_best", answers::keep_best(keep))
}

/// Checks a search: `check::find_matches(find_matches)`.
pub fn find_matches(find: FindMatches) -> Report {
    of_item("find_matches", answers::find_matches(find))
}

/// Checks a classifier made of words: `check::zero_shot_classifier(zero_shot_classifier)`.
pub fn zero_shot_classifier(build: ZeroShotClassifier) -> Report {
    of_item("zero_shot_classifier", answers::zero_shot_classifier(build))
}

/// Checks what freezes a language model: `check::freeze_lm(freeze_lm)`.
pub fn freeze_lm(freeze: FreezeLm) -> Report {
    of_item("freeze_lm", answers::freeze_lm(freeze))
}

/// Checks a visual prefix: `check::visual_prefix(visual_prefix)`.
pub fn visual_prefix(prefix: VisualPrefix) -> Report {
    of_item("visual_prefix", answers::visual_prefix(prefix))
}

/// Checks the captions' loss: `check::caption_loss(caption_loss)`.
pub fn caption_loss(loss: CaptionLoss) -> Report {
    of_item("caption_loss", answers::caption_loss(loss))
}

/// Checks a perplexity and the written answer: `check::perplexity(perplexity, early_stopping)`.
pub fn perplexity(value: Perplexity, early_stopping: EarlyStopping) -> Report {
    of_item("perplexity", answers::perplexity(value, early_stopping))
}

/// Checks a template and what reads the answer back: `check::prompt_template(prompt_template, read_answer)`.
pub fn prompt_template(template: PromptTemplate, read: ReadAnswer) -> Report {
    of_item("prompt_template", answers::prompt_template(template, read))
}

/// Checks a prompt with examples: `check::few_shot_prompt(few_shot_prompt)`.
pub fn few_shot_prompt(prompt: FewShotPrompt) -> Report {
    of_item("few_shot_prompt", answers::few_shot_prompt(prompt))
}

/// Checks a picture's code: `check::quantize(quantize)`.
pub fn quantize(quantize: Quantize) -> Report {
    of_item("quantize", answers::quantize(quantize))
}

/// Checks a sequence of words and codes: `check::dalle_sequence(dalle_sequence)`.
pub fn dalle_sequence(sequence: DalleSequence) -> Report {
    of_item("dalle_sequence", answers::dalle_sequence(sequence))
}

/// Checks guidance: `check::guidance::<ClassifierFree>()`.
pub fn guidance<G: Guidance + Default + 'static>() -> Report {
    of_item("guidance", answers::guidance::<G>())
}

fn of_item(id: &'static str, answers: answers::Answers) -> Report {
    let exercise = exercise(id).expect("an exercise of the list");
    let local = Local::new(answers);
    let mut report = report(exercise, &local);
    for check in report.checks.iter_mut().filter(|check| check.status == Status::TimedOut) {
        check.came += match local.still_running() {
            true => " (It is still running; restart the kernel when you have mended it.)",
            false => " (It was stopped; your variables are still there.)",
        };
    }
    report
}

/// The tensor `name` of an answer, as f32, of this shape and finite.
fn tensor(answer: &Answer, name: &str, what: &str, dims: &[usize]) -> Result<Tensor, Miss> {
    let Some(tensor) = answer.tensors.get(name) else {
        return Err(Miss::new(what, "nothing").of(Status::Error));
    };
    if tensor.dims() != dims {
        let expected = format!("{what} of shape {}", shape(dims));
        return Err(Miss::new(expected, shape(tensor.dims())).of(Status::Shape));
    }
    let tensor = tensor.to_dtype(DType::F32)?;
    let values = tensor.flatten_all()?.to_vec1::<f32>()?;
    if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
        let miss = Miss::new(format!("{what}: numbers"), format!("{bad} among them"));
        return Err(miss.of(Status::NotFinite));
    }
    Ok(tensor)
}

/// `(2, 3)`.
fn shape(dims: &[usize]) -> String {
    let dims: Vec<String> = dims.iter().map(ToString::to_string).collect();
    match dims.as_slice() {
        [] => "(), a single number".into(),
        [one] => format!("({one},)"),
        _ => format!("({})", dims.join(", ")),
    }
}

/// The largest difference of two tensors of the same shape.
fn distance(a: &Tensor, b: &Tensor) -> Result<f64, Miss> {
    let difference = (a - b)?.abs()?.flatten_all()?.max(0)?.to_scalar::<f32>()?;
    Ok(f64::from(difference))
}

/// A number as a student reads it.
fn number(value: f64) -> String {
    format!("{value:.4}")
}

/// The values of a small tensor in one line.
fn list(tensor: &Tensor) -> Result<String, Miss> {
    let values = tensor.flatten_all()?.to_vec1::<f32>()?;
    let shown: Vec<String> = values.iter().take(8).map(|v| format!("{v:.3}")).collect();
    let more = if values.len() > 8 { ", …" } else { "" };
    Ok(format!("[{}{more}]", shown.join(", ")))
}

/// Whether what came is what was expected.
fn within(deviation: f64, tolerance: f64, miss: impl FnOnce() -> Miss) -> Outcome {
    let measure = Measure { deviation, tolerance };
    if deviation <= tolerance { Ok(Some(measure)) } else { Err(miss().measured(measure)) }
}

#[cfg(test)]
mod tests;
