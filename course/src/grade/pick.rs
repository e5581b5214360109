//! Finds each exercise's code among the files of a submission: by a cell's metadata or a file's name, else by its marker
//! comment `// exercise: ID`, else by the item that it defines. Nothing else of a submission is taken.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::submission::Parts;
use crate::worker::item_name;

/// What cells get for nothing, on the line on which they begin, so that the compiler counts lines as the student does.
const PRELUDE: &str = "use vision_language::prelude::*;";

/// An exercise's code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picked {
    /// The exercise.
    pub id: String,
    /// The code, if there is any.
    pub code: Option<String>,
    /// Where it stands: `02_clip.ipynb, cell 7`.
    pub from: String,
    /// What there is to say about it.
    pub notes: Vec<String>,
}

struct Candidate {
    /// 0: metadata or file name; 1: marker; 2: the item.
    rank: u8,
    from: String,
    code: String,
}

/// The code of the exercise `id`.
pub fn pick(parts: &Parts, id: &str) -> Picked {
    let mut picked = Picked { id: id.into(), ..Picked::default() };
    let mut found = Vec::new();
    for part in &parts.parts {
        let Ok(text) = std::str::from_utf8(&part.bytes) else {
            picked.notes.push(format!("{} is no text", part.name));
            continue;
        };
        if part.name.ends_with(".rs") {
            let stem = part.name.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
            if stem == id {
                found.push(Candidate { rank: 0, from: part.name.clone(), code: text.into() });
            }
            continue;
        }
        match serde_json::from_str::<Value>(text) {
            Ok(notebook) => found.extend(cells(&part.name, &notebook, id)),
            Err(error) => picked.notes.push(format!("{} is no notebook: {error}", part.name)),
        }
    }
    let item = item_name(id).unwrap_or(id);
    // A cell by metadata that no longer defines the item: perhaps another one does.
    let holds = |c: &Candidate| defines(&c.code, item);
    let best =
        |with: &dyn Fn(&Candidate) -> bool| found.iter().filter(|c| with(c)).map(|c| c.rank).min();
    let rank = best(&|c| holds(c)).or_else(|| best(&|_| true));
    let same: Vec<&Candidate> = found
        .iter()
        .filter(|c| Some(c.rank) == rank)
        .filter(|c| holds(c) || !found.iter().any(holds))
        .collect();
    // The last one that is filled in, as it would be when the notebook runs from top to bottom.
    let filled = same.iter().rev().find(|c| !is_empty(&c.code) && !c.code.contains("todo!("));
    let Some(chosen) = filled.or(same.last()) else {
        picked.notes.push("not found: no cell, no marker, no file, no item of that name".into());
        return picked;
    };
    picked.from = chosen.from.clone();
    let others = same.iter().filter(|c| c.code != chosen.code).count();
    if others > 0 {
        picked.notes.push(format!("found {} times; {} counts", same.len(), chosen.from));
    }
    if rank == Some(2) {
        picked.notes.push(format!("found by its name `{item}` alone, in {}", chosen.from));
    }
    if is_empty(&chosen.code) {
        picked.notes.push(format!("{} is empty", chosen.from));
        return picked;
    }
    if !holds(chosen) {
        picked.notes.push(format!("{} defines no `{item}`", chosen.from));
    }
    picked.code = Some(chosen.code.clone());
    picked
}

fn cells(file: &str, notebook: &Value, id: &str) -> Vec<Candidate> {
    let item = item_name(id).unwrap_or(id);
    let mut found = Vec::new();
    for (number, cell) in notebook["cells"].as_array().into_iter().flatten().enumerate() {
        if cell["cell_type"] != "code" {
            continue;
        }
        let code = match &cell["source"] {
            Value::String(text) => text.clone(),
            lines => lines.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
        };
        let graded = &cell["metadata"]["nbgrader"];
        let marked = code.lines().any(|line| {
            line.trim().strip_prefix("// exercise:").is_some_and(|rest| rest.trim() == id)
        });
        let rank = if graded["grade_id"] == id && graded["grade"] != true {
            0
        } else if marked {
            1
        } else if defines(&code, item) {
            2
        } else {
            continue;
        };
        // evcxr's own commands are no Rust.
        let lines = code.lines().map(|line| if line.starts_with(':') { "" } else { line });
        let mut code = lines.collect::<Vec<_>>().join("\n");
        if !is_empty(&code) && !code.contains(PRELUDE) {
            code = format!("{PRELUDE} {code}");
        }
        found.push(Candidate { rank, from: format!("{file}, cell {}", number + 1), code });
    }
    found
}

