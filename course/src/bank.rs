//! The bank of misconceptions: named wrong solutions and different right ones, and what the checks say of each.
//!
//! `solutions/misconceptions/<id>/<name>.rs` holds what a student might write into the master's holes. Its first lines say
//! what must come of it:
//!
//! ```text
//! //! killed by: lengths, as not_normalised        (a wrong one: the check, and the misconception it names)
//! //! right                                        (a right one)
//! ```
//!
//! `// HOLE 2` begins the text of the second hole; a hole without a text keeps the master's.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use vision_language::exercise::{Report, Status, check, exercises};

use crate::sync::{Master, Version, read, write};
use crate::worker::{Compiled, Item, Library, Worker};
use crate::{Error, Result};

/// What must come of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// No points, nothing wrong.
    Stub,
    /// Full marks.
    Right,
    /// This check fails and recognises this misconception.
    KilledBy {
        /// The check's id.
        check: String,
        /// The misconception's id.
        misconception: String,
    },
}

/// One solution, wrong or right.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The exercise.
    pub exercise: String,
    /// The file's name, or `stub`, `master`.
    pub name: String,
    /// What must come of it.
    pub verdict: Verdict,
    /// The whole file.
    pub code: String,
}

/// Everything for one exercise: the stub, the master, the right ones and the wrong ones.
///
/// # Errors
/// A file without its first line, by name.
pub fn entries(root: &Path, id: &str) -> Result<Vec<Entry>> {
    let master = Master::read(&root.join(format!("solutions/src/{id}.rs")))?;
    let whole = |name: &str, verdict, version| Entry {
        exercise: id.into(),
        name: name.into(),
        verdict,
        code: master.file(version),
    };
    let mut entries = vec![
        whole("stub", Verdict::Stub, Version::Stub),
        whole("master", Verdict::Right, Version::Solved),
    ];
    let folder = root.join("solutions/misconceptions").join(id);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .map_err(Error::io(&folder))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (verdict, holes) = parse(&read(&path)?)
            .map_err(|why| Error::Failed(format!("{}: {why}", path.display())))?;
        let code = master.with_holes(&holes);
        entries.push(Entry { exercise: id.into(), name, verdict, code });
    }
    entries.sort_by_key(|entry| matches!(entry.verdict, Verdict::KilledBy { .. }));
    Ok(entries)
}

/// The verdict and the holes of a file.
fn parse(text: &str) -> std::result::Result<(Verdict, BTreeMap<usize, String>), String> {
    let first = text.lines().next().unwrap_or_default();
    let verdict = if first == "//! right" {
        Verdict::Right
    } else if let Some((check, misconception)) =
        first.strip_prefix("//! killed by: ").and_then(|rest| rest.split_once(", as "))
    {
        Verdict::KilledBy { check: check.into(), misconception: misconception.into() }
    } else {
        return Err(format!(
            "line 1: expected `//! right` or `//! killed by: …, as …`, got {first:?}"
        ));
    };
    let (mut holes, mut hole) = (BTreeMap::<usize, String>::new(), 0);
    for line in text.lines().skip_while(|line| line.starts_with("//!")) {
        if let Some(number) = line.trim().strip_prefix("// HOLE ") {
            let number: usize = number.parse().map_err(|_| format!("`{line}`: no number"))?;
            hole = number.checked_sub(1).ok_or("holes are counted from 1")?;
        } else {
            let code = holes.entry(hole).or_default();
            code.push_str(line);
            code.push('\n');
        }
    }
    holes.retain(|_, code| !code.trim().is_empty());
    if holes.is_empty() {
        return Err("there is no code".into());
    }
    Ok((verdict, holes))
}

/// What the checks said of an entry.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The exercise.
    pub exercise: String,
    /// The entry's name.
    pub name: String,
    /// What must come of it.
    pub verdict: Verdict,
    /// What came.
    pub report: Report,
    /// Why that is not what must come of it; `None` if it is.
    pub wrong: Option<String>,
}

