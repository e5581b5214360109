//! Where the course lies on this machine: the checkout, cargo's target folder, our data folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Error, Result};

/// The checkout and what cargo builds from it.
#[derive(Clone, Debug)]
pub struct House {
    /// The workspace's folder.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
}

impl House {
    /// The checkout that this program was built from, else the one around the working directory.
    pub fn find() -> Result<House> {
        let built = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf);
        let here = std::env::current_dir().map_err(Error::io("."))?;
        let root = built
            .into_iter()
            .chain(here.ancestors().map(Path::to_path_buf))
            .find(|folder| folder.join("facade/Cargo.toml").is_file())
            .ok_or_else(|| Error::Usage("run this in the course's folder".to_owned()))?;
        let metadata = output(
            cargo(&root).args(["metadata", "--no-deps", "--format-version", "1"]),
            "is Cargo.toml damaged?",
        )?;
        let metadata: Value = serde_json::from_str(&metadata).unwrap_or_default();
        let target = metadata["target_directory"].as_str();
        let target = target.map_or_else(|| root.join("target"), PathBuf::from);
        Ok(House { root, target })
    }

    /// Where `vl` keeps what it makes for itself beside cargo's output.
    pub fn own(&self) -> PathBuf {
        self.target.join("vl")
    }

    /// The folder of the student's notebooks.
    pub fn notebooks(&self) -> PathBuf {
        self.root.join("notebooks")
    }
}

/// Cargo in the checkout, as the user started us with it.
pub fn cargo(root: &Path) -> Command {
    let mut cargo = cargo_here();
    cargo.current_dir(root);
    cargo
}

/// Cargo in the working directory.
///
/// `cargo run` tells a program which package it is. A cargo below it must not hear that: the build script of `ring` looks
/// at those variables, and with them the library would be compiled anew at each call.
pub fn cargo_here() -> Command {
    const TOLD: [&str; 5] =
        ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| TOLD.iter().any(|told| name.starts_with(told))) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// The user's folder for what outlives a checkout: `$XDG_DATA_HOME/vision-language` or its like.
pub fn data_folder() -> Result<PathBuf> {
    user_data().map(|folder| folder.join("vision-language"))
}

/// Jupyter's folder of the user: `$JUPYTER_DATA_DIR` or where Jupyter looks by itself.
pub fn jupyter_folder() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("JUPYTER_DATA_DIR") {
        return Ok(PathBuf::from(folder));
    }
    if cfg!(target_os = "macos") {
        return home().map(|home| home.join("Library/Jupyter"));
    }
    user_data().map(|folder| folder.join("jupyter"))
}

fn user_data() -> Result<PathBuf> {
    if cfg!(target_os = "macos") {
        return home().map(|home| home.join("Library/Application Support"));
    }
    match std::env::var_os("XDG_DATA_HOME").map(PathBuf::from) {
        Some(folder) if folder.is_absolute() => Ok(folder),
        _ => home().map(|home| home.join(".local/share")),
    }
}

fn home() -> Result<PathBuf> {
    std::env::home_dir()
        .ok_or_else(|| Error::Failed("there is no home folder: set HOME".to_owned()))
}

/// Runs a program whose own words go to the user; `hint` says what to do when it fails.
pub fn show(command: &mut Command, hint: &str) -> Result<()> {
    let status = command.status().map_err(|error| failed(command, error, hint))?;
    if status.success() { Ok(()) } else { Err(failed(command, status, hint)) }
}

/// The standard output of a program that must succeed; what it says on standard error goes to the user.
pub fn output(command: &mut Command, hint: &str) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| failed(command, error, hint))?;
    if !output.status.success() {
        return Err(failed(command, output.status, hint));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// That a program failed, as it was called.
pub(crate) fn failed(command: &Command, why: impl std::fmt::Display, hint: &str) -> Error {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    // A script given as an argument is no help in a message.
    let words: Vec<_> =
        words.map(|word| word.to_string_lossy()).filter(|word| !word.contains('\n')).collect();
    Error::Program { command: words.join(" "), why: format!("failed ({why}): {hint}") }
}
