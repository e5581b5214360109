//! What an installed kernel knows: where the compiled library lies, and the answers recorded for rust-analyzer.
//!
//! A kernel's folder (a Jupyter kernelspec) holds everything: `kernel.json`, the two programs, `install.json` and the
//! recordings. Removing the folder removes the kernel.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::metadata;
use crate::outline::{self, Words};

/// The folder's name, and the name by which notebooks ask for the kernel.
pub const NAME: &str = "vision-language";

/// What Jupyter shows.
pub const DISPLAY_NAME: &str = "Rust (vision-language)";

/// `install.json`: the paths that a kernel works with, all absolute.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Install {
    /// The checkout whose library the cells use.
    pub workspace: PathBuf,
    /// The library as one dynamic library, the crate `facade`.
    pub facade: PathBuf,
    /// Where cargo put the library's dependencies (`target/debug/deps`).
    pub deps: PathBuf,
    /// The compiler that compiled them, not rustup's proxy.
    pub rustc: PathBuf,
    /// The real cargo, not rustup's proxy.
    pub cargo: PathBuf,
    /// `rustc --print sysroot`.
    pub sysroot: PathBuf,
    /// `rustc --print target-libdir`: the standard library as a dynamic library.
    pub libdir: PathBuf,
    /// The target, e.g. `x86_64-unknown-linux-gnu`.
    pub host: String,
    /// What the library's sources were when it was compiled ([`crate::refresh::stamp`]).
    #[serde(default)]
    pub sources: String,
}

/// The recorded answers, by file name in the kernel's folder.
pub mod recording {
    /// `cargo metadata` of the cell's crate, cut down; [`crate::metadata::CELL`] stands for its folder.
    pub const CELL: &str = "metadata.json";
    /// `cargo metadata` of the standard library's workspace.
    pub const STD: &str = "std.json";
    /// `rustc --print cfg -O`.
    pub const CFG: &str = "cfg.txt";
    /// `rustc --print target-spec-json`.
    pub const SPEC: &str = "target.json";
    /// `cargo --version`.
    pub const VERSION: &str = "version.txt";
}

impl Install {
    /// Reads `install.json` in a kernel's folder.
    pub fn read(folder: &Path) -> Result<Install> {
        let path = folder.join("install.json");
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{}: not readable; run `cargo vl lab`", path.display()))?;
        serde_json::from_str(&text)
            .with_context(|| format!("{}: not an installation; run `cargo vl lab`", path.display()))
    }

    /// Says what is gone of what the kernel needs to compile cells, or nothing.
    pub fn missing(&self) -> Option<String> {
        let needed = [
            (&self.workspace, "the checkout"),
            (&self.facade, "the compiled library"),
            (&self.deps, "the compiled dependencies"),
            (&self.rustc, "the Rust compiler"),
        ];
        let (path, what) = needed.into_iter().find(|(path, _)| !path.exists())?;
        Some(format!(
            "{what} is gone ({}): run `cargo vl lab` in the course's folder, then restart the kernel",
            path.display()
        ))
    }

    /// Asks the toolchain for what is not given.
    pub fn discover(workspace: &Path, deps: &Path, facade: &Path) -> Result<Install> {
        let sysroot =
            PathBuf::from(ask(Command::new("rustc").args(["--print", "sysroot"]), workspace)?);
        let rustc = sysroot.join("bin").join("rustc");
        let in_sysroot = sysroot.join("bin").join("cargo");
        let cargo = if in_sysroot.is_file() {
            in_sysroot
        } else {
            PathBuf::from(std::env::var_os("CARGO").context("no cargo found beside rustc")?)
        };
        let version = ask(Command::new(&rustc).arg("-vV"), workspace)?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        Ok(Install {
            workspace: workspace.to_path_buf(),
            facade: facade.to_path_buf(),
            deps: deps.to_path_buf(),
            libdir: PathBuf::from(ask(
                Command::new(&rustc).args(["--print", "target-libdir"]),
                workspace,
            )?),
            host: host.context("rustc -vV names no host")?.to_owned(),
            sources: crate::refresh::stamp(workspace),
            rustc,
            cargo,
            sysroot,
        })
    }

