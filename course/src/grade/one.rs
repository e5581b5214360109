//! Grades one submission: picks its exercises, compiles them in a cage, lets the checks ask them in another.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use vision_language::exercise::{CheckResult, Report, Status, check};

use super::again::{Examined, examine};
use super::compile::{Tried, compile};
use super::fresh;
use super::kit::Kit;
use super::pick::{Picked, pick, remarkable};
use super::submission::Submission;
use super::written::{self, Written};
use crate::cage::{Cage, Layer, Limits, Phase, Usage};
use crate::sync::{stub, write};
use crate::worker::{Item, Mistakes, Worker};
use crate::{Error, Result};

/// How long one question may take. Those of the checks take milliseconds.
const QUESTION: Duration = Duration::from_secs(4);

/// How long an exercise's questions may take together.
const EXERCISE: Duration = Duration::from_secs(12);

/// What graders share.
pub struct Grader<'a> {
    /// What is compiled against.
    pub kit: Kit,
    /// The course's folder.
    pub root: &'a Path,
    /// The program that enters cages.
    pub launcher: PathBuf,
    /// The layers that this machine has.
    pub layers: Vec<Layer>,
    /// Where hidden inputs are drawn from.
    pub seed: u64,
    /// Which exercises.
    pub ids: Vec<&'static str>,
    /// What came of code that others have handed in too, by `known_as`.
    pub known: Mutex<HashMap<String, Verdict>>,
}

/// What came of an exercise's code, whoever handed it in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Verdict {
    /// What the compiler says against it.
    pub mistakes: Option<Mistakes>,
    /// What the checks said, if it compiles.
    pub report: Option<Report>,
    /// What came of inputs that were drawn for this run.
    pub fresh: Option<CheckResult>,
    /// Whether no points are given until somebody has looked: right on the known inputs, wrong on drawn ones.
    pub withheld: bool,
    /// Checks that give no points: right on the numbers that everybody knows, wrong on others.
    pub parroted: Vec<String>,
    /// Answers in words.
    pub written: BTreeMap<String, String>,
    /// What there is to say.
    pub said: Vec<String>,
}

/// What came of one exercise.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exercise {
    /// The exercise.
    pub id: String,
    /// Where its code was found.
    pub from: String,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What there is to say.
    pub notes: Vec<String>,
}

impl std::ops::Deref for Exercise {
    type Target = Verdict;

    fn deref(&self) -> &Verdict {
        &self.verdict
    }
}

impl Exercise {
    /// The points of the checks that a student sees.
    pub fn seen(&self) -> u32 {
        let checks = self.report.iter().flat_map(|report| &report.checks);
        checks.filter(|check| self.counts(check)).map(|check| check.points).sum()
    }

    /// Whether a check that students see gives its points.
    pub fn counts(&self, check: &CheckResult) -> bool {
        check.status == Status::Passed && !self.withheld && !self.parroted.contains(&check.id)
    }

    /// All points.
    pub fn points(&self) -> u32 {
        let fresh = self.fresh.iter().filter(|c| c.status == Status::Passed).map(|c| c.points);
        self.seen() + fresh.sum::<u32>()
    }

    /// The points that there are.
    pub fn of(&self) -> u32 {
        let seen: u32 = check::checks(&self.id).iter().map(|c| c.points).sum();
        seen + fresh::points(&self.id)
    }

    /// The misconception that was recognised.
    pub fn misconception(&self) -> Option<&str> {
        self.report.as_ref()?.misconception()
    }
}

/// What came of one submission.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Grade {
    /// The submission.
    pub name: String,
    /// What it was graded from and with; the same key, the same grade.
    pub key: String,
    /// The seed of the hidden inputs.
    pub seed: u64,
    /// Its exercises.
    pub exercises: Vec<Exercise>,
    /// Its answers in words, with what somebody has given for them.
    pub written: Vec<Written>,
    /// What there is to say about all of it.
    pub notes: Vec<String>,
    /// From the beginning to the end, in seconds.
    pub seconds: f64,
    /// What its processes have used.
    pub used: Usage,
    /// Of that, what compiling has used.
    pub compiling: Usage,
}

impl Grade {
    /// All points.
    pub fn points(&self) -> u32 {
        let read = self.written.iter().filter_map(|written| written.score);
        self.exercises.iter().map(Exercise::points).chain(read).sum()
    }

    /// The points that there are.
    pub fn of(&self) -> u32 {
        self.exercises.iter().map(Exercise::of).chain(self.written.iter().map(|w| w.of)).sum()
    }
}

/// A submission's exercises, and by what it is known whether they have changed.
pub struct Handed {
    picked: Vec<Picked>,
    notes: Vec<String>,
    /// The key of [`Grade`].
    pub key: String,
}

