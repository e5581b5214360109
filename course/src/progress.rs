//! What is known of each exercise from one call to the next: points, the misconception, how many hints were shown.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use vision_language::exercise::Report;

use crate::Result;
use crate::house::House;
use crate::sync::{fingerprint, write};

/// What is known of one exercise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The points of the last check.
    pub points: u32,
    /// Whether every check passed then.
    pub complete: bool,
    /// The misconception that was recognised then.
    pub misconception: Option<String>,
    /// How many steps of its hint were shown.
    pub hints: usize,
    /// How many steps of hints were ever shown.
    pub all_hints: usize,
    /// Tells versions of the student's file apart.
    pub version: String,
}

/// All that is known.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
}

impl Progress {
    /// Reads it; nothing is known where there is no file yet.
    pub fn read(house: &House) -> Self {
        let path = house.own().join("progress.json");
        let text = fs::read_to_string(&path).unwrap_or_default();
        Self { path, entries: serde_json::from_str(&text).unwrap_or_default() }
    }

    /// What is known of an exercise.
    pub fn of(&self, id: &str) -> Entry {
        self.entries.get(id).cloned().unwrap_or_default()
    }

    /// Keeps what a check of `source` said.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn checked(&mut self, report: &Report, source: &str) -> Result<()> {
        let entry = self.entries.entry(report.id.clone()).or_default();
        let misconception = report.misconception().map(str::to_string);
        if misconception != entry.misconception {
            entry.hints = 0;
        }
        entry.misconception = misconception;
        (entry.points, entry.complete) = (report.points(), report.is_complete());
        entry.version = fingerprint(source);
        self.write()
    }

    /// Counts one more step of the exercise's hint, and gives how many are to be shown, `steps` at most.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn hinted(&mut self, id: &str, steps: usize) -> Result<usize> {
        let entry = self.entries.entry(id.to_string()).or_default();
        if entry.hints < steps {
            (entry.hints, entry.all_hints) = (entry.hints + 1, entry.all_hints + 1);
        }
        let shown = entry.hints;
        self.write()?;
        Ok(shown)
    }

    /// Forgets an exercise.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget(&mut self, id: &str) -> Result<()> {
        self.entries.remove(id);
        self.write()
    }

    fn write(&self) -> Result<()> {
        write(&self.path, &serde_json::to_string_pretty(&self.entries)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_begin_again_with_another_misconception() {
        let folder = tempfile::tempdir().unwrap();
        let house = House { root: folder.path().into(), target: folder.path().into() };
        let mut progress = Progress::read(&house);
        assert_eq!(progress.of("clip_loss"), Entry::default());
        let report = |misconception: Option<&str>| Report {
            id: "clip_loss".into(),
            title: String::new(),
            checks: vec![vision_language::exercise::CheckResult {
                id: "lengths".into(),
                name: String::new(),
                points: 2,
                status: vision_language::exercise::Status::Wrong,
                expected: String::new(),
                came: String::new(),
                misconception: misconception.map(String::from),
                question: String::new(),
                measure: None,
            }],
        };
        progress.checked(&report(Some("wrong_axis")), "a").unwrap();
        let shown: Vec<usize> = (0..4).map(|_| progress.hinted("clip_loss", 3).unwrap()).collect();
        assert_eq!(shown, [1, 2, 3, 3]);
        progress.checked(&report(Some("wrong_axis")), "b").unwrap();
        assert_eq!(Progress::read(&house).of("clip_loss").hints, 3);
        progress.checked(&report(Some("one_sided")), "c").unwrap();
        let entry = Progress::read(&house).of("clip_loss");
        assert_eq!((entry.hints, entry.all_hints), (0, 3));
    }
}
