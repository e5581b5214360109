//! The small `cargo`: which question is it, and who answers.

pub mod build;
pub mod first;
pub mod spare;

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use serde_json::json;

use crate::install::{Install, library, recording};
use crate::metadata;
use crate::session::{self, variable};

/// A question to cargo that the kernel answers itself; all others are the real cargo's.
#[derive(Debug, PartialEq, Eq)]
pub enum Question {
    /// Compile the cell; `link` says whether to a dynamic library or only to find its errors.
    Build {
        /// `build` and not `check`.
        link: bool,
    },
    /// `metadata` of the cell's crate.
    CellMetadata {
        /// `--no-deps`.
        no_deps: bool,
    },
    /// `metadata` of the standard library's workspace.
    StdMetadata,
    /// `locate-project` in the cell's crate.
    Locate,
    /// `config get`, by which rust-analyzer looks for a build target and environment: there are none.
    Config,
    /// `rustc --print cfg`.
    Cfg,
    /// `rustc --print target-spec-json`.
    Spec,
    /// `--version`.
    Version,
    /// `clean` in the cell's crate: nothing is there to clean.
    Clean,
}

impl Question {
    /// Reads a command line given in `here`; `cell` is the cell's crate and `library` the standard library's sources.
    pub fn read(
        arguments: &[String],
        here: &Path,
        cell: &Path,
        library: &Path,
    ) -> Option<Question> {
        let has = |word: &str| arguments.iter().any(|argument| argument == word);
        let manifest = arguments
            .iter()
            .position(|argument| argument == "--manifest-path")
            .and_then(|at| arguments.get(at + 1))
            .map(|path| here.join(path));
        let folder = manifest.as_deref().and_then(Path::parent).unwrap_or(here);
        let no_deps = has("--no-deps");
        match subcommand(arguments)? {
            "--version" | "-V" => Some(Question::Version),
            "metadata" if folder == library => Some(Question::StdMetadata),
            _ if folder != cell => None,
            "build" => Some(Question::Build { link: true }),
            "check" => Some(Question::Build { link: false }),
            "metadata" => Some(Question::CellMetadata { no_deps }),
            "locate-project" => Some(Question::Locate),
            "config" => Some(Question::Config),
            "clean" => Some(Question::Clean),
            "rustc" if has("--print") && has("cfg") => Some(Question::Cfg),
            "rustc" if has("--print") && has("target-spec-json") => Some(Question::Spec),
            _ => None,
        }
    }
}

/// The first word that is no flag, or `--version`.
fn subcommand(arguments: &[String]) -> Option<&str> {
    let mut arguments = arguments.iter().map(String::as_str);
    while let Some(argument) = arguments.next() {
        match argument {
            "--version" | "-V" => return Some(argument),
            "-Z" | "--config" | "-C" => drop(arguments.next()),
            _ if argument.starts_with(['-', '+']) => {}
            _ => return Some(argument),
        }
    }
    None
}

/// The program `vl-cargo`, under the name `cargo` or `rustup`.
pub fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let name = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    let outcome = match Path::new(&name).file_name().and_then(|name| name.to_str()) {
        Some("rustup") => rustup(&arguments),
        Some(session::GUARD) => {
            session::guard_main(Path::new(arguments.first().map_or("", String::as_str)));
            Ok(ExitCode::SUCCESS)
        }
        _ => cargo(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn place(name: &str) -> Result<PathBuf> {
    let value = std::env::var_os(name).with_context(|| format!("{name} is not set"))?;
    Ok(PathBuf::from(value))
}

fn cargo(arguments: &[String]) -> Result<ExitCode> {
    let folder = place(variable::INSTALL)?;
    let session = place(variable::SESSION)?;
    let install = Install::read(&folder)?;
    let (here, cell) = (std::env::current_dir()?, session::cell(&session));
    // The temporary directory may be a symbolic link, and the working directory is given without it.
    let here =
        if here.canonicalize().ok() == cell.canonicalize().ok() { cell.clone() } else { here };
    let Some(question) = Question::read(arguments, &here, &cell, &library(&folder)) else {
        return pass_on(Command::new(&install.cargo).args(arguments));
    };
    let recorded = |name: &str| {
        fs::read_to_string(folder.join(name)).with_context(|| format!("{name}: run `cargo vl lab`"))
    };
    let answer = match question {
        Question::Build { link } => return build::build(&install, &cell, link),
        Question::CellMetadata { no_deps } => {
            build::refuse_other_dependencies(&cell)?;
            metadata::answer(&recorded(recording::CELL)?, &cell, no_deps)?
        }
        Question::StdMetadata => recorded(recording::STD)?,
        Question::Locate => json!({"root": cell.join("Cargo.toml")}).to_string(),
        Question::Cfg => recorded(recording::CFG)?,
        Question::Spec => recorded(recording::SPEC)?,
        Question::Version => recorded(recording::VERSION)?,
        Question::Config | Question::Clean => String::new(),
    };
    println!("{answer}");
    Ok(ExitCode::SUCCESS)
}

/// `rustup which cargo` leads to this program, `rustup which rustc` to the compiler that compiled the library.
fn rustup(arguments: &[String]) -> Result<ExitCode> {
    let tool = arguments.iter().skip_while(|argument| *argument != "which").nth(1);
    match tool.map(String::as_str) {
        Some("cargo") => println!("{}", place(variable::SESSION)?.join("bin/cargo").display()),
        Some("rustc") => println!("{}", Install::read(&place(variable::INSTALL)?)?.rustc.display()),
        _ => return pass_on(Command::new("rustup").args(arguments)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Becomes the real program, in the environment as it was before the kernel changed it.
fn pass_on(command: &mut Command) -> Result<ExitCode> {
    for (name, value) in session::original() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let program: OsString = command.get_program().to_owned();
    Err(command.exec()).with_context(|| program.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, here: &str) -> Option<Question> {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Question::read(
            &arguments,
            Path::new(here),
            Path::new("/tmp/k/cell"),
            Path::new("/rust/library"),
        )
    }

    #[test]
    fn what_evcxr_and_rust_analyzer_ask_about_a_cell_is_ours() {
        let ours = |line| read(line, "/tmp/k/cell");
        assert_eq!(
            ours("build --target x86_64-unknown-linux-gnu --message-format=json"),
            Some(Question::Build { link: true })
        );
        assert_eq!(ours("--offline check --target x"), Some(Question::Build { link: false }));
        assert_eq!(
            ours("metadata --format-version 1"),
            Some(Question::CellMetadata { no_deps: false })
        );
        assert_eq!(
            ours("-Z unstable-options config get --format toml --show-origin"),
            Some(Question::Config)
        );
        assert_eq!(
            ours("rustc -Z unstable-options --print cfg --target x -- -O"),
            Some(Question::Cfg)
        );
        assert_eq!(ours("--version"), Some(Question::Version));
        let located =
            read("locate-project --workspace --manifest-path /tmp/k/cell/Cargo.toml", "/");
        assert_eq!(located, Some(Question::Locate));
    }

    #[test]
    fn the_standard_library_is_told_by_its_manifest() {
        let line = "metadata --no-deps --manifest-path /rust/library/Cargo.toml";
        assert_eq!(read(line, "/tmp/k/cell"), Some(Question::StdMetadata));
    }

    #[test]
    fn another_crate_is_the_real_cargos() {
        assert_eq!(read("build", "/home/me/project"), None);
        assert_eq!(read("metadata --manifest-path /home/me/Cargo.toml", "/tmp/k/cell"), None);
        assert_eq!(read("add serde", "/tmp/k/cell"), None);
    }
}