    /// Writes a kernel's folder: the programs beside this one, `install.json`, the recordings, `kernel.json`.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let lock = folder.join(".installing");
        // Two commands may install at once; the lock ends with its file.
        let lock = fs::File::create(&lock).with_context(|| lock.display().to_string())?;
        lock.lock().context("waiting for another installation")?;
        let here = std::env::current_exe()?;
        for program in ["vl-kernel", "vl-cargo"] {
            place(&here.with_file_name(program), folder, program)?;
        }
        let _ = fs::remove_dir_all(folder.join(crate::shim::first::FOLDER));
        self.link_dependencies(&dependencies(folder))?;
        self.record(folder)?;
        write(folder, "install.json", &serde_json::to_string_pretty(self)?)?;
        let spec = json!({
            "argv": [folder.join("vl-kernel"), "--control_file", "{connection_file}"],
            "display_name": DISPLAY_NAME,
            "language": "rust",
            "interrupt_mode": "message",
        });
        write(folder, "kernel.json", &serde_json::to_string_pretty(&spec)?)
    }

    /// Fills `to` with links to what the compiler needs of the library's dependencies: their metadata and procedural
    /// macros. Beside a crate's metadata it would read its compiled code as well.
    fn link_dependencies(&self, to: &Path) -> Result<()> {
        let mut wanted = BTreeMap::new();
        let extension = |path: &Path| path.extension().map(|e| e.to_string_lossy().into_owned());
        for entry in fs::read_dir(&self.deps).with_context(|| self.deps.display().to_string())? {
            let path = entry?.path();
            let needed = match extension(&path).as_deref() {
                Some("rmeta" | "so" | "dylib") => true,
                Some("rlib") => !path.with_extension("rmeta").exists(),
                _ => false,
            };
            if needed && let Some(name) = path.file_name() {
                wanted.insert(name.to_owned(), path);
            }
        }
        links(to, &wanted)
    }

    fn record(&self, folder: &Path) -> Result<()> {
        let of = |manifest: &Path, more: &[&str]| {
            let mut cargo = Command::new(&self.cargo);
            cargo.args(["metadata", "--format-version", "1", "--filter-platform", &self.host]);
            cargo.args(more).arg("--manifest-path").arg(manifest);
            cargo
        };
        let manifest = self.workspace.join("Cargo.toml");
        let whole = ask(&mut of(&manifest, &[]), &self.workspace)?;
        let mut cut = metadata::cut(&serde_json::from_str(&whole)?, &self.workspace)?;
        for (from, to) in metadata::outlined(&mut cut, &folder.join("crates")) {
            outline::write(&from, &to, Words::Kept)?;
        }
        write(folder, recording::CELL, &cut.to_string())?;

        // The standard library's workspace uses features that only a nightly cargo reads; rust-analyzer does the same.
        let sources = self.sysroot.join("lib/rustlib/src/rust/library");
        let mut std = of(&sources.join("Cargo.toml"), &["--no-deps"]);
        std.arg("--locked").env("__CARGO_TEST_CHANNEL_OVERRIDE_DO_NOT_USE_THIS", "nightly");
        let std = serde_json::from_str(&ask(&mut std, &sources)?)?;
        let library = library(folder);
        outline_std(&sources, &library)?;
        write(folder, recording::STD, &metadata::cut_std(&std, &sources, &library)?.to_string())?;

        let rustc = |args: &[&str]| {
            let mut command = Command::new(&self.rustc);
            ask(command.args(args).env("RUSTC_BOOTSTRAP", "1"), &self.workspace)
        };
        write(folder, recording::CFG, &rustc(&["--print", "cfg", "-O"])?)?;
        let spec = rustc(&["-Z", "unstable-options", "--print", "target-spec-json"])?;
        write(folder, recording::SPEC, &spec)?;
        let version = ask(Command::new(&self.cargo).arg("--version"), &self.workspace)?;
        write(folder, recording::VERSION, &version)
    }
}

