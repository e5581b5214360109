//! The checks that students see, once more on other numbers: who has written down answers instead of code loses those points.
//!
//! The questions of those checks are the same each time, and a library that everybody has holds what they should give. A wrong
//! solution is an honest one: it is wrong on these numbers and on others. Written-down answers are right on these numbers
//! alone. So each question that was answered as the master answers it, or of whose answer a part was, is redrawn from the run's
//! seed, in a way that keeps what it is about (rows of unit length stay of unit length, zeros stay zeros, equal numbers equal);
//! where what was right is wrong on the redrawn one, the check that asked gives no points.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use vision_language::exercise::ask::{Answer, Ask, Failure, Local, Question, frame};
use vision_language::exercise::{Report, Status, check};

use super::fresh::{self, agreeing};
use crate::{Error, Result};

/// How the questions of an exercise are redrawn.
#[derive(Clone, Copy)]
pub struct Again {
    /// The exercise.
    pub id: &'static str,
    /// The question with other numbers; `None` where there is nothing to draw. Files that it is about are put into the folder.
    pub redraw:
        fn(seed: u64, folder: &Path, &Question) -> vision_language::Result<Option<Question>>,
}

static AGAIN: OnceLock<&'static [Again]> = OnceLock::new();

/// Hands over how questions are redrawn; an exercise without is asked once.
pub fn again(all: &'static [Again]) {
    // A second call changes nothing.
    let _ = AGAIN.set(all);
}

/// What the visible checks said, and which of those that passed give no points.
#[derive(Clone, Debug)]
pub struct Examined {
    /// What they said.
    pub report: Report,
    /// The checks that were passed by answers to known questions alone.
    pub parroted: Vec<String>,
    /// Answers in words, for somebody to read.
    pub written: BTreeMap<String, String>,
}

/// Puts the checks' questions, and then the redrawn ones.
///
/// # Errors
/// When a question cannot be redrawn, or the master gives no answer to it.
pub fn examine(id: &str, seed: u64, who: &dyn Ask) -> Result<Examined> {
    let again = AGAIN.get().and_then(|all| all.iter().find(|again| again.id == id));
    let known = again.zip(fresh::of(id));
    let master = known.map(|(_, hidden)| (Local::new((hidden.master)()), hidden.tolerance));
    let listener = Listener {
        who,
        master: master.as_ref(),
        check: RefCell::default(),
        heard: RefCell::default(),
        written: RefCell::default(),
    };
    let report = check::run(id, &listener)?;
    let written = listener.written.take();
    let (Some((again, _)), Some((master, tolerance))) = (known, &master) else {
        return Ok(Examined { report, parroted: Vec::new(), written });
    };
    let passed = |check: &str| {
        report.checks.iter().any(|c| c.id == check && c.status == Status::Passed && c.points > 0)
    };
    let mut parroted = BTreeSet::new();
    let place = who.folder();
    let mut folder = tempfile::Builder::new();
    #[cfg(unix)]
    folder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
    let folder = folder.tempdir_in(&place).map_err(Error::io(&place))?;
    let mut asked: Vec<(Vec<u8>, Vec<String>)> = Vec::new();
    for (number, heard) in listener.heard.into_inner().into_iter().enumerate() {
        if heard.right.is_empty() && !heard.opens {
            continue;
        }
        if !passed(&heard.check) || parroted.contains(&heard.check) {
            continue;
        }
        // One question of several checks is redrawn once: what it is drawn from is itself.
        let known = frame::question(&heard.question)?;
        let before = asked.iter().find(|(question, _)| *question == known);
        let right = match before.filter(|_| !heard.opens && !heard.follows) {
            Some((_, right)) => right.clone(),
            None => {
                let folder = folder.path().join(number.to_string());
                let Some(question) = (again.redraw)(seed, &folder, &heard.question)? else {
                    continue;
                };
                let right = master.ask(&question).map_err(|failure| {
                    Error::Failed(format!("the master of {id} gives no answer: {failure:?}"))
                })?;
                let came = who.ask(&question);
                came.map_or_else(|_| Vec::new(), |came| agreeing(&came, &right, *tolerance))
            }
        };
        let lost = heard.right.iter().any(|part| !right.contains(part));
        asked.push((known, right));
        if lost {
            parroted.insert(heard.check);
        }
    }
    // In the checks' order.
    let order = report.checks.iter().map(|check| check.id.clone());
    let parroted = order.filter(|check| parroted.contains(check)).collect();
    Ok(Examined { report, parroted, written })
}

/// A question of a check.
struct Heard {
    check: String,
    question: Question,
    /// What of the answer was as the master answers: who spoils a part on purpose is asked for the others.
    right: Vec<String>,
    /// Whether others are about what it has built.
    opens: bool,
    /// Whether it is about what was built before.
    follows: bool,
}

/// Passes questions on, and writes down how they were answered.
struct Listener<'a> {
    who: &'a dyn Ask,
    master: Option<&'a (Local, f64)>,
    check: RefCell<String>,
    heard: RefCell<Vec<Heard>>,
    written: RefCell<BTreeMap<String, String>>,
}

impl Ask for Listener<'_> {
    fn ask(&self, question: &Question) -> std::result::Result<Answer, Failure> {
        let outcome = self.who.ask(question);
        // Now, since a check's files are gone afterwards.
        let Ok(answer) = &outcome else { return outcome };
        if question.name == "written" {
            self.written.borrow_mut().extend(answer.words.clone());
            return outcome;
        }
        let Some((master, tolerance)) = self.master else { return outcome };
        let right = master.ask(question);
        let right = right.map_or_else(|_| Vec::new(), |r| agreeing(answer, &r, *tolerance));
        self.heard.borrow_mut().push(Heard {
            check: self.check.borrow().clone(),
            question: question.clone(),
            right,
            opens: question.name == "build",
            follows: question.name == "get",
        });
        outcome
    }

    fn about(&self, check: &str) {
        *self.check.borrow_mut() = check.into();
    }

    fn folder(&self) -> PathBuf {
        self.who.folder()
    }

    fn goes_on(&self) -> bool {
        self.who.goes_on()
    }
}