impl Grader<'_> {
    /// Whether a worker can be compiled in its cage.
    ///
    /// # Errors
    /// When it cannot.
    pub fn try_out(&self, scratch: &Path) -> Result<()> {
        let place = Place::new(scratch, &self.cage(Phase::Compile, 0))?;
        super::compile::try_out(self, &place)
    }

    /// Reads a submission.
    ///
    /// # Errors
    /// When `scratch` cannot be written.
    pub fn read(&self, submission: &Submission, scratch: &Path) -> Result<Handed> {
        let parts = submission.parts(scratch)?;
        let picked: Vec<Picked> = self.ids.iter().map(|id| pick(&parts, id)).collect();
        let all = serde_json::to_string(&(
            &picked,
            &parts.notes,
            &self.kit.fingerprint,
            self.seed,
            &self.layers,
        ))?;
        let key = crate::sync::fingerprint(&all);
        Ok(Handed { picked, notes: parts.notes, key })
    }

    /// Grades it. `scratch` is this grader's alone, `slot` too.
    ///
    /// # Errors
    /// When a cage cannot be built or a file not be written; not for what a submission does.
    pub fn grade(&self, name: &str, handed: Handed, scratch: &Path, slot: u32) -> Result<Grade> {
        let begun = Instant::now();
        let Handed { picked, notes, key } = handed;
        let mut grade = Grade {
            name: name.into(),
            key,
            seed: self.seed,
            exercises: Vec::new(),
            written: Vec::new(),
            notes,
            seconds: 0.,
            used: Usage::default(),
            compiling: Usage::default(),
        };
        let place = Place::new(scratch, &self.cage(Phase::Compile, slot))?;
        let shared = picked.iter().flat_map(|p| &p.code).all(|code| keeps_to_itself(code));
        let (mut items, mut keys) = (Vec::new(), HashMap::new());
        for picked in picked {
            let mut notes = picked.notes;
            let mut verdict = Verdict::default();
            if let Some(code) = picked.code {
                notes.extend(remarkable(&code));
                let key = known_as(&picked.id, &code);
                let known = self.known.lock().unwrap_or_else(|e| e.into_inner()).get(&key).cloned();
                if stub(self.root, &picked.id)?.is_some_and(|stub| same(&stub, &code)) {
                    verdict.report = Some(untouched(&picked.id)?);
                } else if let Some(known) = known {
                    verdict = known;
                } else {
                    let file = place.source.join(format!("{}.rs", picked.id));
                    write(&file, &code)?;
                    items.push(Item { name: picked.id.clone(), exercise: picked.id.clone(), file });
                    keys.insert(picked.id.clone(), key);
                }
            }
            grade.exercises.push(Exercise { id: picked.id, from: picked.from, verdict, notes });
        }
        if !items.is_empty() {
            let tried = compile(self, &place, &items, slot)?;
            grade.compiling = tried.used;
            grade.used = tried.used;
            self.ask(&place, tried, &items, slot, &mut grade)?;
        }
        for exercise in &mut grade.exercises {
            if let Some(key) = keys.remove(&exercise.id)
                && shared
                && exercise.verdict.is_steady()
            {
                let mut known = self.known.lock().unwrap_or_else(|e| e.into_inner());
                known.insert(key, exercise.verdict.clone());
            }
            grade.written.extend(written::answered(&exercise.id, &exercise.verdict.written));
            let said = exercise.verdict.said.clone();
            exercise.notes.extend(said);
        }
        grade.seconds = begun.elapsed().as_secs_f64();
        place.empty();
        Ok(grade)
    }

    /// Lets the checks ask every item that compiles.
    fn ask(
        &self,
        place: &Place,
        tried: Tried,
        items: &[Item],
        slot: u32,
        grade: &mut Grade,
    ) -> Result<()> {
        for item in items {
            let Some(exercise) = grade.exercises.iter_mut().find(|e| e.id == item.exercise) else {
                continue;
            };
            if let Some(mistakes) = tried.mistakes.get(&item.name) {
                exercise.verdict.mistakes = Some(mistakes.clone());
                continue;
            }
            let Some(program) = tried.programs.get(&item.name) else { continue };
            let mut verdict = self.one(program, item, place, slot, &mut grade.used)?;
            // Another exercise's code may be what ended it: it is asked once more, alone.
            if verdict.died() && items.len() > 1 {
                let alone = compile(self, place, std::slice::from_ref(item), slot)?;
                grade.compiling = grade.compiling.and(alone.used);
                grade.used = grade.used.and(alone.used);
                if let Some(again) = alone.programs.get(&item.name) {
                    verdict = self.one(again, item, place, slot, &mut grade.used)?;
                }
            }
            exercise.verdict = verdict;
        }
        Ok(())
    }

    /// Asks one item: the checks that everybody sees, the same on other numbers, then inputs drawn for this run.
    fn one(
        &self,
        program: &Path,
        item: &Item,
        place: &Place,
        slot: u32,
        used: &mut Usage,
    ) -> Result<Verdict> {
        let mut cage = self.cage(Phase::Run, slot);
        cage.read.extend([program.to_path_buf(), place.inputs.clone()]);
        cage.pipes = true;
        let worker =
            Worker::new(program, &item.name, QUESTION).caged(cage, &place.inputs, EXERCISE);
        let Examined { report, parroted, written } = examine(&item.exercise, self.seed, &worker)?;
        let mut verdict = Verdict { parroted, written, ..Verdict::default() };
        if report.points() > 0 {
            // Its own time: who has used up the first one has had it.
            worker.allow(EXERCISE / 2);
            verdict.fresh = fresh::check(&item.exercise, self.seed, &worker)?;
        }
        *used = used.and(worker.finish());
        for failed in report.checks.iter().filter(|c| ended(c.status)) {
            verdict.said.push(format!("{}: {}", failed.id, failed.came));
        }
        let fits = verdict.fresh.as_ref().is_none_or(|c| c.status == Status::Passed);
        if report.is_complete() && !fits {
            verdict.withheld = true;
            let why = "right on the inputs that everybody knows, wrong on those drawn for this run: no points until \
                       somebody has looked at it";
            verdict.said.push(why.into());
        } else if !verdict.parroted.is_empty() {
            let checks = verdict.parroted.join(", ");
            verdict.said.push(format!(
                "{checks}: right on the numbers that everybody knows, wrong on others of the same kind: no points for that until \
                 somebody has looked at it"
            ));
        }
        verdict.report = Some(report);
        Ok(verdict)
    }

    /// A cage without anything of a submission's.
    pub(super) fn cage(&self, phase: Phase, slot: u32) -> Cage {
        let (read, limits) = match phase {
            Phase::Compile => (self.kit.compile.clone(), Limits::COMPILE),
            Phase::Run => (self.kit.run.clone(), Limits::RUN),
        };
        Cage {
            launcher: self.launcher.clone(),
            phase,
            read,
            write: None,
            limits,
            layers: self.layers.clone(),
            slot,
            libraries: (phase == Phase::Compile).then(|| self.kit.sysroot().join("lib")),
            exe: (phase == Phase::Compile).then(|| self.kit.linker()),
            pipes: false,
        }
    }
}

