//! One run of the kernel: a private directory with the small `cargo` in it, and the environment that leads evcxr there.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::install::{Install, library};

/// Environment variables by which a kernel's processes know each other.
pub mod variable {
    /// The kernel's folder, with `install.json` and the recordings.
    pub const INSTALL: &str = "VL_KERNEL_INSTALL";
    /// The private directory of this run.
    pub const SESSION: &str = "VL_KERNEL_SESSION";
    /// The folder that the notebook lies in: where Jupyter started the kernel.
    pub const NOTEBOOK: &str = "VL_KERNEL_NOTEBOOK";
    /// What the changed variables were before, as JSON.
    pub const ORIGINAL: &str = "VL_KERNEL_ORIGINAL";
    /// A file to which the running cells add `panic` or `error`, a line each, where a headless run asks for it.
    pub const STATUS: &str = "VL_KERNEL_STATUS";
}

const PREFIX: &str = "vl-kernel-";

/// A private directory, removed when this is dropped.
#[derive(Debug)]
pub struct Session {
    folder: PathBuf,
}

impl Session {
    /// Removes what dead kernels have left and makes a directory for this process.
    pub fn start() -> Result<Session> {
        let parent = std::env::temp_dir();
        sweep(&parent);
        let folder = parent.join(format!("{PREFIX}{}", std::process::id()));
        // A path with a space breaks evcxr's line protocol between the kernel and the process that runs cells.
        if folder.to_string_lossy().contains(char::is_whitespace) {
            bail!("{}: a path with a space; set TMPDIR to one without", folder.display());
        }
        let private = |path: &Path| DirBuilder::new().mode(0o700).create(path);
        private(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let session = Session { folder };
        for part in ["bin", "cell", "config"] {
            private(&session.folder.join(part))?;
        }
        Ok(session)
    }

    /// The crate that evcxr writes cells into.
    pub fn cell(&self) -> PathBuf {
        cell(&self.folder)
    }

    /// Puts the small `cargo` in place and says which variables must change so that evcxr and its rust-analyzer find it.
    pub fn environment(
        &self,
        install: &Install,
        folder: &Path,
    ) -> Result<BTreeMap<String, OsString>> {
        let bin = self.folder.join("bin");
        for name in ["cargo", "rustup"] {
            symlink(folder.join("vl-cargo"), bin.join(name))?;
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(bin.clone()).chain(std::env::split_paths(&path)))?;
        let notebook = std::env::current_dir()?;
        let set: [(&str, OsString); 11] = [
            ("PATH", path),
            // rust-analyzer looks for cargo in $CARGO_HOME/bin first, and for rustc in $RUSTC.
            ("CARGO_HOME", self.folder.clone().into()),
            ("CARGO", bin.join("cargo").into()),
            ("RUSTC", install.rustc.clone().into()),
            ("RUST_SRC_PATH", library(folder).into()),
            ("EVCXR_TMPDIR", self.cell().into()),
            ("EVCXR_CONFIG_DIR", self.folder.join("config").into()),
            // Else evcxr_jupyter "updates" the kernelspec of a stock kernel to this program.
            ("JUPYTER_PATH", self.folder.join("config").into()),
            (variable::INSTALL, folder.into()),
            (variable::SESSION, self.folder.clone().into()),
            (variable::NOTEBOOK, notebook.into()),
        ];
        let mut set: BTreeMap<String, OsString> =
            set.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        // evcxr sets RUST_BACKTRACE for the process that runs cells.
        let changed = set.keys().map(String::as_str).chain(["RUST_BACKTRACE"]);
        let original: BTreeMap<&str, Option<String>> =
            changed.map(|name| (name, std::env::var(name).ok())).collect();
        let original = serde_json::to_string(&original)?;
        set.insert(variable::ORIGINAL.to_owned(), original.into());
        Ok(set)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The cell's crate in a session's folder.
pub fn cell(session: &Path) -> PathBuf {
    session.join("cell")
}

/// What the variables that the kernel changed were before it did.
pub fn original() -> BTreeMap<String, Option<String>> {
    std::env::var(variable::ORIGINAL)
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

/// Removes our directories whose process is gone: a kernel that was killed could not remove its own.
fn sweep(parent: &Path) {
    // SAFETY: geteuid has no preconditions.
    let me = unsafe { libc::geteuid() };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse::<i32>().ok());
        let Some(pid) = pid else { continue };
        let is_mine =
            entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == me);
        if is_mine && (!is_alive(pid) || pid as u32 == std::process::id()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_alive(pid: i32) -> bool {
    // SAFETY: signal 0 sends nothing, it asks whether the process exists.
    let exists = unsafe { libc::kill(pid, 0) } == 0;
    exists || std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_kernels_directory_goes_and_a_living_ones_stays() {
        let parent = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = parent.path().join(format!("{PREFIX}{}", child.id()));
        child.wait().unwrap();
        let living = parent.path().join(format!("{PREFIX}{}", std::os::unix::process::parent_id()));
        let other = parent.path().join("vl-kernel-notes");
        for folder in [&dead, &living, &other] {
            fs::create_dir(folder).unwrap();
        }
        sweep(parent.path());
        assert!(!dead.exists());
        assert!(living.exists());
        assert!(other.exists());
    }
}
