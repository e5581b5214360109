//! A notebook's master: Markdown as Jupytext reads it, with places for exercises.
//!
//! A block fenced as `rust` is a code cell, everything between is text; two blank lines divide texts. Two marks are
//! ours: a code cell `// exercise: ID` becomes the exercise's code (`// exercise: ID, again` likewise, but is not
//! graded), and a line `<!-- statement: ID -->` becomes the exercise's statement. A code cell that begins with
//! `check::ID` is the one that nbgrader takes the points from.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{Master, Version, read};
use crate::{Error, Result};

/// A cell of a master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Markdown.
    Text(String),
    /// Rust.
    Code(String),
    /// Rust that checks an exercise: `check::ID(…)`.
    Check {
        /// Which.
        id: String,
        /// The code.
        code: String,
    },
    /// The place of an exercise's code.
    Exercise {
        /// Which.
        id: String,
        /// Whether the exercise was set in an earlier notebook, and stands here once more.
        again: bool,
    },
}

/// A master, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notebook {
    /// The file's name: `02_clip`.
    pub name: String,
    /// Its cells.
    pub cells: Vec<Cell>,
}

impl Notebook {
    /// All masters, in the order of their names.
    pub fn all(root: &Path) -> Result<Vec<Self>> {
        let folder = root.join("solutions/notebooks");
        let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
            .map_err(Error::io(&folder))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "md"))
            .collect();
        paths.sort();
        let named = |path: &PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into();
        paths
            .iter()
            .map(|path| {
                let name: String = named(path);
                let cells = parse(&read(path)?)
                    .map_err(|why| Error::Failed(format!("{}: {why}", path.display())))?;
                Ok(Self { name, cells })
            })
            .collect()
    }

    /// The text of a code cell; `None` for a text.
    pub(super) fn code(
        &self,
        cell: &Cell,
        masters: &[Master],
        version: Version,
    ) -> Result<Option<String>> {
        Ok(match cell {
            Cell::Text(_) => None,
            Cell::Code(code) | Cell::Check { code, .. } => Some(code.clone()),
            Cell::Exercise { id, .. } => Some(self.master(id, masters)?.item(version)),
        })
    }

    fn master<'a>(&self, id: &str, masters: &'a [Master]) -> Result<&'a Master> {
        let found = masters.iter().find(|master| master.id == id);
        found.ok_or_else(|| Error::Failed(format!("{}: there is no exercise `{id}`", self.name)))
    }

    /// The notebook's file, nbformat 4.5.
    pub fn ipynb(&self, masters: &[Master], version: Version) -> Result<String> {
        let number = self.name.split('_').next().unwrap_or_default();
        let mut cells = Vec::new();
        for (index, cell) in self.cells.iter().enumerate() {
            let id = match cell {
                Cell::Exercise { id, again: false } => id.clone(),
                Cell::Check { id, .. } => format!("{id}-checks"),
                _ => format!("cell-{number}-{:02}", index + 1),
            };
            let (metadata, source) = match cell {
                Cell::Text(text) => (json!({}), self.with_statements(text, masters)?),
                Cell::Code(code) => (json!({}), code.clone()),
                Cell::Check { id, code } => (checking(id), code.clone()),
                Cell::Exercise { id, again } => {
                    let name = match again {
                        true => format!("{id}-again-{number}"),
                        false => id.clone(),
                    };
                    (grading(&name), self.master(id, masters)?.item(version))
                }
            };
            // In the order in which Jupyter writes them.
            let mut json = Map::new();
            let text = matches!(cell, Cell::Text(_));
            json.insert("cell_type".into(), json!(if text { "markdown" } else { "code" }));
            if !text {
                json.insert("execution_count".into(), Value::Null);
            }
            json.insert("id".into(), json!(id));
            json.insert("metadata".into(), metadata);
            if !text {
                json.insert("outputs".into(), json!([]));
            }
            json.insert("source".into(), json!(source.split_inclusive('\n').collect::<Vec<_>>()));
            cells.push(Value::Object(json));
        }
        let mut notebook = Map::new();
        notebook.insert("cells".into(), Value::Array(cells));
        notebook.insert("metadata".into(), kernel());
        notebook.insert("nbformat".into(), json!(4));
        notebook.insert("nbformat_minor".into(), json!(5));
        let mut bytes = Vec::new();
        let format = serde_json::ser::PrettyFormatter::with_indent(b" ");
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, format);
        serde::Serialize::serialize(&Value::Object(notebook), &mut serializer)
            .map_err(|e| Error::Failed(format!("{}: {e}", self.name)))?;
        bytes.push(b'\n');
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// `text` with each mark of a statement replaced by the statement.
    fn with_statements(&self, text: &str, masters: &[Master]) -> Result<String> {
        let mut lines = Vec::new();
        for line in text.lines() {
            match between(line, "<!-- statement: ", " -->") {
                Some(id) => {
                    let statement = &self.master(id, masters)?.statement;
                    lines.push(statement.replacen("# ", "## Exercise ", 1));
                }
                None => lines.push(line.to_string()),
            }
        }
        Ok(lines.join("\n"))
    }
}

