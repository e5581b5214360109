//! What was handed in: a notebook, a folder of notebooks and exercises, or a zip of these.

use std::fs;
use std::path::{Path, PathBuf};

use vision_language::hub::{Limits, unzip};

use crate::{Error, Result};

/// No notebook of the course is a tenth as large, with its pictures.
const LARGEST: u64 = 32 << 20;

/// More files than that are not looked at.
const MOST: usize = 500;

/// Folders are looked into so deep.
const DEEPEST: usize = 6;

const ARCHIVE: Limits = Limits { bytes: 256 << 20, entries: 5000 };

/// One student's work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// By what it is called in the class's table: the name of its file or folder.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// A file of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its path within the submission.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Its files, and what there is to say about them.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// Notebooks and Rust files, by path.
    pub parts: Vec<Part>,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

/// The submissions at these paths: a path that holds notebooks or exercises is one, a folder of such paths is many.
///
/// # Errors
/// A path that is not there; two submissions of one name.
pub fn submissions(paths: &[PathBuf]) -> Result<Vec<Submission>> {
    let mut found = Vec::new();
    for path in paths {
        if !path.exists() {
            let why = format!("{}: no such file or folder", path.display());
            return Err(Error::Usage(why));
        }
        if !path.is_dir() || is_one(path) {
            found.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).map_err(Error::io(path))?.flatten();
        let hidden =
            |p: &PathBuf| p.file_name().is_none_or(|n| n.to_string_lossy().starts_with('.'));
        let whole = |p: &PathBuf| p.is_dir() || ends(p, "zip") || ends(p, "ipynb");
        found.extend(entries.map(|entry| entry.path()).filter(|p| !hidden(p) && whole(p)));
    }
    let mut all: Vec<Submission> = found.into_iter().map(|path| Submission::at(&path)).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = all.windows(2).find(|pair| pair[0].name == pair[1].name) {
        let [one, other] = [&pair[0], &pair[1]].map(|s| s.path.display());
        return Err(Error::Usage(format!(
            "two submissions are called `{}`: {one} and {other}",
            pair[0].name
        )));
    }
    Ok(all)
}

/// Whether a folder is one submission: it holds Rust files, `exercises`, `notebooks`, or the course's own notebooks.
fn is_one(path: &Path) -> bool {
    let entries = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    let numbered = |p: &Path| {
        let name = p.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ends(p, "ipynb") && name.len() > 3 && name[..2].bytes().all(|b| b.is_ascii_digit())
    };
    entries.into_iter().any(|p| {
        let folder = p.file_name().is_some_and(|name| name == "exercises" || name == "notebooks");
        ends(&p, "rs") || (p.is_dir() && folder) || numbered(&p)
    })
}

fn ends(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension))
}

/// A file name that is nothing but one, whatever a student has called the file.
fn name(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
    let name = name.unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_alphanumeric() || "-_. @+".contains(c) { c } else { '_' };
    let name: String = name.chars().map(plain).take(100).collect();
    name.trim_start_matches('.').to_string()
}

impl Submission {
    /// The submission at this path.
    pub fn at(path: &Path) -> Self {
        Self { name: name(path), path: path.to_path_buf() }
    }

    /// Reads its notebooks and Rust files. `scratch` is where an archive is unpacked.
    ///
    /// # Errors
    /// When `scratch` cannot be written. What is wrong with the submission is a note.
    pub fn parts(&self, scratch: &Path) -> Result<Parts> {
        let mut parts = Parts::default();
        if self.path.is_dir() {
            walk(&self.path, &self.path, 0, &mut parts);
        } else if ends(&self.path, "zip") {
            fs::create_dir_all(scratch).map_err(Error::io(scratch))?;
            let out = scratch.join("unpacked");
            for old in [out.clone(), scratch.join("unpacked.partial")] {
                // It need not be there.
                let _ = fs::remove_dir_all(old);
            }
            match unzip(&self.path, &out, ARCHIVE, &mut |_, _| {}) {
                Ok(_) => walk(&out, &out, 0, &mut parts),
                Err(error) => {
                    let why = error.to_string();
                    let why = why.replace(&format!("{}", self.path.display()), "the archive");
                    parts
                        .notes
                        .push(format!("not unpacked: {}", why.lines().next().unwrap_or_default()));
                }
            }
            let _ = fs::remove_dir_all(&out);
        } else {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            read(folder, &self.path, &mut parts);
        }
        parts.parts.sort_by(|a, b| a.name.cmp(&b.name));
        if parts.parts.is_empty() {
            parts.notes.push("no notebook and no Rust file in it".into());
        }
        Ok(parts)
    }
}

fn walk(root: &Path, folder: &Path, depth: usize, parts: &mut Parts) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "__MACOSX" || name == "target" {
            continue;
        }
        match path.symlink_metadata() {
            Ok(kind) if kind.is_dir() && depth < DEEPEST => walk(root, &path, depth + 1, parts),
            Ok(_) => read(root, &path, parts),
            Err(error) => parts.notes.push(format!("{name}: {error}")),
        }
    }
}

fn read(root: &Path, path: &Path, parts: &mut Parts) {
    if !ends(path, "ipynb") && !ends(path, "rs") {
        return;
    }
    let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
    let Ok(kind) = path.symlink_metadata() else { return };
    let refused = if kind.is_symlink() {
        Some("a link, which is not followed")
    } else if !kind.is_file() {
        Some("no file")
    } else if kind.len() > LARGEST {
        Some("larger than 32 MiB")
    } else if parts.parts.len() >= MOST {
        Some("one of more than 500 files")
    } else {
        None
    };
    match (refused, fs::read(path)) {
        (Some(why), _) => parts.notes.push(format!("{name} is left out: {why}")),
        (None, Ok(bytes)) => parts.parts.push(Part { name, bytes }),
        (None, Err(error)) => parts.notes.push(format!("{name}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_folder_is_one_submission_or_a_class() {
        let class = tempfile::tempdir().unwrap();
        let put = |path: &str| {
            let path = class.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "{}").unwrap();
        };
        put("ada/exercises/src/clip_loss.rs");
        put("bob/02_clip.ipynb");
        put("cleo.ipynb");
        put("dan.zip");
        put(".git/x.ipynb");
        let names = |path: &Path| -> Vec<String> {
            submissions(&[path.to_path_buf()]).unwrap().into_iter().map(|s| s.name).collect()
        };
        assert_eq!(names(class.path()), ["ada", "bob", "cleo", "dan"]);
        assert_eq!(names(&class.path().join("ada")), ["ada"]);
        put("cleo/x.rs");
        assert_eq!(submissions(&[class.path().into()]).unwrap_err().exit_code(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_left_out_and_said_so() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("clip_loss.rs")).unwrap();
        fs::write(folder.path().join("keep_best.rs"), "x").unwrap();
        let submission = Submission { name: "s".into(), path: folder.path().into() };
        let parts = submission.parts(folder.path()).unwrap();
        assert_eq!(parts.parts.len(), 1);
        assert!(parts.notes[0].contains("link"), "{:?}", parts.notes);
    }
}
