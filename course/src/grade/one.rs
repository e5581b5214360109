//! Grades one submission: picks its exercises, compiles them in a cage, lets the checks ask them in another.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use vision_language::exercise::{CheckResult, Report, Status, check};

use super::compile::{Tried, compile};
use super::fresh;
use super::kit::Kit;
use super::pick::{Picked, pick, remarkable};
use super::submission::Submission;
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
}

/// What came of one exercise.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exercise {
    /// The exercise.
    pub id: String,
    /// Where its code was found.
    pub from: String,
    /// What the compiler says against it.
    pub mistakes: Option<Mistakes>,
    /// What the checks said, if it compiles.
    pub report: Option<Report>,
    /// What came of inputs that were drawn for this run.
    pub fresh: Option<CheckResult>,
    /// Whether no points are given until somebody has looked: right on the known inputs, wrong on drawn ones.
    pub withheld: bool,
    /// What there is to say.
    pub notes: Vec<String>,
}

impl Exercise {
    /// The points of the checks that a student sees.
    pub fn seen(&self) -> u32 {
        if self.withheld { 0 } else { self.report.as_ref().map_or(0, Report::points) }
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
        self.exercises.iter().map(Exercise::points).sum()
    }

    /// The points that there are.
    pub fn of(&self) -> u32 {
        self.exercises.iter().map(Exercise::of).sum()
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
            notes,
            seconds: 0.,
            used: Usage::default(),
            compiling: Usage::default(),
        };
        let place = Place::new(scratch, &self.cage(Phase::Compile, slot))?;
        let mut items = Vec::new();
        for picked in picked {
            let mut notes = picked.notes;
            let (mut report, code) = (None, picked.code);
            if let Some(code) = code {
                notes.extend(remarkable(&code));
                if stub(self.root, &picked.id)?.is_some_and(|stub| same(&stub, &code)) {
                    report = Some(untouched(&picked.id)?);
                } else {
                    let file = place.source.join(format!("{}.rs", picked.id));
                    write(&file, &code)?;
                    items.push(Item { name: picked.id.clone(), exercise: picked.id.clone(), file });
                }
            }
            grade.exercises.push(Exercise {
                id: picked.id,
                from: picked.from,
                mistakes: None,
                report,
                fresh: None,
                withheld: false,
                notes,
            });
        }
        let tried = compile(self, &place, &items, slot)?;
        grade.compiling = tried.used;
        grade.used = tried.used;
        self.ask(&place, tried, &items, slot, &mut grade)?;
        for exercise in &mut grade.exercises {
            let complete = exercise.report.as_ref().is_some_and(Report::is_complete);
            let fits = exercise.fresh.as_ref().is_none_or(|c| c.status == Status::Passed);
            if complete && !fits {
                exercise.withheld = true;
                let why = "right on the inputs that everybody knows, wrong on those drawn for this run: no points \
                           until somebody has looked at it";
                exercise.notes.push(why.into());
            }
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
                exercise.mistakes = Some(mistakes.clone());
                continue;
            }
            let Some(mut program) = tried.programs.get(&item.name).cloned() else { continue };
            let mut report = self.one(&program, item, place, slot, exercise, &mut grade.used)?;
            // Another exercise's code may be what ended it: it is asked once more, alone.
            let died = report.checks.iter().any(|c| c.status == Status::Died);
            if died && items.len() > 1 {
                let alone = compile(self, place, std::slice::from_ref(item), slot)?;
                grade.compiling = grade.compiling.and(alone.used);
                grade.used = grade.used.and(alone.used);
                if let Some(again) = alone.programs.get(&item.name) {
                    program = again.clone();
                    report = self.one(&program, item, place, slot, exercise, &mut grade.used)?;
                }
            }
            for failed in
                report.checks.iter().filter(|c| matches!(c.status, Status::Died | Status::TimedOut))
            {
                exercise.notes.push(format!("{}: {}", failed.id, failed.came));
            }
            exercise.report = Some(report);
        }
        Ok(())
    }

    /// Asks one item: the checks that everybody sees, then inputs drawn for this run.
    fn one(
        &self,
        program: &Path,
        item: &Item,
        place: &Place,
        slot: u32,
        exercise: &mut Exercise,
        used: &mut Usage,
    ) -> Result<Report> {
        let mut cage = self.cage(Phase::Run, slot);
        cage.read.extend([program.to_path_buf(), place.inputs.clone()]);
        cage.pipes = true;
        let worker =
            Worker::new(program, &item.name, QUESTION).caged(cage.clone(), &place.inputs, EXERCISE);
        let report = check::run(&item.exercise, &worker)?;
        *used = used.and(worker.finish());
        if report.points() > 0 {
            // Its own time: who has used up the first one has had it.
            let worker =
                Worker::new(program, &item.name, QUESTION).caged(cage, &place.inputs, EXERCISE / 2);
            exercise.fresh = fresh::check(&item.exercise, self.seed, &worker)?;
            *used = used.and(worker.finish());
        }
        Ok(report)
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
