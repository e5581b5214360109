//! The master of an exercise: statement, code, and what the stub shows in the code's place.

use std::path::{Path, PathBuf};

use super::{Version, read};
use crate::{Error, Result};

const BEGIN: &str = "// BEGIN SOLUTION";
const END: &str = "// END SOLUTION";
const STUB: &str = "// STUB ";

/// `solutions/src/<id>.rs`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Master {
    /// The exercise's id: the file's name.
    pub id: String,
    /// Title and statement: the file's `//!` lines without their mark.
    pub statement: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A line of every version.
    Line(String),
    /// A place where a student writes.
    Hole {
        /// The lines that the student finds.
        stub: Vec<String>,
        /// The lines of the solution.
        solved: Vec<String>,
    },
}

impl Master {
    /// All masters, by id.
    pub fn all(root: &Path) -> Result<Vec<Self>> {
        let folder = root.join("solutions/src");
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
            .map_err(Error::io(&folder))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "rs"))
            .filter(|path| {
                read(path).is_ok_and(|text| text.lines().any(|line| line.trim() == BEGIN))
            })
            .collect();
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// Reads one.
    pub fn read(path: &Path) -> Result<Self> {
        let id = path.file_stem().unwrap_or_default().to_string_lossy();
        Self::parse(&id, &read(path)?)
            .map_err(|why| Error::Failed(format!("{}: {why}", path.display())))
    }

    /// Takes a master's text apart; an error names the line.
    pub fn parse(id: &str, text: &str) -> std::result::Result<Self, String> {
        let (mut parts, mut statement) = (Vec::new(), Vec::new());
        let mut shown: Vec<String> = Vec::new();
        let mut hole: Option<Vec<String>> = None;
        for (number, line) in text.lines().enumerate() {
            let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
            let wrong = |why: &str| Err(format!("line {}: {why}", number + 1));
            if let Some(code) = rest.strip_prefix(STUB) {
                if hole.is_some() {
                    return wrong("a `// STUB` line belongs before `// BEGIN SOLUTION`");
                }
                shown.push(format!("{indent}{code}"));
            } else if rest == BEGIN {
                if hole.is_some() || shown.is_empty() {
                    return wrong("`// BEGIN SOLUTION` wants a `// STUB` line before it");
                }
                hole = Some(Vec::new());
            } else if rest == END {
                let Some(solved) = hole.take() else {
                    return wrong("`// END SOLUTION` without its beginning");
                };
                parts.push(Part::Hole { stub: std::mem::take(&mut shown), solved });
            } else if let Some(solved) = &mut hole {
                solved.push(line.to_string());
            } else if !shown.is_empty() {
                return wrong("`// STUB` lines must be followed by `// BEGIN SOLUTION`");
            } else {
                if let Some(words) = rest.strip_prefix("//!") {
                    statement.push(words.strip_prefix(' ').unwrap_or(words).to_string());
                }
                parts.push(Part::Line(line.to_string()));
            }
        }
        if hole.is_some() || !parts.iter().any(|part| matches!(part, Part::Hole { .. })) {
            return Err("a `// BEGIN SOLUTION` without its end, or none at all".into());
        }
        Ok(Self { id: id.into(), statement: statement.join("\n"), parts })
    }

    /// The whole file.
    pub fn file(&self, version: Version) -> String {
        self.lines(version).join("\n") + "\n"
    }

    /// What a notebook's cell holds: the file without the statement and without its first `use`.
    pub fn item(&self, version: Version) -> String {
        let lines = self.lines(version);
        let code = lines
            .iter()
            .filter(|line| !line.starts_with("//!") && *line != "use vision_language::prelude::*;");
        let code: Vec<_> = code.map(String::as_str).collect();
        code.join("\n").trim().to_string()
    }

    /// The solutions, a text a hole.
    pub fn solutions(&self) -> Vec<String> {
        let solved = |part: &Part| match part {
            Part::Hole { solved, .. } => Some(solved.join("\n")),
            Part::Line(_) => None,
        };
        self.parts.iter().filter_map(solved).collect()
    }

    /// The whole file with these lines in its holes, by number from 0; a hole without any keeps its solution.
    pub fn with_holes(&self, holes: &std::collections::BTreeMap<usize, String>) -> String {
        let mut lines = Vec::new();
        let mut number = 0;
        for part in &self.parts {
            match part {
                Part::Line(line) => lines.push(line.clone()),
                Part::Hole { solved, .. } => {
                    match holes.get(&number) {
                        Some(code) => lines.push(code.clone()),
                        None => lines.extend(solved.iter().cloned()),
                    }
                    number += 1;
                }
            }
        }
        lines.join("\n") + "\n"
    }

    fn lines(&self, version: Version) -> Vec<String> {
        let mut lines = Vec::new();
        for part in &self.parts {
            match (part, version) {
                (Part::Line(line), _) => lines.push(line.clone()),
                (Part::Hole { stub, .. }, Version::Stub) => lines.extend(stub.iter().cloned()),
                (Part::Hole { solved, .. }, Version::Solved) => {
                    lines.extend(solved.iter().cloned());
                }
                (Part::Hole { stub, solved }, Version::Instructor) => {
                    let first = stub.first().map_or("", String::as_str);
                    let indent = &first[..first.len() - first.trim_start().len()];
                    lines.push(format!("{indent}{BEGIN}"));
                    lines.extend(solved.iter().cloned());
                    lines.push(format!("{indent}{END}"));
                }
            }
        }
        lines
    }
}

