//! Imports run one way: `error, config ← nn, text, display ← dataset, encoder, language_model, checkpoint, hub ← pretrain, clip, measure, frozen, dalle ← exercise`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Each module and its floor: it may name modules of lower floors, and those of its own floor that are listed with it.
const FLOORS: &[(&str, usize, &[&str])] = &[
    ("error", 0, &[]),
    ("config", 0, &["error"]),
    ("nn", 1, &[]),
    ("text", 1, &[]),
    // It shows parameters as a table.
    ("display", 1, &["nn"]),
    ("dataset", 2, &[]),
    ("checkpoint", 2, &[]),
    ("hub", 2, &[]),
    // An encoder's weights come out of files.
    ("encoder", 2, &["hub", "checkpoint"]),
    // So do a language model's.
    ("language_model", 2, &["hub", "checkpoint"]),
    ("pretrain", 3, &[]),
    ("clip", 3, &[]),
    // What generated pictures are measured with: among others, how well CLIP finds that caption and picture fit.
    ("measure", 3, &["clip"]),
    ("frozen", 3, &[]),
    // Prompts with pictures are Frozen's.
    ("prompting", 3, &["frozen"]),
    // The best of many drawings are those that CLIP finds.
    ("dalle", 3, &["clip", "measure"]),
    // CLIP turned around: its embeddings are what is drawn from.
    ("unclip", 3, &["clip", "measure"]),
    ("exercise", 4, &[]),
    ("prelude", 5, &[]),
];

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// The modules that a file names as `crate::NAME`, comments left out; `use crate::{a, b::C}` too.
fn named(source: &str) -> Vec<String> {
    let code: String = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let list = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![rest],
        };
        for item in list {
            let item = item.trim_start();
            let end = item.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(item.len());
            names.push(item[..end].to_string());
        }
    }
    names
}

#[test]
fn imports_run_one_way() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let floors: BTreeMap<&str, (usize, &[&str])> =
        FLOORS.iter().map(|(name, floor, peers)| (*name, (*floor, *peers))).collect();
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    let mut checked = 0;
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&src).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_string_lossy();
        let module = first.trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let Some((floor, peers)) = floors.get(module) else {
            panic!("src/{module} has no floor: add it to FLOORS in {}", file!());
        };
        for name in named(&std::fs::read_to_string(&file).unwrap()) {
            let Some((other, _)) = floors.get(name.as_str()) else { continue };
            checked += 1;
            if name != module && other >= floor && !peers.contains(&name.as_str()) {
                wrong.push(format!("src/{} names crate::{name}", relative.display()));
            }
        }
    }
    assert!(checked > 40, "only {checked} imports were found: the search is broken");
    assert!(wrong.is_empty(), "imports against the direction:\n{}", wrong.join("\n"));
}

#[test]
fn the_search_sees_every_form() {
    let source = "use crate::{Error, nn::Mode};\n// crate::clip\nlet x = crate::text::f();";
    assert_eq!(named(source), ["Error", "nn", "text"]);
}
