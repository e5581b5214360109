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
    /// The file's lines, with the stubs in place of the solutions.
    stub: Vec<String>,
    /// The file's lines, without stubs and marks.
    solved: Vec<String>,
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
        let (mut stub, mut solved, mut statement) = (Vec::new(), Vec::new(), Vec::new());
        let mut shown: Vec<String> = Vec::new();
        let mut inside = false;
        let mut holes = 0;
        for (number, line) in text.lines().enumerate() {
            let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
            let wrong = |why: &str| Err(format!("line {}: {why}", number + 1));
            if let Some(code) = rest.strip_prefix(STUB) {
                if inside {
                    return wrong("a `// STUB` line belongs before `// BEGIN SOLUTION`");
                }
                shown.push(format!("{indent}{code}"));
            } else if rest == BEGIN {
                if inside || shown.is_empty() {
                    return wrong("`// BEGIN SOLUTION` wants a `// STUB` line before it");
                }
                inside = true;
                stub.append(&mut shown);
            } else if rest == END {
                if !inside {
                    return wrong("`// END SOLUTION` without its beginning");
                }
                inside = false;
                holes += 1;
            } else if inside {
                solved.push(line.to_string());
            } else if !shown.is_empty() {
                return wrong("`// STUB` lines must be followed by `// BEGIN SOLUTION`");
            } else {
                if let Some(words) = rest.strip_prefix("//!") {
                    statement.push(words.strip_prefix(' ').unwrap_or(words).to_string());
                }
                stub.push(line.to_string());
                solved.push(line.to_string());
            }
        }
        if inside || holes == 0 {
            return Err("a `// BEGIN SOLUTION` without its end, or none at all".into());
        }
        Ok(Self { id: id.into(), statement: statement.join("\n"), stub, solved })
    }

    /// The whole file.
    pub fn file(&self, version: Version) -> String {
        self.lines(version).join("\n") + "\n"
    }

    /// What a notebook's cell holds: the file without the statement and without its first `use`.
    pub fn item(&self, version: Version) -> String {
        let code = self
            .lines(version)
            .iter()
            .filter(|line| !line.starts_with("//!") && *line != "use vision_language::prelude::*;");
        let code: Vec<_> = code.map(String::as_str).collect();
        code.join("\n").trim().to_string()
    }

    fn lines(&self, version: Version) -> &[String] {
        match version {
            Version::Stub => &self.stub,
            Version::Solved => &self.solved,
        }
    }
}

/// The stubs' `lib.rs`: the masters' with another introduction.
pub(super) fn exercises_lib(root: &Path) -> Result<String> {
    let text = read(&root.join("solutions/src/lib.rs"))?;
    let code: Vec<_> = text.lines().filter(|line| !line.starts_with("//!")).collect();
    Ok(format!(
        "//! The exercises, one file each: fill the `todo!()`s. Made by `cargo vl sync` from the masters.\n\
         #![allow(dead_code, unreachable_code, unused_variables)]\n\n{}\n",
        code.join("\n").trim()
    ))
}

/// The stubs' `main.rs`: the masters' with the stubs' crate in its place.
pub(super) fn exercises_main(program: &str) -> String {
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
