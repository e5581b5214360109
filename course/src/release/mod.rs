//! The student's copy of the course: everything but the solutions, and a scan that looks for them.

mod scan;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use scan::{Leak, scan};

use crate::house::output;
use crate::sync::{read, write};
use crate::{Error, Result};

/// What a student's copy does not have: solutions, and tests whose figures come from them.
const LEFT_OUT: [&str; 7] =
    ["solutions/", "tests/", "course/tests/", "benches/", ".ci/", ".github/", "CONTRIBUTING.md"];

/// The packages of the workspace that are left out.
const PACKAGES: [&str; 1] = ["solutions"];

/// The tracked files below `root` that a student's copy has.
///
/// # Errors
/// When git does not know this folder.
pub fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z"]).current_dir(root);
    let listed = output(&mut git, "a release is made of the files that git tracks")?;
    let names = listed.split('\0').filter(|name| !name.is_empty());
    Ok(names.filter(|name| is_students(name)).map(PathBuf::from).collect())
}

fn is_students(name: &str) -> bool {
    !LEFT_OUT.iter().any(|out| name.strip_prefix(out).is_some_and(|_| true))
}

/// Copies `files` from `root` to `out`, with manifests that name only what is there. Returns how many files there are.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy(root: &Path, files: &[PathBuf], out: &Path) -> Result<usize> {
    for path in files {
        let (from, to) = (root.join(path), out.join(path));
        match path.to_str() {
            Some("Cargo.toml") => write(&to, &manifest(&read(&from)?))?,
            Some("Cargo.lock") => write(&to, &lock(&read(&from)?))?,
            _ => {
                let folder = to.parent().unwrap_or(out);
                fs::create_dir_all(folder).map_err(Error::io(folder))?;
                fs::copy(&from, &to).map_err(Error::io(&from))?;
            }
        }
    }
    Ok(files.len())
}

/// The workspace's manifest without the packages and benches that are left out: cargo refuses a member that is not there.
fn manifest(text: &str) -> String {
    let mut lines = Vec::new();
    let mut bench = false;
    for line in text.lines() {
        if line.starts_with('[') {
            bench = line == "[[bench]]";
        }
        // A profile of a package that is not there is a warning at every call of cargo.
        let gone = PACKAGES.iter().any(|name| line.starts_with(&format!("{name} = ")));
        if bench || gone {
            continue;
        }
        if line.starts_with("members = ") {
            let kept = line.split('"').skip(1).step_by(2);
            let kept = kept.filter(|member| is_students(&format!("{member}/")));
            let kept: Vec<String> = kept.map(|member| format!("\"{member}\"")).collect();
            lines.push(format!("members = [{}]", kept.join(", ")));
        } else {
            lines.push(line.to_string());
        }
    }
    lines.join("\n").trim_end().to_string() + "\n"
}

/// The lock file without the packages that are left out, so that `--locked` builds.
fn lock(text: &str) -> String {
    let gone = |block: &&str| {
        PACKAGES.iter().any(|name| block.contains(&format!("\nname = \"{name}\"\n")))
    };
    let blocks: Vec<&str> = text.split("\n[[package]]").filter(|block| !gone(block)).collect();
    blocks.join("\n[[package]]").trim_end().to_string() + "\n"
}

#[cfg(test)]
mod tests;
