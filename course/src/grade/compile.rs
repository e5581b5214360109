//! Compiles a submission's exercises in a cage: all of them in one call; where one does not compile, without it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::one::{Grader, Place};
use crate::cage::{self, Ended, Phase, Usage};
use crate::cmd::check::plain;
use crate::worker::{Item, Mistakes, main};
use crate::{Error, Result};

/// How the word about a compiler without an end begins.
pub(super) const ENDED: &str = "the compiler was ended";

/// Wall time of one call of the compiler.
const LIMIT: Duration = Duration::from_secs(40);

/// Bytes of messages that are kept.
const WORDS: usize = 2 << 20;

/// Bytes that the compiler may write in all.
const SCRATCH: u64 = 256 << 20;

/// What came of compiling.
#[derive(Default)]
pub(super) struct Tried {
    /// The program that answers for an item.
    pub programs: BTreeMap<String, PathBuf>,
    /// What is wrong with an item.
    pub mistakes: BTreeMap<String, Mistakes>,
    /// What the compiler has used.
    pub used: Usage,
}

/// Compiles `items`.
pub(super) fn compile(grader: &Grader, place: &Place, items: &[Item], slot: u32) -> Result<Tried> {
    let mut tried = Tried::default();
    let mut left: Vec<Item> = items.to_vec();
    while !left.is_empty() {
        let (outcome, used) = call(grader, place, &left, slot)?;
        tried.used = tried.used.and(used);
        match outcome {
            Outcome::Program(program) => {
                tried.programs.extend(left.iter().map(|i| (i.name.clone(), program.clone())));
                return Ok(tried);
            }
            Outcome::Said(said) => {
                let mut broken = split(&said, &left);
                if broken.is_empty() && left.len() == 1 {
                    broken.insert(left[0].name.clone(), unplaced(&said));
                }
                if broken.is_empty() {
                    // The linker names no file: each one by itself.
                    return apart(grader, place, &left, slot, tried);
                }
                left.retain(|item| !broken.contains_key(&item.name));
                tried.mistakes.extend(broken);
            }
            Outcome::Ended(why) if left.len() == 1 => {
                let first = format!("{ENDED}: {why}");
                let mistakes = Mistakes {
                    errors: 1,
                    rendered: first.clone() + "\n",
                    first,
                    ..Mistakes::default()
                };
                tried.mistakes.insert(left[0].name.clone(), mistakes);
                return Ok(tried);
            }
            Outcome::Ended(_) => return apart(grader, place, &left, slot, tried),
        }
    }
    Ok(tried)
}

/// Compiles a worker without items: when that fails, it is our machinery that is broken, and nobody's code.
///
/// # Errors
/// What the compiler says.
pub(super) fn try_out(grader: &Grader, place: &Place) -> Result<()> {
    match call(grader, place, &[], 0)?.0 {
        Outcome::Program(_) => Ok(()),
        Outcome::Said(why) | Outcome::Ended(why) => {
            let end: String = why.chars().take(4000).collect();
            Err(Error::Failed(format!("the compiler does not work in its sandbox: {end}")))
        }
    }
}

fn apart(
    grader: &Grader,
    place: &Place,
    items: &[Item],
    slot: u32,
    mut tried: Tried,
) -> Result<Tried> {
    for item in items {
        let one = compile(grader, place, std::slice::from_ref(item), slot)?;
        tried.programs.extend(one.programs);
        tried.mistakes.extend(one.mistakes);
        tried.used = tried.used.and(one.used);
    }
    Ok(tried)
}

enum Outcome {
    Program(PathBuf),
    /// The compiler's messages.
    Said(String),
    /// It came to no end of its own.
    Ended(String),
}