/// Where rust-analyzer reads the standard library: the outlines of those parts of it that a cell's types come from.
///
/// Half of the sources are processor intrinsics (`stdarch`); without them and the tests a kernel starts in half the time.
pub fn library(folder: &Path) -> PathBuf {
    folder.join("library")
}

/// Where the compiler finds the library's dependencies, without what a cell does not need.
pub fn dependencies(folder: &Path) -> PathBuf {
    folder.join("dependencies")
}

fn outline_std(sources: &Path, library: &Path) -> Result<()> {
    for part in metadata::STD.iter().copied().chain(["backtrace"]) {
        outline::write(&sources.join(part), &library.join(part), Words::Dropped)?;
    }
    let manifest = sources.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).with_context(|| manifest.display().to_string())?;
    write(library, "Cargo.toml", &text)
}

/// Makes a folder hold these links and nothing else. What is right already stays: a running kernel may be reading it.
fn links(folder: &Path, wanted: &BTreeMap<OsString, PathBuf>) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let there = fs::read_link(entry.path()).ok();
        if there.is_none() || there.as_ref() != wanted.get(&entry.file_name()) {
            fs::remove_file(entry.path()).with_context(|| entry.path().display().to_string())?;
        }
    }
    for (name, path) in wanted {
        let link = folder.join(name);
        if link.symlink_metadata().is_err() {
            symlink(path, &link)
                .with_context(|| format!("{} → {}", link.display(), path.display()))?;
        }
    }
    Ok(())
}

/// Writes a file of the kernel's folder, whole or not at all: a kernel may be starting from it.
fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let (path, new) = (folder.join(name), unfinished(folder, name));
    fs::write(&new, text)
        .and_then(|()| fs::rename(&new, &path))
        .with_context(|| path.display().to_string())
}

/// Puts a program where a running kernel may still use the old one: the old file is never overwritten.
fn place(from: &Path, folder: &Path, name: &str) -> Result<()> {
    let (to, new) = (folder.join(name), unfinished(folder, name));
    if from == to {
        return Ok(());
    }
    let _ = fs::remove_file(&new);
    fs::hard_link(from, &new)
        .or_else(|_| fs::copy(from, &new).map(drop))
        .and_then(|()| fs::rename(&new, &to))
        // Renaming one link of a file to another does nothing, and leaves both.
        .and_then(|()| fs::remove_file(&new).or(Ok(())))
        .with_context(|| format!("{} → {}", from.display(), to.display()))
}

fn unfinished(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!(".{name}.{}", std::process::id()))
}

/// The trimmed standard output of a program that must succeed.
fn ask(command: &mut Command, folder: &Path) -> Result<String> {
    let output = command
        .current_dir(folder)
        .output()
        .with_context(|| format!("{} does not start", command.get_program().to_string_lossy()))?;
    if !output.status.success() {
        bail!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_folder_of_links_is_mended_and_not_made_anew() {
        let place = tempfile::tempdir().unwrap();
        let to = place.path().join("links");
        let wanted = |names: &[&str]| {
            names.iter().map(|name| (name.into(), place.path().join(name))).collect()
        };
        links(&to, &wanted(&["a", "b"])).unwrap();
        let kept = fs::symlink_metadata(to.join("a")).unwrap().ino();
        fs::remove_file(to.join("b")).unwrap();
        symlink("/elsewhere", to.join("b")).unwrap();
        fs::write(to.join("stray"), "").unwrap();
        links(&to, &wanted(&["a", "b", "c"])).unwrap();
        let names = fs::read_dir(&to).unwrap().count();
        assert_eq!((names, fs::read_link(to.join("b")).unwrap()), (3, place.path().join("b")));
        assert_eq!(fs::symlink_metadata(to.join("a")).unwrap().ino(), kept);
    }
}
