//! A sandbox for what students hand in: their code is compiled in one, and runs in one.
//!
//! | layer | what it does |
//! |---|---|
//! | `namespaces` | a file tree of its own with nothing in it but what is named, no network, no other process; all end together |
//! | `landlock` | the kernel lets the process read and write below the named folders only, and signal nobody outside |
//! | `seccomp` | only the system calls that a compiler or a worker needs: no socket, no ptrace, no new process in a worker |
//! | limits | processor time, memory, file size, open files, processes (always there) |
//!
//! The layers overlap on purpose: what one lets through the next one stops. [`missing`] tries each on this machine.
//!
//! A cage is entered by starting this same program once more as `vl --in-cage`, which locks itself in and becomes the
//! program: no line of ours runs between `fork` and `exec` of a process with threads.

#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
pub(crate) mod inside;
#[cfg(target_os = "linux")]
mod mounts;
mod usage;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

pub use usage::{Ended, Usage, end, wait};

use crate::{Error, Result};

/// The first argument of a process that is to lock itself in.
pub const ENTER: &str = "--in-cage";

/// Exit code of a cage that could not be built.
pub const BROKEN: i32 = 120;

/// A layer that may be missing on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// User, mount, process, network and IPC namespaces.
    Namespaces,
    /// Landlock.
    Landlock,
    /// System call filters.
    Seccomp,
}

/// All layers.
pub const LAYERS: [Layer; 3] = [Layer::Namespaces, Layer::Landlock, Layer::Seccomp];

impl Layer {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Namespaces => "namespaces",
            Layer::Landlock => "landlock",
            Layer::Seccomp => "seccomp",
        }
    }
}

/// What goes on in a cage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// A compiler: it starts a linker and writes files.
    Compile,
    /// A student's code: one process, which writes no file.
    Run,
}

/// What one process may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Seconds of processor time.
    pub cpu: u64,
    /// Bytes of address space.
    pub memory: u64,
    /// Bytes of one file.
    pub file: u64,
    /// Open files.
    pub files: u64,
    /// Processes and threads together.
    pub processes: u64,
}

impl Limits {
    /// For compiling: some twenty times what five exercises take.
    pub const COMPILE: Self =
        Self { cpu: 20, memory: 4 << 30, file: 128 << 20, files: 512, processes: 64 };
    /// For a worker: the checks of an exercise take less than a second.
    pub const RUN: Self = Self { cpu: 20, memory: 2 << 30, file: 0, files: 32, processes: 32 };
}

/// What is let in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cage {
    /// The program that locks itself in: `vl`, or whoever calls [`crate::main`].
    pub launcher: PathBuf,
    /// What goes on in it.
    pub phase: Phase,
    /// Files and folders that may be read; with the system's libraries, and in [`Phase::Compile`] the linker.
    pub read: Vec<PathBuf>,
    /// The folder that may be written.
    pub write: Option<PathBuf>,
    /// The limits.
    pub limits: Limits,
    /// The layers that are to be used.
    pub layers: Vec<Layer>,
    /// Which of several cages at a time: each has a user of its own where we are root, so that processes are counted apart.
    pub slot: u32,
    /// Where the program's libraries are looked for: without /proc it does not know where it lies itself.
    pub libraries: Option<PathBuf>,
    /// What /proc/self/exe says where there is no /proc: rustc's linker looks beside itself for its other half.
    pub exe: Option<PathBuf>,
    /// Whether standard input and output become descriptors 3 and 4: a worker's pipes.
    pub pipes: bool,
}

impl Cage {
    /// The command that runs `program` in this cage, with an environment of nothing but what it needs.
    pub fn command(&self, program: &Path, arguments: &[&OsStr]) -> Result<Command> {
        let mut command = Command::new(&self.launcher);
        command.arg(ENTER).arg(serde_json::to_string(self)?).arg(program).args(arguments);
        command.env_clear().stdin(Stdio::null());
        Ok(command)
    }
}

impl Cage {
    /// The user of the cage's processes where we are root: nobody that a system knows, and another one in each slot, so
    /// that their processes are counted apart. Without a file tree of its own it might not reach the compiler.
    pub fn user(&self) -> Option<u32> {
        (rooted() && self.layers.contains(&Layer::Namespaces)).then_some(0x00a1_0000 + self.slot)
    }
}

#[cfg(target_os = "linux")]
fn rooted() -> bool {
    // Safety: it only asks.
    unsafe { libc::geteuid() == 0 }
}

#[cfg(not(target_os = "linux"))]
fn rooted() -> bool {
    false
}

/// The layers that this machine does not have, each with the reason: found by building a cage with that layer alone.
///
/// # Errors
/// When this program cannot be started again, or no cage can be built at all.
pub fn missing(launcher: &Path) -> Result<Vec<(Layer, String)>> {
    let mut missing = Vec::new();
    if !cfg!(target_os = "linux") {
        let why = "submissions are graded on Linux: its sandbox is made of Linux's layers";
        return Err(Error::Failed(why.into()));
    }
    for layers in [&[][..], &LAYERS[..1], &LAYERS[1..2], &LAYERS[2..]] {
        let cage = Cage {
            launcher: launcher.to_path_buf(),
            phase: Phase::Compile,
            read: Vec::new(),
            write: None,
            limits: Limits::COMPILE,
            layers: layers.to_vec(),
            slot: 0xff,
            libraries: None,
            exe: None,
            pipes: false,
        };
        let output = cage.command(Path::new("/bin/sh"), &["-c".as_ref(), "exit 0".as_ref()])?;
        let mut output = output;
        let output = output.output().map_err(Error::io(launcher))?;
        if output.status.success() {
            continue;
        }
        let why = String::from_utf8_lossy(&output.stderr).trim().to_string();
        match layers {
            [] => return Err(Error::Failed(format!("no program can be started in a cage: {why}"))),
            _ => missing.push((layers[0], why)),
        }
    }
    Ok(missing)
}

/// Becomes the caged program if this process was started to do so.
pub(crate) fn enter_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|first| first != ENTER) {
        return;
    }
    #[cfg(target_os = "linux")]
    inside::enter(arguments);
}
