//! One run of the kernel: a private directory with the small `cargo` in it, and the environment that leads evcxr there.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};

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
}

/// evcxr's configuration. The library is optimised, a cell calls it: compiling a cell without optimising it takes half the
/// time, and `:opt 2` is there for a cell that computes much by itself.
const CONFIGURATION: &str = "[evcxr]\nopt_level = \"0\"\n";

const PREFIX: &str = "vl-kernel-";

/// A file in the private directory: the process group of what runs the cells.
pub const CHILD: &str = "child";

/// The name by which `vl-cargo` is the guard of a session.
pub const GUARD: &str = "vl-guard";

/// A private directory, removed when this is dropped, and by a guard when the kernel is killed.
#[derive(Debug)]
pub struct Session {
    folder: PathBuf,
    /// The guard waits for its end.
    _life: Option<ChildStdin>,
    guard: Option<i32>,
}

impl Session {
    /// Removes what dead kernels have left and makes a directory for this process. `programs` has the kernel's programs.
    pub fn start(programs: &Path) -> Result<Session> {
        let parent = std::env::temp_dir();
        sweep(&parent);
        let folder = parent.join(format!("{PREFIX}{}", std::process::id()));
        // A path with a space breaks evcxr's line protocol between the kernel and the process that runs cells.
        if folder.to_string_lossy().contains(char::is_whitespace) {
            bail!("{}: a path with a space; set TMPDIR to one without", folder.display());
        }
        let private = |path: &Path| DirBuilder::new().mode(0o700).create(path);
        private(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let (guard, _life) = guard(programs, &folder).ok().unzip();
        let session = Session { folder, _life, guard };
        for part in ["bin", "cell", "config"] {
            private(&session.folder.join(part))?;
        }
        fs::write(session.folder.join("config/evcxr.toml"), CONFIGURATION)?;
        Ok(session)
    }

    /// The private directory.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The group of processes that ends with this one, however it ends; none where no guard could be started.
    pub fn group(&self) -> Option<i32> {
        self.guard
    }

    /// Removes it.
    pub fn remove(&self) {
        // A compiler that is just ending may write one more file.
        for _ in 0..5 {
            if fs::remove_dir_all(&self.folder).is_ok() || !self.folder.exists() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
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
        let set: [(&str, OsString); 12] = [
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
            // candle's threads would turn in a loop, where the library's own threads should compute.
            ("CANDLE_BARRIER_POOL_SPIN_LIMIT", "0".into()),
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
        self.remove();
    }
}

/// Starts the guard: a process that does nothing until this one has ended, however it ends.
fn guard(programs: &Path, folder: &Path) -> Result<(i32, ChildStdin)> {
    let mut guard = Command::new(programs.join("vl-cargo"));
    guard.arg0(GUARD).arg(folder).current_dir("/").process_group(0);
    let guard = guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    Ok((guard.id() as i32, guard.stdin.context("no pipe to the guard")?))
}

/// The guard: waits for the kernel's end, then ends what it has left and removes its directory.
pub fn guard_main(folder: &Path) {
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    let named = folder.file_name().and_then(|name| name.to_str());
    if !named.is_some_and(|name| name.starts_with(PREFIX)) {
        return;
    }
    if let Ok(group) = fs::read_to_string(folder.join(CHILD))
        && let Ok(group) = group.trim().parse::<i32>()
        && group > 1
    {
        // SAFETY: a signal to the group of the process that ran this kernel's cells.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    // SAFETY: a signal to this process's own group, the compilers that waited for cells; it does not heed it itself.
    unsafe {
        libc::signal(libc::SIGTERM, libc::SIG_IGN);
        if libc::getpgrp() == std::process::id() as i32 {
            libc::kill(0, libc::SIGTERM);
        }
    }
    for _ in 0..20 {
        let _ = fs::remove_dir_all(folder);
        // A compiler that was running may make it anew.
        std::thread::sleep(std::time::Duration::from_millis(100));
        if !folder.exists() {
            return;
        }
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
