//! The class: `grades.csv`, and `report.html` with what it has understood and what it has not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use vision_language::display::{Picture, bars};
use vision_language::exercise::hint::misconceptions;

use super::one::{Exercise, Grade};
use super::results::{escape, feedback, gradescope, page};
use super::written::{field, read_back, table};
use crate::sync::write;
use crate::{Error, Result};

/// Reads the grades that lie below result folders, and copies what is not below `out` there.
///
/// # Errors
/// A record that cannot be read; the same submission with different grades.
pub fn collect(folders: &[PathBuf], out: &Path) -> Result<Vec<Grade>> {
    let mut all: BTreeMap<String, Grade> = BTreeMap::new();
    for folder in folders {
        let below = folder.join("submissions");
        for entry in fs::read_dir(&below).map_err(Error::io(&below))?.flatten() {
            let record = entry.path().join(RECORD);
            // Graded no further than that when it was stopped.
            let Ok(json) = fs::read(&record) else { continue };
            let grade: Grade = serde_json::from_slice(&json)?;
            if let Some(other) = all.get(&grade.name).filter(|other| other.key != grade.key) {
                let why = format!(
                    "two grades of `{}`: {} and {} points",
                    grade.name,
                    other.points(),
                    grade.points()
                );
                return Err(Error::Failed(format!("{why}; merge only parts of one run")));
            }
            let to = out.join("submissions").join(&grade.name);
            if !same_folder(&entry.path(), &to) {
                save(out, &grade)?;
            }
            all.insert(grade.name.clone(), grade);
        }
    }
    Ok(all.into_values().collect())
}

fn same_folder(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Writes the files of one submission.
///
/// # Errors
/// When one cannot be written.
pub(super) fn save(out: &Path, grade: &Grade) -> Result<()> {
    let folder = out.join("submissions").join(&grade.name);
    write(&folder.join("results.json"), &gradescope(grade)?)?;
    write(&folder.join("feedback.html"), &feedback(grade))?;
    // Last: it says that the others are there.
    write(&folder.join(RECORD), &serde_json::to_string_pretty(grade)?)
}

/// A submission's grade as it is read again.
pub(super) const RECORD: &str = "grade.json";

/// Writes the class's tables and report, with the scores of written answers that lie in `out`.
///
/// # Errors
/// A score that cannot be read; a file that cannot be written.
pub fn write_class(out: &Path, grades: &mut [Grade]) -> Result<()> {
    for at in read_back(out, grades)? {
        save(out, &grades[at])?;
    }
    table(out, grades)?;
    write(&out.join("grades.csv"), &csv(grades))?;
    write(&out.join("report.html"), &report(grades)?)
}

fn ids(grades: &[Grade]) -> Vec<String> {
    grades.first().map_or(Vec::new(), |g| g.exercises.iter().map(|e| e.id.clone()).collect())
}

fn csv(grades: &[Grade]) -> String {
    let field = |text: &str| field(&text.replace(['\n', '\r'], " "));
    let ids = ids(grades);
    let mut text = format!(
        "submission,points,of,{},written,misconceptions,remarks,seconds,core_seconds\n",
        ids.join(",")
    );
    for grade in grades {
        let points: Vec<String> = grade.exercises.iter().map(|e| e.points().to_string()).collect();
        let wrong: Vec<String> = grade
            .exercises
            .iter()
            .filter_map(|e| e.misconception().map(|m| format!("{}: {m}", e.id)))
            .collect();
        // Nothing where nobody has read them yet.
        let read: Vec<u32> = grade.written.iter().filter_map(|w| w.score).collect();
        let read =
            if read.is_empty() { String::new() } else { read.iter().sum::<u32>().to_string() };
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{:.2},{:.2}",
            field(&grade.name),
            grade.points(),
            grade.of(),
            points.join(","),
            read,
            field(&wrong.join("; ")),
            field(&remarks(grade).join("; ")),
            grade.seconds,
            grade.used.cpu
        );
    }
    text
}

/// What somebody should look at.
fn remarks(grade: &Grade) -> Vec<String> {
    let of =
        |e: &Exercise| e.notes.iter().map(|note| format!("{}: {note}", e.id)).collect::<Vec<_>>();
    grade.notes.iter().cloned().chain(grade.exercises.iter().flat_map(of)).collect()
}

