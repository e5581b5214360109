//! The class: `grades.csv`, and `report.html` with what it has understood and what it has not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use vision_language::display::{Picture, bars};
use vision_language::exercise::hint::misconceptions;

use super::one::{Exercise, Grade};
use super::results::{escape, page};
use crate::sync::write;
use crate::{Error, Result};

/// Reads the grades that lie below result folders.
///
/// # Errors
/// A record that cannot be read; the same submission with different grades.
pub fn collect(folders: &[PathBuf]) -> Result<Vec<Grade>> {
    let mut all: BTreeMap<String, Grade> = BTreeMap::new();
    for folder in folders {
        let below = folder.join("submissions");
        for entry in fs::read_dir(&below).map_err(Error::io(&below))?.flatten() {
            let record = entry.path().join("grade.json");
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
            all.insert(grade.name.clone(), grade);
        }
    }
    Ok(all.into_values().collect())
}

/// Writes the class's table and report.
///
/// # Errors
/// When a file cannot be written.
pub fn write_class(out: &Path, grades: &[Grade]) -> Result<()> {
    write(&out.join("grades.csv"), &csv(grades))?;
    write(&out.join("report.html"), &report(grades)?)
}

fn ids(grades: &[Grade]) -> Vec<String> {
    grades.first().map_or(Vec::new(), |g| g.exercises.iter().map(|e| e.id.clone()).collect())
}

fn csv(grades: &[Grade]) -> String {
    // A spreadsheet takes what begins like this for a formula.
    let field = |text: &str| {
        let text = if text.starts_with(['=', '+', '-', '@', '\t']) {
            format!("'{text}")
        } else {
            text.into()
        };
        format!("\"{}\"", text.replace('"', "\"\"").replace(['\n', '\r'], " "))
    };
    let ids = ids(grades);
    let mut text = format!(
        "submission,points,of,{},misconceptions,remarks,seconds,core_seconds\n",
        ids.join(",")
    );
    for grade in grades {
        let points: Vec<String> = grade.exercises.iter().map(|e| e.points().to_string()).collect();
        let wrong: Vec<String> = grade
            .exercises
            .iter()
            .filter_map(|e| e.misconception().map(|m| format!("{}: {m}", e.id)))
            .collect();
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{:.2},{:.2}",
            field(&grade.name),
            grade.points(),
            grade.of(),
            points.join(","),
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
