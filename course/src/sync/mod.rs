//! `vl sync`: from one source to every version.
//!
//! | source | what is made of it |
//! |---|---|
//! | `solutions/src/<id>.rs` | `exercises/src/<id>.rs`: the same file with stubs in the solutions' place |
//! | `solutions/src/lib.rs`, `main.rs` | `exercises/src/lib.rs`, `main.rs` |
//! | `solutions/notebooks/NN.md` | `notebooks/NN.ipynb`: the student's notebook |
//! | the same | `exercises/examples/notebooks.rs`, `solutions/examples/solved_notebooks.rs`: all cells as one program |
//! | the same | with `--solved`, `--instructor`: the notebooks with solutions, plain or between nbgrader's marks |
//! | all stubs | `exercises/stubs.json`: what `vl reset` brings back |
//!
//! `exercises/generated.json` keeps a fingerprint of each file as it was made, so that a file which a student has
//! edited since is known as such, and is kept as `NAME.bak` before it is written anew.

mod master;
mod notebook;
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub use master::Master;
pub use notebook::{Cell, Notebook};

use crate::{Error, Result};

/// The file of fingerprints.
const FINGERPRINTS: &str = "exercises/generated.json";

/// The file of stubs as they were made.
const STUBS: &str = "exercises/stubs.json";

/// Which version of an exercise stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// With stubs: the student's.
    Stub,
    /// With solutions.
    Solved,
    /// With solutions between nbgrader's marks: the instructor's.
    Instructor,
}

/// What [`sync`] did, or would have to do: paths below the course's folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// How many files are made from the sources.
    pub files: usize,
    /// Those that were written (or, with `check`, that differ from what would be written).
    pub changed: Vec<PathBuf>,
    /// Edited files that were kept beside the new ones.
    pub kept: Vec<PathBuf>,
}

/// Makes everything that is made from the masters below `root`; with `check` only says what differs.
///
/// # Errors
/// A master that cannot be read, by file and line; a file that cannot be written.
pub fn sync(root: &Path, check: bool) -> Result<Report> {
    let made = outputs(root)?;
    let recorded = fingerprints(root);
    let mut report = Report { files: made.len(), ..Report::default() };
    for (path, content) in &made {
        let file = root.join(path);
        let there = fs::read_to_string(&file).ok();
        if there.as_deref() == Some(content) {
            continue;
        }
        report.changed.push(path.clone());
        if check {
            continue;
        }
        let ours = recorded.get(path.to_string_lossy().as_ref());
        if let Some(there) = there.filter(|there| ours != Some(&fingerprint(there))) {
            report.kept.push(keep(&file, &there)?);
        }
        write(&file, content)?;
    }
    Ok(report)
}

/// Writes the notebooks of a version into `out`, and gives their paths in order.
///
/// # Errors
/// As [`sync`].
pub fn notebooks(root: &Path, out: &Path, version: Version) -> Result<Vec<PathBuf>> {
    let masters = Master::all(root)?;
    Notebook::all(root)?
        .iter()
        .map(|notebook| {
            let path = out.join(format!("{}.ipynb", notebook.name));
            write(&path, &notebook.ipynb(&masters, version)?)?;
            Ok(path)
        })
        .collect()
}

/// The stub of an exercise as it was made, if there is such an exercise.
///
/// # Errors
/// When the file of stubs is missing or damaged.
pub fn stub(root: &Path, id: &str) -> Result<Option<String>> {
    let stubs: BTreeMap<String, String> = serde_json::from_str(&read(&root.join(STUBS))?)?;
    Ok(stubs.get(id).cloned())
}

/// Every file that is made, by its path below `root`.
fn outputs(root: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let masters = Master::all(root)?;
    let notebooks = Notebook::all(root)?;
    let mut made = BTreeMap::new();
    for master in &masters {
        let path = PathBuf::from(format!("exercises/src/{}.rs", master.id));
        made.insert(path, master.file(Version::Stub));
    }
    made.insert("exercises/src/lib.rs".into(), master::exercises_lib(root)?);
    if let Ok(program) = fs::read_to_string(root.join("solutions/src/main.rs")) {
        made.insert("exercises/src/main.rs".into(), master::exercises_main(&program));
    }
    for notebook in &notebooks {
        let path = PathBuf::from(format!("notebooks/{}.ipynb", notebook.name));
        made.insert(path, notebook.ipynb(&masters, Version::Stub)?);
    }
    for (path, version) in [
        ("exercises/examples/notebooks.rs", Version::Stub),
        ("solutions/examples/solved_notebooks.rs", Version::Solved),
    ] {
        made.insert(path.into(), program::program(&notebooks, &masters, version)?);
    }
    let stubs: BTreeMap<_, _> =
        masters.iter().map(|master| (master.id.clone(), master.file(Version::Stub))).collect();
    made.insert(STUBS.into(), serde_json::to_string_pretty(&stubs)? + "\n");
    let prints: BTreeMap<_, _> =
        made.iter().map(|(path, content)| (path.clone(), fingerprint(content))).collect();
    let json = serde_json::to_string_pretty(&prints)
        .map_err(|e| Error::Failed(format!("{FINGERPRINTS}: {e}")))?;
    made.insert(FINGERPRINTS.into(), json + "\n");
    Ok(made)
}

fn fingerprints(root: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(root.join(FINGERPRINTS)).unwrap_or_default();
    let mut prints: BTreeMap<String, String> = serde_json::from_str(&text).unwrap_or_default();
    // The list itself is nobody's work.
    prints.insert(FINGERPRINTS.into(), fingerprint(&text));
    prints
}

/// FNV-1a, 64 bits: it tells versions of a file apart, and defends against nothing.
pub(crate) fn fingerprint(text: &str) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

/// Copies an edited file to the first free name of `NAME.bak`, `NAME.bak2`, …
pub(crate) fn keep(file: &Path, content: &str) -> Result<PathBuf> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let number = |n: usize| if n == 1 { String::new() } else { n.to_string() };
    let mut names = (1..).map(|n| file.with_file_name(format!("{name}.bak{}", number(n))));
    let free = names.find(|path| !path.exists()).unwrap_or_else(|| file.with_extension("bak"));
    write(&free, content)?;
    Ok(free)
}

/// Writes a file whole or not at all.
pub(crate) fn write(path: &Path, content: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(Error::io(folder))?;
    std::io::Write::write_all(&mut file, content.as_bytes()).map_err(Error::io(path))?;
    set_permissions(&file)?;
    file.persist(path).map_err(|e| Error::io(path)(e.error))?;
    Ok(())
}

/// A temporary file is its owner's alone; a course's file is everybody's to read.
fn set_permissions(file: &tempfile::NamedTempFile) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let everybody = fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(everybody).map_err(Error::io(file.path()))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(Error::io(path))
}

#[cfg(test)]
mod tests;
