//! `vl progress`, `vl reset`: how far you are, and a fresh beginning.

use std::fs;

use clap::Args;
use serde_json::json;
use vision_language::exercise::exercises;

use super::check::{file_of, known};
use crate::house::House;
use crate::progress::Progress;
use crate::sync::{fingerprint, keep, stub, write};
use crate::{Error, Result};

/// How far you are: each exercise, its points, the hints that you took
#[derive(Args, Clone, Debug)]
pub struct ProgressArgs {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Prints what the last checks said.
///
/// # Errors
/// When the course is not found.
pub fn progress(args: &ProgressArgs) -> Result<()> {
    let house = House::find()?;
    let progress = Progress::read(&house);
    if args.json {
        let all: Vec<_> = exercises()
            .iter()
            .map(|e| json!({"id": e.id, "notebook": e.notebook, "of": 10, "state": progress.of(e.id)}))
            .collect();
        println!("{}", json!({ "exercises": all }));
    } else {
        print!("{}", overview(&house, &progress));
    }
    Ok(())
}

/// A bar, and a line an exercise.
pub fn overview(house: &House, progress: &Progress) -> String {
    let all = exercises();
    let done = all.iter().filter(|e| progress.of(e.id).complete).count();
    let bar: String = (0..all.len()).map(|i| if i < done { '█' } else { '░' }).collect();
    let mut text = format!("{bar} {done} of {} exercises done\n", all.len());
    for exercise in all {
        let entry = progress.of(exercise.id);
        let source = fs::read_to_string(file_of(house, exercise.id)).unwrap_or_default();
        let stale = !entry.version.is_empty() && entry.version != fingerprint(&source);
        let mark = match (entry.complete, entry.version.is_empty()) {
            (true, _) => '✓',
            (_, true) => ' ',
            _ => '–',
        };
        let mut notes = Vec::new();
        if stale {
            notes.push("changed since it was checked".to_string());
        }
        if entry.all_hints > 0 {
            let steps = if entry.all_hints == 1 { "step" } else { "steps" };
            notes.push(format!("{} {steps} of hints", entry.all_hints));
        }
        text += format!(
            " {mark} {:16} {:>2}/10  {:13} {}",
            exercise.id,
            entry.points,
            exercise.notebook,
            notes.join(", ")
        )
        .trim_end();
        text.push('\n');
    }
    if let Some(next) = all.iter().find(|e| !progress.of(e.id).complete) {
        text += &format!("Next: {}, in exercises/src/{}.rs\n", next.id, next.id);
    }
    text
}

/// Put an exercise back to how it came; what you wrote is kept beside it
#[derive(Args, Clone, Debug)]
pub struct ResetArgs {
    /// Which exercise
    #[arg(value_name = "ID")]
    id: String,
}

/// Resets one exercise.
///
/// # Errors
/// An unknown id; a file that cannot be written.
pub fn reset(args: &ResetArgs) -> Result<()> {
    let house = House::find()?;
    println!("{}", put_back(&house, &args.id)?);
    Ok(())
}

/// Puts the stub back and keeps what was there; says what it did.
///
/// # Errors
/// As [`reset`].
pub fn put_back(house: &House, id: &str) -> Result<String> {
    let id = known(id)?.id;
    let stub = stub(&house.root, id)?
        .ok_or_else(|| Error::Failed(format!("exercises/stubs.json has no `{id}`")))?;
    let file = file_of(house, id);
    let said = match fs::read_to_string(&file) {
        Ok(there) if there == stub => return Ok(format!("{id} is as it came.")),
        Ok(there) => {
            let kept = keep(&file, &there)?;
            let name = kept.file_name().unwrap_or_default().to_string_lossy().into_owned();
            format!("{id} is as it came; what you wrote is in exercises/src/{name}.")
        }
        Err(_) => format!("{id} is there again, as it came."),
    };
    write(&file, &stub)?;
    Progress::read(house).forget(id)?;
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let house = House { root: folder.path().into(), target: folder.path().join("target") };
        write(&folder.path().join("exercises/stubs.json"), r#"{"clip_loss": "todo"}"#).unwrap();
        let file = file_of(&house, "clip_loss");
        assert!(put_back(&house, "clip_loss").unwrap().contains("there again"));
        assert!(put_back(&house, "clip_loss").unwrap().ends_with("is as it came."));
        write(&file, "mine").unwrap();
        assert!(put_back(&house, "clip_loss").unwrap().contains("clip_loss.rs.bak"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "todo");
        assert_eq!(fs::read_to_string(file.with_file_name("clip_loss.rs.bak")).unwrap(), "mine");
        assert!(put_back(&house, "keep_best").unwrap_err().to_string().contains("keep_best"));
        let none = format!("0 of {} exercises done", exercises().len());
        assert!(overview(&house, &Progress::read(&house)).contains(&none));
    }
}