/// The folders of one submission while it is graded.
pub(super) struct Place {
    /// What is compiled.
    pub source: PathBuf,
    /// Where the compiler writes.
    pub out: PathBuf,
    /// Where programs lie that have been compiled.
    pub programs: PathBuf,
    /// Where checks put files.
    pub inputs: PathBuf,
}

impl Place {
    fn new(scratch: &Path, cage: &Cage) -> Result<Self> {
        let [source, out, programs, inputs] =
            ["source", "out", "programs", "inputs"].map(|name| scratch.join(name));
        let place = Self { source, out, programs, inputs };
        place.empty();
        for folder in [&place.source, &place.out, &place.programs, &place.inputs] {
            fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        #[cfg(unix)]
        if let Some(user) = cage.user() {
            std::os::unix::fs::chown(&place.out, Some(user), Some(user))
                .map_err(Error::io(&place.out))?;
        }
        let _ = cage;
        Ok(place)
    }

    fn empty(&self) {
        for folder in [&self.source, &self.out, &self.programs, &self.inputs] {
            // It need not be there.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

/// Whether the code is the stub, whatever the spaces, statement and first `use`.
fn same(stub: &str, code: &str) -> bool {
    let squeeze = |text: &str| -> String {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let text: String = lines.collect();
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        text.replace("usevision_language::prelude::*;", "")
    };
    squeeze(stub) == squeeze(code)
}

fn ended(status: Status) -> bool {
    matches!(status, Status::Died | Status::TimedOut)
}

impl Verdict {
    fn died(&self) -> bool {
        self.report.iter().flat_map(|report| &report.checks).any(|c| c.status == Status::Died)
    }

    /// Whether it would be the same at another time: nothing in it was a matter of seconds.
    fn is_steady(&self) -> bool {
        let checks = self.report.iter().flat_map(|report| &report.checks).chain(&self.fresh);
        let compiler =
            self.mistakes.as_ref().is_some_and(|m| m.first.starts_with(super::compile::ENDED));
        !compiler && checks.into_iter().all(|check| !ended(check.status))
    }
}

/// What an exercise's code is known by: all of it, since a hash could be met on purpose.
fn known_as(id: &str, code: &str) -> String {
    format!("{id} {code}")
}

/// Whether an exercise's code can do nothing to another's in the same program: then what came of both is true of either
/// in any program. In safe Rust one needs a path to the other.
fn keeps_to_itself(code: &str) -> bool {
    const WORDS: [&str; 8] =
        ["unsafe", "crate", "super", "extern", "asm", "macro_export", "global_allocator", "#!["];
    WORDS.iter().all(|word| !code.contains(word))
}

/// The report of a stub.
fn untouched(id: &str) -> Result<Report> {
    use vision_language::exercise::ask::{Answer, Ask, Failure, Question};
    struct Nobody;
    impl Ask for Nobody {
        fn ask(&self, _: &Question) -> std::result::Result<Answer, Failure> {
            Err(Failure::NotYet)
        }
    }
    Ok(check::run(id, &Nobody)?)
}
