//! Looks for what a student's copy must not have: solutions and misconceptions, in code, in notebooks' outputs, metadata and
//! attachments, in JSON, in files that nobody looks into.
//!
//! A solution is known by any two of its lines in a row, whatever the spaces between them. What calls and operators are left
//! when every variable has the same name is looked for too, in two to four lines in a row: as few as are not met by chance.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::sync::{Master, read};
use crate::{Error, Result};

/// Something that must not be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The file, below the copy's folder.
    pub path: PathBuf,
    /// What was found in it.
    pub what: String,
}

/// Some lines of a solution, without spaces, and where they are from.
struct Needle {
    lines: Lines,
    from: String,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Lines {
    /// As they are written.
    Text(String),
    /// With all variables of one name.
    Shape(String),
}

/// Two lines shorter than this together are nobody's secret.
const SHORTEST: usize = 40;

/// Lines whose shape is shorter than this together are met by chance.
const SHORTEST_SHAPE: usize = 72;

/// A line alone that is at least so long is known too.
const LONG_LINE: usize = 70;

/// Folders and files that have no place in a student's copy.
const NO_PLACE: [&str; 6] =
    [".git", "solutions", "misconceptions", "target", ".ipynb_checkpoints", "generated_solutions"];

/// Binary files are copies of these folders' tracked files, and only those.
const BINARY: [&str; 2] = ["data", "docs"];

/// Looks through every file below `copy` for the solutions and misconceptions of `root`.
///
/// # Errors
/// When a file cannot be read.
pub fn scan(root: &Path, copy: &Path) -> Result<Vec<Leak>> {
    let needles = needles(root)?;
    let mut leaks = Vec::new();
    let mut folders = vec![copy.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(Error::io(&folder))?.flatten() {
            let path = entry.path();
            let below = path.strip_prefix(copy).unwrap_or(&path).to_path_buf();
            let mut leak = |what: String| leaks.push(Leak { path: below.clone(), what });
            let name = entry.file_name().to_string_lossy().into_owned();
            if NO_PLACE.contains(&name.as_str()) || name.contains(".bak") {
                leak("has no place in a student's copy".into());
            }
            let kind = entry.file_type().map_err(Error::io(&path))?;
            if kind.is_symlink() {
                leak("a link, which may lead out of the copy".into());
            } else if kind.is_dir() {
                folders.push(path);
            } else {
                file(root, &path, &below, &needles, &mut leak)?;
            }
        }
    }
    leaks.sort_by(|a, b| a.path.cmp(&b.path));
    leaks.dedup();
    Ok(leaks)
}

fn file(
    root: &Path,
    path: &Path,
    below: &Path,
    needles: &[Needle],
    leak: &mut dyn FnMut(String),
) -> Result<()> {
    let bytes = fs::read(path).map_err(Error::io(path))?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        // What is in a picture or a checkpoint cannot be read here: it must be the tracked one.
        let same = fs::read(root.join(below)).is_ok_and(|original| original == bytes);
        if !same || !BINARY.iter().any(|folder| below.starts_with(folder)) {
            leak("a binary file that the course does not have".into());
        }
        return Ok(());
    };
    let mut texts = vec![text.to_string()];
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    if (extension == "json" || extension == "ipynb")
        && let Ok(json) = serde_json::from_str::<Value>(text)
    {
        strings(&json, &mut texts);
        if extension == "ipynb" {
            notebook(&json, leak);
        }
    }
    let marks = ["// BEGIN SOLUTION", "// END SOLUTION", "killed by: "];
    for text in texts {
        let squeezed = squeeze(&text);
        let shaped = shape(&text);
        let known = |needle: &&Needle| match &needle.lines {
            Lines::Text(lines) => squeezed.contains(lines),
            Lines::Shape(lines) => shaped.contains(lines),
        };
        if let Some(needle) = needles.iter().find(known) {
            let renamed = matches!(needle.lines, Lines::Shape(_));
            let how = if renamed { ", its variables renamed" } else { "" };
            leak(format!("lines of {}{how}", needle.from));
        }
        // The command that makes all this may name its marks.
        if !below.starts_with("course/src")
            && let Some(mark) = marks.iter().find(|mark| text.contains(**mark))
        {
            leak(format!("the mark `{mark}`"));
        }
    }
    Ok(())
}

/// A notebook that was run, or that carries more than a student's does.
fn notebook(json: &Value, leak: &mut dyn FnMut(String)) {
    for (number, cell) in json["cells"].as_array().into_iter().flatten().enumerate() {
        let here = |what: &str| format!("cell {}: {what}", number + 1);
        if cell["outputs"].as_array().is_some_and(|outputs| !outputs.is_empty()) {
            leak(here("an output"));
        }
        if !cell["execution_count"].is_null() {
            leak(here("was run"));
        }
        if !cell["attachments"].is_null() {
            leak(here("an attachment"));
        }
        let known = ["nbgrader"];
        let metadata = cell["metadata"].as_object().into_iter().flatten();
        if let Some((name, _)) =
            metadata.into_iter().find(|(key, _)| !known.contains(&key.as_str()))
        {
            leak(here(&format!("metadata `{name}`")));
        }
    }
    let known = ["kernelspec", "language_info"];
    let metadata = json["metadata"].as_object().into_iter().flatten();
    for (name, _) in metadata.filter(|(key, _)| !known.contains(&key.as_str())) {
        leak(format!("metadata `{name}`"));
    }
}