/// Compiles all entries of an exercise into one program and checks each in a process of its own.
///
/// # Errors
/// An entry that does not compile; a file without its first line.
pub fn rows(library: &Library, root: &Path, id: &str) -> Result<Vec<Row>> {
    let entries = entries(root, id)?;
    let folder = library.scratch(&format!("bank-{id}"))?;
    let mut items = Vec::new();
    for entry in &entries {
        let file = folder.join(format!("{}.rs", entry.name));
        // A file that is as it was keeps its time, so that the program is not compiled again.
        if fs::read_to_string(&file).ok().as_deref() != Some(&entry.code) {
            write(&file, &entry.code)?;
        }
        items.push(Item { name: entry.name.clone(), exercise: id.into(), file });
    }
    let program = match library.compile(&format!("bank-{id}"), &items)? {
        Compiled::Program(program) => program,
        Compiled::Mistakes(mistakes) => {
            let why = format!("the bank of {id} does not compile:\n{}", mistakes.rendered);
            return Err(Error::Failed(why));
        }
    };
    entries
        .into_iter()
        .map(|entry| {
            let worker = Worker::new(&program, &entry.name, Duration::from_secs(20));
            let report = check::run(id, &worker)?;
            let wrong = judge(&entry.verdict, &report);
            let Entry { exercise, name, verdict, .. } = entry;
            Ok(Row { exercise, name, verdict, report, wrong })
        })
        .collect()
}

/// Why a report is not what must come, if it is not.
fn judge(verdict: &Verdict, report: &Report) -> Option<String> {
    match verdict {
        Verdict::Stub => {
            let fine = report.points() == 0 && report.is_not_yet();
            (!fine).then(|| format!("a stub with {} points", report.points()))
        }
        Verdict::Right => {
            let failed = report.checks.iter().find(|c| c.status != Status::Passed)?;
            let Report { id, .. } = report;
            Some(format!(
                "{id}: a right one fails `{}`: {} for {}",
                failed.id, failed.came, failed.expected
            ))
        }
        Verdict::KilledBy { check, misconception } => {
            let Some(found) = report.checks.iter().find(|c| c.id == *check) else {
                return Some(format!("there is no check `{check}`"));
            };
            if !found.status.is_failure() {
                return Some(format!("`{check}` lets it pass"));
            }
            let named = found.misconception.as_deref();
            (named != Some(misconception))
                .then(|| format!("`{check}` names {}: {}", named.unwrap_or("nothing"), found.came))
        }
    }
}

/// How far right ones stay below a check's tolerance, and wrong ones above it.
#[derive(Clone, Debug, Serialize)]
pub struct Margin {
    /// The exercise.
    pub exercise: String,
    /// The check.
    pub check: String,
    /// Its tolerance.
    pub tolerance: f64,
    /// The largest deviation of a right one.
    pub right: f64,
    /// The smallest deviation of a wrong one that this check stops.
    pub wrong: Option<f64>,
}

/// The margins of the checks that measure.
pub fn margins(rows: &[Row]) -> Vec<Margin> {
    let mut margins = Vec::new();
    for exercise in exercises() {
        for check in check::checks(exercise.id) {
            let of = move |right: bool| {
                rows.iter()
                    .filter(move |row| row.exercise == exercise.id)
                    .filter(move |row| (row.verdict == Verdict::Right) == right)
                    .flat_map(|row| &row.report.checks)
                    .filter(move |found| found.id == check.id)
                    .filter_map(|found| found.measure)
            };
            let Some(tolerance) = of(true).map(|m| m.tolerance).next() else { continue };
            let right = of(true).map(|m| m.deviation).fold(0., f64::max);
            let wrong = of(false)
                .filter(|m| m.deviation > m.tolerance)
                .map(|m| m.deviation)
                .fold(f64::INFINITY, f64::min);
            margins.push(Margin {
                exercise: exercise.id.into(),
                check: check.id.into(),
                tolerance,
                right,
                wrong: wrong.is_finite().then_some(wrong),
            });
        }
    }
    margins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_must_come_of_it() {
        let text = "//! killed by: skip, as no_skip\n//! The sum is forgotten.\n// HOLE 2\n    x\n";
        let (verdict, holes) = parse(text).unwrap();
        let (check, misconception) = ("skip".into(), "no_skip".into());
        assert_eq!(verdict, Verdict::KilledBy { check, misconception });
        assert_eq!(holes, [(1, "    x\n".to_string())].into());
        assert_eq!(parse("//! right\n    y\n").unwrap().0, Verdict::Right);
        assert!(parse("    y\n").unwrap_err().starts_with("line 1"));
        assert!(parse("//! right\n").is_err());
    }
}
