//! `vl check`: compiles each exercise's file alone and says what is right and what is wrong.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use vision_language::exercise::{Exercise, exercise, exercises};

use crate::house::House;
use crate::progress::Progress;
use crate::sync::read;
use crate::worker::{self, Library, Outcome};
use crate::{Error, Result};

/// Check your exercises: what is right, what is wrong and why
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Which exercise (by default all of them)
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Another file than exercises/src/ID.rs
    #[arg(long, value_name = "FILE", requires = "id")]
    file: Option<PathBuf>,
    /// How long one question of a check may take
    #[arg(long, value_name = "SECONDS", default_value_t = worker::LIMIT.as_secs_f64())]
    limit: f64,
    /// Print the reports as JSON
    #[arg(long)]
    json: bool,
}

/// Checks the exercises and prints what came of it.
///
/// # Errors
/// An unknown id; a library that does not compile. What is wrong with a student's file is no error.
pub fn check(args: &CheckArgs) -> Result<ExitCode> {
    let house = House::find()?;
    let limit = Duration::try_from_secs_f64(args.limit)
        .map_err(|_| Error::Usage(format!("--limit: expected seconds, got {}", args.limit)))?;
    let chosen: Vec<&Exercise> = match &args.id {
        Some(id) => vec![known(id)?],
        None => exercises().iter().collect(),
    };
    let library = Library::ready(&house)?;
    let mut progress = Progress::read(&house);
    let (mut all, mut complete, mut points) = (Vec::new(), 0, 0);
    let alone = chosen.len() == 1;
    for exercise in &chosen {
        let file = args.file.clone().unwrap_or_else(|| file_of(&house, exercise.id));
        let outcome = one(&library, exercise.id, &file, limit)?;
        if let Outcome::Checked(report) = &outcome {
            complete += usize::from(report.is_complete());
            points += report.points();
            if args.file.is_none() {
                progress.checked(report, &read(&file)?)?;
            }
        }
        if args.json {
            all.push(as_json(exercise.id, &outcome));
        } else {
            print!("{}", as_text(exercise.id, &outcome, alone));
        }
    }
    if args.json {
        println!("{}", json!({"exercises": all, "points": points, "of": 10 * chosen.len()}));
    } else if let Some(next) = next_step(&chosen, complete, &first_open(&progress)) {
        println!("{next}");
    }
    Ok(if complete == chosen.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn first_open(progress: &Progress) -> Option<&'static str> {
    exercises().iter().map(|e| e.id).find(|id| !progress.of(id).complete)
}

/// What to do now, in a sentence.
fn next_step(chosen: &[&Exercise], complete: usize, next: &Option<&'static str>) -> Option<String> {
    match (chosen, next) {
        ([one], _) if complete == 0 => Some(format!("Stuck? cargo vl hint {}", one.id)),
        (_, Some(next)) if complete == chosen.len() => {
            Some(format!("Next: {next}, in exercises/src/{next}.rs"))
        }
        (_, Some(next)) => Some(format!("Next: {next} (cargo vl check {next} says more)")),
        (_, None) => Some("All exercises are done.".into()),
    }
}

/// The exercise of this id.
///
/// # Errors
/// That names those that there are.
pub fn known(id: &str) -> Result<&'static Exercise> {
    let ids = || exercises().iter().map(|e| e.id).collect::<Vec<_>>().join(", ");
    exercise(id).ok_or_else(|| Error::Usage(format!("there is no exercise `{id}`: {}", ids())))
}

/// The student's file of an exercise.
pub fn file_of(house: &House, id: &str) -> PathBuf {
    house.root.join(format!("exercises/src/{id}.rs"))
}

/// Checks one file.
///
/// # Errors
/// When it is not there; as [`worker::check`].
pub fn one(library: &Library, id: &str, file: &Path, limit: Duration) -> Result<Outcome> {
    let file = std::path::absolute(file).map_err(Error::io(file))?;
    if !file.is_file() {
        let why = format!("{}: no such file; `cargo vl reset {id}` brings it back", file.display());
        return Err(Error::Failed(why));
    }
    worker::check(library, id, &file, limit)
}

/// The outcome for a person: everything, or a line and what is wrong.
pub fn as_text(id: &str, outcome: &Outcome, whole: bool) -> String {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    match outcome {
        Outcome::Checked(report) if whole || !(report.is_complete() || report.is_not_yet()) => {
            report.text(colour)
        }
        Outcome::Checked(report) => report.summary() + "\n",
        Outcome::Mistakes(mistakes) => {
            let rendered = match colour {
                true => mistakes.rendered.clone(),
                false => plain(&mistakes.rendered),
            };
            let n = mistakes.errors;
            let errors = if n == 1 { "one error".to_string() } else { format!("{n} errors") };
            format!(
                "{rendered}✗ {id}: does not compile yet, {errors}; the first: {} ({})\n",
                mistakes.first, mistakes.place
            )
        }
    }
}

/// A text without colours.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\x1b[") {
        plain += before;
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}

fn as_json(id: &str, outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Checked(report) => {
            let status = match (report.is_complete(), report.is_not_yet()) {
                (true, _) => "complete",
                (_, true) => "not_yet",
                _ => "wrong",
            };
            json!({"id": id, "status": status, "points": report.points(), "of": report.of(), "report": report})
        }
        Outcome::Mistakes(mistakes) => {
            let mut mistakes = mistakes.clone();
            mistakes.rendered = plain(&mistakes.rendered);
            json!({"id": id, "status": "mistakes", "points": 0, "of": 10, "mistakes": mistakes})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(plain("\x1b[1m\x1b[91merror\x1b[0m: x"), "error: x");
        assert_eq!(plain("no colour"), "no colour");
    }

    #[test]
    fn an_unknown_id_names_the_known_ones() {
        let error = known("clip_los").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("clip_loss"));
    }
}