/// All strings of a JSON value; a list of strings also as one text; what may be base64 also decoded.
fn strings(json: &Value, into: &mut Vec<String>) {
    match json {
        Value::String(text) => {
            if let Some(decoded) = base64(text) {
                into.push(decoded);
            }
            into.push(text.clone());
        }
        Value::Array(list) => {
            let lines: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            match lines {
                Some(lines) => strings(&Value::String(lines.concat()), into),
                None => list.iter().for_each(|value| strings(value, into)),
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                into.push(key.clone());
                strings(value, into);
            }
        }
        _ => {}
    }
}

/// What a text is as base64, if it is any and long enough to hold a line.
fn base64(text: &str) -> Option<String> {
    let letters: Vec<u8> =
        text.bytes().filter(|b| !b.is_ascii_whitespace() && *b != b'=').collect();
    if letters.len() < SHORTEST {
        return None;
    }
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let values: Option<Vec<u8>> = letters.into_iter().map(value).collect();
    let mut bytes = Vec::new();
    for four in values?.chunks(4) {
        let word =
            four.iter().fold(0u32, |word, v| word << 6 | u32::from(*v)) << (6 * (4 - four.len()));
        bytes.extend(&word.to_be_bytes()[1..four.len()]);
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A text without any space.
fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// What solutions and misconceptions are known by.
fn needles(root: &Path) -> Result<Vec<Needle>> {
    let mut given = Vec::new();
    let mut sources = Vec::new();
    for master in Master::all(root)? {
        // The stub's own lines are the student's to have.
        let stub = master.file(crate::sync::Version::Stub);
        given.extend(windows(&stub));
        let from = format!("the solution of {}", master.id);
        sources.extend(master.solutions().into_iter().map(|code| (from.clone(), code)));
        let folder = root.join("solutions/misconceptions").join(&master.id);
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let from = format!("misconceptions/{}/{name}", master.id);
            sources.push((from, read(&entry.path())?));
        }
    }
    let given: BTreeSet<Lines> = given.into_iter().collect();
    let mut needles = Vec::new();
    for (from, code) in sources {
        let own = windows(&code).into_iter().filter(|lines| !given.contains(lines));
        needles.extend(own.map(|lines| Needle { lines, from: from.clone() }));
    }
    // What is there word for word is told as such.
    needles.sort_by_key(|needle| matches!(needle.lines, Lines::Shape(_)));
    Ok(needles)
}

/// What a code is known by: each two lines in a row and each long one, without spaces and comments; and from each line on the
/// shapes of as many lines as are enough.
fn windows(code: &str) -> Vec<Lines> {
    let lines: Vec<(String, String)> = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .map(|line| (squeeze(line), shape(line)))
        .filter(|(line, _)| !line.is_empty())
        .collect();
    let mut windows = Vec::new();
    for (first, (line, _)) in lines.iter().enumerate() {
        if line.len() >= LONG_LINE || lines.len() == 1 {
            windows.push(Lines::Text(line.clone()));
        }
        let rest = &lines[first..];
        if let [(one, _), (two, _), ..] = rest
            && one.len() + two.len() >= SHORTEST
        {
            windows.push(Lines::Text(format!("{one}{two}")));
        }
        let shapes = (2..=4).filter(|n| *n <= rest.len());
        let shapes = shapes.map(|n| rest[..n].iter().map(|(_, shape)| shape.as_str()).collect());
        windows.extend(
            shapes.into_iter().find(|s: &String| s.len() >= SHORTEST_SHAPE).map(Lines::Shape),
        );
    }
    windows
}

/// A code without spaces and with all its variables of one name: what is called, and the fields of what, stays.
fn shape(code: &str) -> String {
    const KEPT: [&str; 12] =
        ["let", "mut", "for", "in", "if", "else", "match", "while", "return", "as", "ref", "move"];
    let mut shape = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        if !word(first) {
            if !first.is_whitespace() {
                shape.push(first);
            }
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let end = rest.find(|c: char| !word(c)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let next = after.trim_start();
        let called = next.starts_with(['(', '!']) || next.starts_with("::");
        let named = first.is_uppercase() || first.is_ascii_digit() || KEPT.contains(&name);
        let plain = !called && !named && !shape.ends_with(['.', ':']);
        shape.push_str(if plain { "_" } else { name });
        rest = after;
    }
    shape
}