fn report(grades: &[Grade]) -> Result<String> {
    let n = grades.len();
    let mut body = format!("<h1>{n} submissions</h1>");
    if let Some(first) = grades.first() {
        let mean = grades.iter().map(|g| f64::from(g.points())).sum::<f64>() / n as f64;
        let _ = write!(
            body,
            "<p>{mean:.1} of {} points on average. Hidden inputs were drawn from seed {}.</p>",
            first.of(),
            first.seed
        );
        body += &picture(&distribution(grades, first.of())?);
        body += &picture(&exercises(grades)?);
    }
    body += "<h2>What they have not understood</h2>";
    let counted = counted(grades);
    match counted.is_empty() {
        true => body += "<p>No misconception was recognised.</p>",
        false => {
            let top: Vec<(String, f64)> = counted
                .iter()
                .take(15)
                .map(|(id, name, k)| (format!("{id}: {name}"), *k as f64))
                .collect();
            body += &picture(&bars("Misconceptions, submissions each", &top)?);
            body += "<ul>";
            for (id, name, count) in &counted {
                let says = misconceptions(id).iter().find(|m| m.id == name).map_or("", |m| m.name);
                let _ = write!(
                    body,
                    "<li>{count} of {n}: <b>{}</b>, {} ({})</li>",
                    escape(id),
                    escape(says),
                    escape(name)
                );
            }
            body += "</ul>";
        }
    }
    body += "<h2>Submissions</h2><table><tr><th>submission</th><th>points</th>";
    for id in ids(grades) {
        let _ = write!(body, "<th>{id}</th>");
    }
    body += "<th>s</th><th>core s</th><th>remarks</th></tr>";
    for grade in grades {
        let link = format!("submissions/{}/feedback.html", grade.name);
        let _ = write!(
            body,
            "<tr><td><a href=\"{}\">{}</a></td><td>{}</td>",
            escape(&link),
            escape(&grade.name),
            grade.points()
        );
        for exercise in &grade.exercises {
            let _ = write!(body, "<td>{}</td>", exercise.points());
        }
        let remarks = escape(&remarks(grade).join("\n"));
        let _ = write!(
            body,
            "<td>{:.1}</td><td>{:.1}</td><td class=\"soft\">{remarks}</td></tr>",
            grade.seconds, grade.used.cpu
        );
    }
    body += "</table>";
    Ok(page("Report", &body))
}

/// How many submissions have how many points, in ten steps.
fn distribution(grades: &[Grade], of: u32) -> Result<Picture> {
    let step = of.div_ceil(10).max(1);
    let mut rows = Vec::new();
    let mut low = 0;
    while low <= of {
        let high = (low + step - 1).min(of);
        let count = grades.iter().filter(|g| (low..=high).contains(&g.points())).count();
        rows.push((format!("{low} to {high} points"), count as f64));
        low += step;
    }
    Ok(bars("Submissions", &rows)?)
}

fn exercises(grades: &[Grade]) -> Result<Picture> {
    let mean = |id: &String| {
        let points =
            grades.iter().flat_map(|g| &g.exercises).filter(|e| e.id == *id).map(Exercise::points);
        f64::from(points.sum::<u32>()) / grades.len() as f64
    };
    let rows: Vec<(String, f64)> = ids(grades).iter().map(|id| (id.clone(), mean(id))).collect();
    Ok(bars("Points on average", &rows)?)
}

/// Misconceptions with how many submissions have them, the most frequent first.
fn counted(grades: &[Grade]) -> Vec<(String, String, usize)> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for exercise in grades.iter().flat_map(|g| &g.exercises) {
        if let Some(name) = exercise.misconception() {
            *counts.entry((exercise.id.clone(), name.into())).or_default() += 1;
        }
    }
    let mut counted: Vec<_> =
        counts.into_iter().map(|((id, name), count)| (id, name, count)).collect();
    counted.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
    counted
}

fn picture(picture: &Picture) -> String {
    let base64 = base64::engine::general_purpose::STANDARD.encode(&picture.png);
    format!("<p><img src=\"data:image/png;base64,{base64}\" alt=\"{}\"></p>", escape(&picture.alt))
}
