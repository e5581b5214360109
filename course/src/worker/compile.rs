//! One call of rustc: the files of some items and a `main` that answers for them.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Library;
use crate::{Error, Result};

/// One solution of an exercise in a file of its own.
#[derive(Clone, Debug)]
pub struct Item {
    /// The name by which the worker is told to answer for it.
    pub name: String,
    /// The exercise that it solves.
    pub exercise: String,
    /// The whole file: it names its items as the master does.
    pub file: PathBuf,
}

/// What the compiler says against a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mistakes {
    /// How many errors there are.
    pub errors: usize,
    /// The first error in a line.
    pub first: String,
    /// Where it is: `exercises/src/clip_loss.rs:24`.
    pub place: String,
    /// All errors as the compiler shows them.
    pub rendered: String,
}

/// What came of compiling.
#[derive(Clone, Debug)]
pub enum Compiled {
    /// A program that answers questions.
    Program(PathBuf),
    /// Errors.
    Mistakes(Mistakes),
}

/// The compiler's words for "this library does not fit the one that it was compiled with".
const STALE: [&str; 4] =
    ["\"code\":\"E0460\"", "\"code\":\"E0462\"", "\"code\":\"E0463\"", "\"code\":\"E0514\""];

/// How each contract's answers are made of a student's item: the function, and whether the item is a type.
const ITEMS: [(&str, &str); 15] = [
    ("clip_dataset", "answers::clip_dataset::<ITEM::ClipDataset>()"),
    ("projection_head", "answers::projection_head::<ITEM::ProjectionHead>()"),
    ("clip_loss", "answers::clip_loss(ITEM::clip_loss)"),
    ("keep_best", "answers::keep_best(ITEM::keep_best)"),
    ("find_matches", "answers::find_matches(ITEM::find_matches)"),
    ("zero_shot_classifier", "answers::zero_shot_classifier(ITEM::zero_shot_classifier)"),
    ("freeze_lm", "answers::freeze_lm(ITEM::freeze_lm)"),
    ("visual_prefix", "answers::visual_prefix(ITEM::visual_prefix)"),
    ("caption_loss", "answers::caption_loss(ITEM::caption_loss)"),
    ("perplexity", "answers::perplexity(ITEM::perplexity, ITEM::early_stopping)"),
    ("prompt_template", "answers::prompt_template(ITEM::prompt_template, ITEM::read_answer)"),
    ("few_shot_prompt", "answers::few_shot_prompt(ITEM::few_shot_prompt)"),
    ("quantize", "answers::quantize(ITEM::quantize)"),
    ("dalle_sequence", "answers::dalle_sequence(ITEM::dalle_sequence)"),
    ("guidance", "answers::guidance::<ITEM::ClassifierFree>()"),
];

/// The function or type that an exercise's file must define.
pub fn item_name(id: &str) -> Option<&'static str> {
    let (_, made) = ITEMS.iter().find(|(exercise, _)| *exercise == id)?;
    let (_, item) = made.split_once("ITEM::")?;
    item.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

impl Library {
    /// Compiles `items` into one program called `name`; a program that is newer than all that it is made of is used
    /// again.
    ///
    /// # Errors
    /// When the compiler does not start, or an exercise has no contract; not for what is wrong with a file.
    pub fn compile(&self, name: &str, items: &[Item]) -> Result<Compiled> {
        let folder = self.scratch(name)?;
        let (source, program) = (folder.join("main.rs"), folder.join("worker"));
        let text = main(items)?;
        let same = fs::read_to_string(&source).is_ok_and(|there| there == text);
        if same && self.is_fresh(&program, items) {
            return Ok(Compiled::Program(program));
        }
        fs::write(&source, text).map_err(Error::io(&source))?;
        // A fresh file each time: the old one may be running.
        let new = folder.join(format!("worker-{}", std::process::id()));
        let mut rustc = Command::new(&self.rustc);
        rustc.args(self.arguments(&source, &new)).stdin(Stdio::null());
        let output = rustc.output().map_err(Error::io(&self.rustc))?;
        if output.status.success() {
            fs::rename(&new, &program).map_err(Error::io(&program))?;
            return Ok(Compiled::Program(program));
        }
        self.refused(&String::from_utf8_lossy(&output.stderr)).map(Compiled::Mistakes)
    }

    /// What the compiler says against a program that it has not made.
    ///
    /// # Errors
    /// When it is no mistake of the items: the library is another one, or the compiler has failed.
    pub(crate) fn refused(&self, said: &str) -> Result<Mistakes> {
        let root = format!("{}/", self.root.display());
        let said = said.replace(&root, "");
        if STALE.iter().any(|code| said.contains(code)) && said.contains("vision_language") {
            self.forget();
            let why = "the compiler or the library has changed; the same command again builds what is missing";
            return Err(Error::Failed(why.into()));
        }
        let mistakes = mistakes(&said);
        if mistakes.errors == 0 {
            return Err(Error::Program { command: "rustc".into(), why: said.trim().to_string() });
        }
        Ok(mistakes)
    }

