//! The autograder: points for what students hand in, given outside of the processes that run it.
//!
//! | step | where |
//! |---|---|
//! | find submissions, and each exercise's code in them | `submission`, `pick` |
//! | compile the code in a cage, against a copy of the library that holds nothing else | `compile`, `kit` |
//! | let the checks ask a worker in another cage; then inputs drawn for this run | `one`, `fresh` |
//! | the checks once more on other numbers, against written-down answers | `again` |
//! | write down what came of it, for Gradescope, for the student, for the class | `results`, `class` |
//! | answers in words, for somebody to read and score | `written` |

pub mod again;
mod class;
mod compile;
pub mod fresh;
mod kit;
mod one;
mod pick;
mod results;
mod submission;
mod written;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

pub use again::{Again, again};
pub use class::{collect, write_class};
pub use fresh::{Hidden, hidden};
pub use one::{Exercise, Grade, Grader};
pub use submission::{Submission, submissions};
pub use written::Written;

use crate::cage::{self, LAYERS, Layer};
use crate::house::House;
use crate::worker::Library;
use crate::{Error, Result};

/// How a class is graded.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The submissions.
    pub submissions: Vec<Submission>,
    /// Where results go.
    pub out: PathBuf,
    /// How many at a time.
    pub jobs: usize,
    /// Where hidden inputs are drawn from.
    pub seed: u64,
    /// Which exercises.
    pub ids: Vec<&'static str>,
    /// Layers that may be missing.
    pub allowed: Vec<Layer>,
    /// Whether to say each submission's grade.
    pub loud: bool,
}

/// What came of a class.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// The grades, in the submissions' order.
    pub grades: Vec<Grade>,
    /// How many of them were there before, unchanged.
    pub kept: usize,
    /// Seconds.
    pub seconds: f64,
}

/// The layers of a cage on this machine.
///
/// # Errors
/// One that is missing and not allowed to be, with the reason and what to do.
pub fn layers(launcher: &Path, allowed: &[Layer]) -> Result<Vec<Layer>> {
    let missing = cage::missing(launcher)?;
    for (layer, why) in &missing {
        if !allowed.contains(layer) {
            let name = layer.name();
            return Err(Error::Failed(format!(
                "this machine's sandbox has no {name} ({why}). Submissions are other people's code: grade on a machine that has \
                 it, or say --without {name} if something else (a container for each submission) stands in for it."
            )));
        }
        eprintln!("Without {}, as you say: {why}", layer.name());
    }
    let there = |layer: &&Layer| !missing.iter().any(|(gone, _)| gone == *layer);
    Ok(LAYERS.iter().filter(there).filter(|l| !allowed.contains(l)).copied().collect())
}

/// Grades all submissions that are not graded yet, and writes each one's files.
///
/// # Errors
/// When the library does not compile, the sandbox is not whole, or a result cannot be written.
pub fn grade(house: &House, plan: &Plan) -> Result<Done> {
    let begun = Instant::now();
    let library = Library::ready(house)?;
    let launcher = std::env::current_exe().map_err(Error::io("this program"))?;
    let layers = layers(&launcher, &plan.allowed)?;
    let mut kit = kit::Kit::new(&library)?;
    // Other hidden questions are another program.
    let about = fs::metadata(&launcher).map_err(Error::io(&launcher))?;
    kit.fingerprint += &format!(" {:?} {}", about.modified().ok(), about.len());
    let grader = Grader {
        kit,
        root: &house.root,
        launcher,
        layers,
        seed: plan.seed,
        ids: plan.ids.clone(),
        known: Mutex::default(),
    };
    fs::create_dir_all(&plan.out).map_err(Error::io(&plan.out))?;
    let scratch = library.scratch("grade")?;
    let scratch = tempfile::Builder::new()
        .prefix("run-")
        .tempdir_in(&scratch)
        .map_err(Error::io(&scratch))?;
    grader.try_out(&scratch.path().join("0"))?;
    let next = AtomicUsize::new(0);
    let graded: Mutex<Vec<(usize, Grade, bool)>> = Mutex::default();
    let failed: Mutex<Option<Error>> = Mutex::default();
    std::thread::scope(|scope| {
        for slot in 0..plan.jobs.max(1) {
            let (next, graded, failed, grader) = (&next, &graded, &failed, &grader);
            let scratch = scratch.path().join(slot.to_string());
            scope.spawn(move || {
                while failed.lock().unwrap_or_else(|e| e.into_inner()).is_none() {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(submission) = plan.submissions.get(number) else { return };
                    match one(grader, plan, submission, &scratch, slot as u32) {
                        Ok((grade, kept)) => {
                            let mut graded = graded.lock().unwrap_or_else(|e| e.into_inner());
                            graded.push((number, grade, kept));
                            if plan.loud {
                                say(&graded, plan.submissions.len());
                            }
                        }
                        Err(error) => {
                            *failed.lock().unwrap_or_else(|e| e.into_inner()) = Some(error);
                        }
                    }
                }
            });
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(|e| e.into_inner()) {
        return Err(error);
    }
    let mut graded = graded.into_inner().unwrap_or_else(|e| e.into_inner());
    graded.sort_by_key(|(number, ..)| *number);
    let kept = graded.iter().filter(|(.., kept)| *kept).count();
    let grades = graded.into_iter().map(|(_, grade, _)| grade).collect();
    Ok(Done { grades, kept, seconds: begun.elapsed().as_secs_f64() })
}

/// Grades one submission, or reads what it was graded before.
fn one(
    grader: &Grader,
    plan: &Plan,
    submission: &Submission,
    scratch: &Path,
    slot: u32,
) -> Result<(Grade, bool)> {
    let handed = grader.read(submission, scratch)?;
    let folder = plan.out.join("submissions").join(&submission.name);
    let record = folder.join(class::RECORD);
    let before =
        fs::read(&record).ok().and_then(|json| serde_json::from_slice::<Grade>(&json).ok());
    if let Some(before) = before.filter(|grade| grade.key == handed.key) {
        return Ok((before, true));
    }
    let grade = grader.grade(&submission.name, handed, scratch, slot)?;
    class::save(&plan.out, &grade)?;
    Ok((grade, false))
}

fn say(graded: &[(usize, Grade, bool)], of: usize) {
    let Some((_, grade, kept)) = graded.last() else { return };
    let (points, all) = (grade.points(), grade.of());
    let kept = if *kept { ", unchanged" } else { "" };
    eprintln!(
        "[{}/{of}] {}: {points} of {all}{kept} ({:.1} s)",
        graded.len(),
        grade.name,
        grade.seconds
    );
}