/// The stubs' `lib.rs`: the masters' with another introduction.
pub(super) fn exercises_lib(root: &Path) -> Result<String> {
    let text = read(&root.join("solutions/src/lib.rs"))?;
    let code: Vec<_> = text.lines().filter(|line| !line.starts_with("//!")).collect();
    Ok(format!(
        "//! The exercises, one file each: fill the `todo!()`s. Made by `cargo vl sync` from the masters.\n\
         #![allow(dead_code, unreachable_code, unused_variables, clippy::diverging_sub_expression)]\n\n{}\n",
        code.join("\n").trim()
    ))
}

/// The stubs' `main.rs`: the masters' with the stubs' crate in its place.
pub(super) fn exercises_main(program: &str) -> String {
    // Hidden checks are the instructor's.
    let lines = program.lines().filter(|line| !line.contains("hidden"));
    let program = lines.collect::<Vec<_>>().join("\n").replace("\n\n\n", "\n\n") + "\n";
    let program = program.replace("the masters of the exercises", "your exercises");
    program.replace("the masters", "your exercises").replace("solutions::", "exercises::")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "//! # `half`: a half\n//!\n//! Half of it.\n\nuse vision_language::prelude::*;\n\n\
        /// Halves.\npub fn half(x: f64) -> f64 {\n    // STUB todo!(\"half: write your code\")\n    \
        // BEGIN SOLUTION\n    x / 2.\n    // END SOLUTION\n}\n";

    #[test]
    fn a_stub_and_a_solution_come_from_one_text() {
        let master = Master::parse("half", TEXT).unwrap();
        assert_eq!(master.statement, "# `half`: a half\n\nHalf of it.");
        let function = |body| format!("/// Halves.\npub fn half(x: f64) -> f64 {{\n    {body}\n}}");
        assert_eq!(master.item(Version::Stub), function("todo!(\"half: write your code\")"));
        assert_eq!(master.item(Version::Solved), function("x / 2."));
        assert!(master.file(Version::Stub).starts_with("//! # `half`"));
        assert!(!master.file(Version::Stub).contains("x / 2."));
        let marked = "// BEGIN SOLUTION\n    x / 2.\n    // END SOLUTION";
        assert_eq!(master.item(Version::Instructor), function(marked));
        assert_eq!(master.solutions(), ["    x / 2."]);
        let other = master.with_holes(&[(0, "    x * 0.5".to_string())].into());
        assert!(other.contains("{\n    x * 0.5\n}"), "{other}");
    }

    #[test]
    fn a_broken_master_is_named_by_its_line() {
        let no_stub = TEXT.replace("    // STUB todo!(\"half: write your code\")\n", "");
        assert!(Master::parse("half", &no_stub).unwrap_err().starts_with("line 9:"));
        let no_end = TEXT.replace("    // END SOLUTION\n", "");
        assert!(Master::parse("half", &no_end).is_err());
        assert!(Master::parse("half", "fn main() {}").is_err());
    }
}