    /// Whether the program is newer than its items and the library.
    fn is_fresh(&self, program: &Path, items: &[Item]) -> bool {
        let time = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
        let Some(made) = time(program) else { return false };
        let parts = items.iter().map(|item| item.file.as_path()).chain([self.facade.as_path()]);
        parts.into_iter().all(|part| time(part).is_some_and(|changed| changed < made))
    }

    /// The compiler's arguments for making `program` of `source`.
    pub(crate) fn arguments(&self, source: &Path, program: &Path) -> Vec<OsString> {
        const FIXED: [&str; 17] = [
            "--crate-name=worker",
            "--edition=2024",
            "--crate-type=bin",
            "--error-format=json",
            "--json=diagnostic-rendered-ansi",
            "-Awarnings",
            "-C",
            "debug-assertions=on",
            "-C",
            "overflow-checks=on",
            "-C",
            "prefer-dynamic",
            "-C",
            "opt-level=0",
            "-C",
            "strip=debuginfo",
            "--extern",
        ];
        let mut arguments = FIXED.map(OsString::from).to_vec();
        arguments.push(format!("vision_language={}", self.facade.display()).into());
        arguments.push("-L".into());
        arguments.push(format!("dependency={}", self.deps.display()).into());
        for folder in [self.facade.parent(), Some(self.libdir.as_path())].into_iter().flatten() {
            arguments.push("-C".into());
            arguments.push(format!("link-arg=-Wl,-rpath,{}", folder.display()).into());
        }
        arguments.extend(["-o".into(), program.into(), source.into()]);
        arguments
    }
}

/// The worker's `main.rs`: each item a module, and a table of who answers for it.
pub(crate) fn main(items: &[Item]) -> Result<String> {
    let (mut modules, mut table) = (String::new(), String::new());
    for (number, item) in items.iter().enumerate() {
        let (_, made) = ITEMS
            .iter()
            .find(|(exercise, _)| *exercise == item.exercise)
            .ok_or_else(|| Error::Failed(format!("no contract for `{}`", item.exercise)))?;
        let module = format!("item{number}");
        // `{:?}` writes a path as Rust reads it.
        let file = item.file.to_string_lossy();
        let _ = writeln!(modules, "#[path = {file:?}]\nmod {module};");
        let made = made.replace("ITEM", &module);
        let _ = writeln!(table, "        ({:?}, || {made}),", item.name);
    }
    Ok(format!(
        "//! Made by `cargo vl check`.\n\n{modules}\n\
         fn main() -> std::process::ExitCode {{\n    \
         use vision_language::exercise::ask::{{answers, worker}};\n    worker::main(&[\n{table}    ])\n}}\n"
    ))
}

/// The errors among rustc's JSON diagnostics.
fn mistakes(said: &str) -> Mistakes {
    let diagnostics = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut mistakes = Mistakes::default();
    for diagnostic in diagnostics.filter(|d| d["level"] == "error") {
        let message = diagnostic["message"].as_str().unwrap_or_default();
        // The last one only counts the others.
        if message.starts_with("aborting due to") {
            continue;
        }
        mistakes.errors += 1;
        if mistakes.errors == 1 {
            mistakes.first = message.to_string();
            let spans = diagnostic["spans"].as_array().into_iter().flatten();
            if let Some(span) = spans.into_iter().find(|span| span["is_primary"] == true) {
                let file = span["file_name"].as_str().unwrap_or_default();
                mistakes.place = format!("{file}:{}", span["line_start"]);
            }
        }
        mistakes.rendered += diagnostic["rendered"].as_str().unwrap_or_default();
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exercise_has_its_answers() {
        for exercise in vision_language::exercise::exercises() {
            let item = Item {
                name: "mine".into(),
                exercise: exercise.id.into(),
                file: "/a \"b\"/x.rs".into(),
            };
            let text = main(std::slice::from_ref(&item)).unwrap();
            assert!(text.contains(r#"#[path = "/a \"b\"/x.rs"]"#), "{text}");
            assert!(text.contains(&format!("answers::{}", exercise.id)), "{text}");
        }
    }

    #[test]
    fn the_compilers_words_are_counted_and_placed() {
        let said = r#"{"level":"warning","message":"unused","spans":[],"rendered":"w"}
{"level":"error","message":"mismatched types","spans":[{"is_primary":true,"file_name":"a.rs","line_start":7}],"rendered":"error: mismatched types\n"}
{"level":"error","message":"aborting due to 1 previous error","spans":[],"rendered":"x"}"#;
        let mistakes = mistakes(said);
        assert_eq!((mistakes.errors, mistakes.place.as_str()), (1, "a.rs:7"));
        assert_eq!(mistakes.rendered, "error: mismatched types\n");
    }
}