/// nbgrader's metadata (schema 3) of a cell that a student fills in.
fn grading(id: &str) -> Value {
    json!({ "nbgrader": {
        "grade": false, "grade_id": id, "locked": false, "schema_version": 3, "solution": true, "task": false,
    }})
}

/// nbgrader's metadata of the cell whose checks give an exercise's points.
fn checking(id: &str) -> Value {
    json!({ "nbgrader": {
        "grade": true, "grade_id": format!("{id}-checks"), "locked": true, "points": 10, "schema_version": 3,
        "solution": false, "task": false,
    }})
}

fn kernel() -> Value {
    json!({
        "kernelspec": {
            "display_name": "Rust (vision-language)", "language": "rust", "name": "vision-language",
        },
        "language_info": { "file_extension": ".rs", "mimetype": "text/rust", "name": "rust" },
    })
}

/// Takes a master's text apart; an error names the line.
fn parse(text: &str) -> std::result::Result<Vec<Cell>, String> {
    let mut lines = text.lines().enumerate().peekable();
    if lines.next_if(|(_, line)| *line == "---").is_some()
        && !lines.by_ref().any(|(_, line)| line == "---")
    {
        return Err("line 1: the header has no end".into());
    }
    let mut cells = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    let mut blank = 0;
    while let Some((number, line)) = lines.next() {
        let fence = line.starts_with("```");
        if fence {
            let block: Vec<&str> =
                lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            if lines.peek().is_none() && !text.trim_end().ends_with("```") {
                return Err(format!("line {}: the block has no end", number + 1));
            }
            if line == "```rust" {
                push_text(&mut cells, &mut words);
                cells.push(code(&block.join("\n")));
            } else {
                words.push(line);
                words.extend(block);
                words.push("```");
            }
            blank = 0;
            continue;
        }
        blank = if line.trim().is_empty() { blank + 1 } else { 0 };
        if blank == 2 {
            push_text(&mut cells, &mut words);
        }
        words.push(line);
    }
    push_text(&mut cells, &mut words);
    Ok(cells)
}

fn push_text(cells: &mut Vec<Cell>, words: &mut Vec<&str>) {
    let text = words.join("\n").trim().to_string();
    words.clear();
    if !text.is_empty() {
        cells.push(Cell::Text(text));
    }
}

fn code(block: &str) -> Cell {
    match block.trim().strip_prefix("// exercise: ") {
        Some(id) => match id.strip_suffix(", again") {
            Some(id) => Cell::Exercise { id: id.into(), again: true },
            None => Cell::Exercise { id: id.into(), again: false },
        },
        None => {
            let code = block.trim_end().to_string();
            let called = block.trim_start().strip_prefix("check::");
            let id = called.and_then(|rest| rest.split(['(', ':']).next()).map(String::from);
            match id {
                Some(id) => Cell::Check { id, code },
                None => Cell::Code(code),
            }
        }
    }
}

fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    line.trim().strip_prefix(before)?.strip_suffix(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_is_texts_and_cells() {
        let text = "---\njupyter: {}\n---\n\n# Title\n\nOne.\n\n\nTwo.\n\n```text\na\n\n\nb\n```\n\n```rust\nlet x = 1;\n\
            ```\n\n```rust\n// exercise: half\n```\n```rust\n// exercise: half, again\n```\n\n```rust\n\
            check::half::<Half>()\n```\n";
        let half = |again| Cell::Exercise { id: "half".into(), again };
        let expected = [
            Cell::Text("# Title\n\nOne.".into()),
            Cell::Text("Two.\n\n```text\na\n\n\nb\n```".into()),
            Cell::Code("let x = 1;".into()),
            half(false),
            half(true),
            Cell::Check { id: "half".into(), code: "check::half::<Half>()".into() },
        ];
        assert_eq!(parse(text).unwrap(), expected);
        assert!(parse("a\n```rust\nlet x = 1;\n").unwrap_err().starts_with("line 2:"));
    }
}