/// One call of the compiler in its cage.
fn call(grader: &Grader, place: &Place, items: &[Item], slot: u32) -> Result<(Outcome, Usage)> {
    let source = place.source.join("main.rs");
    fs::write(&source, main(items)?).map_err(Error::io(&source))?;
    let made = place.out.join("worker");
    let mut cage = grader.cage(Phase::Compile, slot);
    cage.read.push(place.source.clone());
    cage.write = Some(place.out.clone());
    let library = &grader.kit.library;
    let mut arguments = library.arguments(&source, &made);
    arguments.push("--sysroot".into());
    arguments.push(grader.kit.sysroot().into());
    let arguments: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
    let mut command = cage.command(&library.rustc, &arguments)?;
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(Error::io(&cage.launcher))?;
    let Some(mut words) = child.stderr.take() else {
        return Err(Error::Failed("the compiler has no pipe".into()));
    };
    let reader = std::thread::spawn(move || {
        let (mut all, mut buffer) = (Vec::new(), [0; 1 << 14]);
        while let Ok(n @ 1..) = words.read(&mut buffer) {
            // What is more is read and forgotten: a full pipe would stop the compiler.
            let room = WORDS.saturating_sub(all.len()).min(n);
            all.extend_from_slice(&buffer[..room]);
        }
        String::from_utf8_lossy(&all).into_owned()
    });
    let begun = Instant::now();
    let mut why = None;
    let (ended, used) = loop {
        if let Some(ended) = cage::wait(&child, Duration::from_millis(100)) {
            break ended;
        }
        if begun.elapsed() > LIMIT {
            why = Some(format!("no end after {} s", LIMIT.as_secs()));
        } else if size(&place.out) > SCRATCH {
            why = Some("it wrote more than 256 MiB".into());
        }
        if why.is_some() {
            break cage::end(&child);
        }
    };
    let said = reader.join().unwrap_or_default();
    let outcome = match (ended, why) {
        (_, Some(why)) => Outcome::Ended(why),
        (Ended::Code(0), _) => {
            // Out of the compiler's reach, and under a name of its own.
            let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
            let program =
                place.programs.join(if names.is_empty() { "none".into() } else { names.join("-") });
            fs::copy(&made, &program).map_err(Error::io(&made))?;
            Outcome::Program(program)
        }
        (Ended::Code(cage::BROKEN), _) => {
            return Err(Error::Failed(format!("the compiler's cage: {}", said.trim())));
        }
        (Ended::Code(_), _) => {
            Outcome::Said(said.replace(&format!("{}/", place.source.display()), ""))
        }
        (Ended::Signal(_), _) => Outcome::Ended(ended.to_string()),
    };
    empty(&place.out);
    Ok((outcome, used))
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => size(&entry.path()),
            Ok(about) => about.len(),
            Err(_) => 0,
        })
        .sum()
}

fn empty(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // What the linker has removed meanwhile is no matter.
        let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
}

/// The errors by the item in whose file they are.
fn split(said: &str, items: &[Item]) -> BTreeMap<String, Mistakes> {
    let mut broken: BTreeMap<String, Mistakes> = BTreeMap::new();
    let diagnostics = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for diagnostic in diagnostics.filter(|d| d["level"] == "error") {
        let Some((item, place)) = place(&diagnostic, items) else { continue };
        let mistakes = broken.entry(item).or_default();
        mistakes.errors += 1;
        if mistakes.errors == 1 {
            mistakes.first =
                diagnostic["message"].as_str().unwrap_or_default().chars().take(500).collect();
            mistakes.place = place;
        }
        if mistakes.rendered.len() < 20_000 {
            mistakes.rendered += &plain(diagnostic["rendered"].as_str().unwrap_or_default());
        }
    }
    broken
}

/// In which item's file an error is, and where: by any of its places, since a wrong signature shows in our own `main.rs`.
fn place(diagnostic: &Value, items: &[Item]) -> Option<(String, String)> {
    let spans = |d: &Value| d["spans"].as_array().cloned().unwrap_or_default();
    let mut all = spans(diagnostic);
    all.sort_by_key(|span| span["is_primary"] != true);
    for child in diagnostic["children"].as_array().into_iter().flatten() {
        all.extend(spans(child));
    }
    // `item3::clip_loss` in our table: the item of that number.
    let numbered = |text: &str| {
        let (_, rest) = text.split_once("item")?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        items.get(digits.parse::<usize>().ok()?)
    };
    for span in &all {
        let file = span["file_name"].as_str().unwrap_or_default();
        let name = |item: &&Item| Path::new(file).file_name() == item.file.file_name();
        if let Some(item) = items.iter().find(name) {
            return Some((item.name.clone(), format!("{file}:{}", span["line_start"])));
        }
        for text in span["text"].as_array().into_iter().flatten() {
            if let Some(item) = text["text"].as_str().and_then(numbered) {
                return Some((item.name.clone(), item.name.clone() + ".rs"));
            }
        }
    }
    None
}

/// A compiler's last words where they name no file.
fn unplaced(said: &str) -> Mistakes {
    let errors = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let error = errors.into_iter().find(|d| d["level"] == "error");
    let first = match &error {
        Some(error) => error["message"].as_str().unwrap_or_default(),
        None => said.lines().last().unwrap_or("the compiler has failed"),
    };
    let rendered = error.as_ref().and_then(|e| e["rendered"].as_str()).unwrap_or(first);
    let short = |text: &str, n| plain(text).chars().take(n).collect::<String>();
    Mistakes {
        errors: 1,
        first: short(first, 500),
        place: String::new(),
        rendered: short(rendered, 4000),
    }
}