/// Whether the code defines a function or type of this name.
fn defines(code: &str, item: &str) -> bool {
    let words: Vec<&str> = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .filter(|word| !word.is_empty())
        .collect();
    words.windows(2).any(|two| {
        two[1] == item && ["fn", "struct", "enum", "type", "use", "as"].contains(&two[0])
    })
}

/// Whether there is nothing but comments.
fn is_empty(code: &str) -> bool {
    let code = code.replace(PRELUDE, "");
    code.lines().all(|line| line.split("//").next().unwrap_or_default().trim().is_empty())
}

/// Words in a student's code that a reader wants to see, each once, with its line.
pub fn remarkable(code: &str) -> Vec<String> {
    const WORDS: [&str; 25] = [
        "unsafe",
        "std::process",
        "process::exit",
        "std::fs",
        "std::net",
        "std::env",
        "std::os",
        "/proc",
        "include_str!",
        "include_bytes!",
        "include!",
        "env!",
        "#[path",
        "extern \"",
        "no_mangle",
        "link_section",
        "#[link",
        "asm!",
        "libc",
        "answers::",
        "exercise::",
        "catch_unwind",
        "thread::spawn",
        "set_hook",
        "File::",
    ];
    let mut found = Vec::new();
    for word in WORDS {
        let line = code
            .lines()
            .position(|line| line.split("//").next().unwrap_or_default().contains(word));
        if let Some(line) = line {
            found.push(format!("uses `{word}` in line {}", line + 1));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::grade::submission::Part;

    fn notebook(cells: &[(&str, &str)]) -> Parts {
        let cells: Vec<Value> = cells
            .iter()
            .map(|(grade, source)| {
                let meta = match *grade {
                    "" => json!({}),
                    grade => {
                        json!({"nbgrader": {"grade_id": grade, "grade": false, "solution": true}})
                    }
                };
                json!({"cell_type": "code", "metadata": meta, "source": source})
            })
            .collect();
        let bytes = serde_json::to_vec(&json!({ "cells": cells })).unwrap();
        Parts { parts: vec![Part { name: "a.ipynb".into(), bytes }], notes: vec![] }
    }

    const FILLED: &str = "pub fn clip_loss() { 1 }";
    const STUB: &str = "pub fn clip_loss() { todo!(\"x\") }";

    #[test]
    fn by_metadata_then_marker_then_item() {
        let marked = format!("// exercise: clip_loss\n{STUB}");
        let all = [("", FILLED), ("", marked.as_str()), ("clip_loss", STUB)];
        let from = |cells: &[(&str, &str)]| pick(&notebook(cells), "clip_loss").from;
        assert_eq!(from(&all), "a.ipynb, cell 3");
        assert_eq!(from(&all[..2]), "a.ipynb, cell 2");
        assert_eq!(from(&all[..1]), "a.ipynb, cell 1");
        assert_eq!(pick(&notebook(&[]), "clip_loss").code, None);
    }

    #[test]
    fn duplicates_empties_and_renamed_ones_are_said() {
        let twice = pick(&notebook(&[("clip_loss", FILLED), ("clip_loss", STUB)]), "clip_loss");
        assert!(twice.code.unwrap().contains("{ 1 }"), "the one that is filled in counts");
        assert!(twice.notes[0].contains("2 times"));
        let empty = pick(&notebook(&[("clip_loss", "// nothing\n")]), "clip_loss");
        assert_eq!(empty.code, None);
        assert!(empty.notes[0].contains("empty"));
        let renamed = pick(&notebook(&[("clip_loss", "fn my_loss() {}")]), "clip_loss");
        assert!(renamed.notes[0].contains("defines no `clip_loss`"));
        // Moved to another cell.
        let moved = pick(&notebook(&[("clip_loss", "let x = 1;"), ("", FILLED)]), "clip_loss");
        assert_eq!(moved.from, "a.ipynb, cell 2");
    }

    #[test]
    fn a_comment_is_no_item_and_a_broken_notebook_no_end() {
        assert!(!defines("// fn clip_loss()", "clip_loss"));
        assert!(!defines("check::clip_loss(clip_loss)", "clip_loss"));
        let parts = Parts {
            parts: vec![Part { name: "a.ipynb".into(), bytes: b"{".to_vec() }],
            notes: vec![],
        };
        assert!(pick(&parts, "clip_loss").notes[0].contains("no notebook"));
        assert_eq!(
            remarkable("let x = 1;\nunsafe { y() } // std::fs"),
            ["uses `unsafe` in line 2"]
        );
    }
}
