//! Builds what a notebook needs and installs the kernel: one set of artefacts, in cargo's own target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::house::{House, cargo, output, show};
use crate::{Error, Result};

/// The kernel's name, by which a notebook asks for it.
pub const NAME: &str = "vision-language";

/// The kernel, built and ready to be installed.
#[derive(Clone, Debug)]
pub struct Kernel {
    program: PathBuf,
    facade: PathBuf,
    deps: PathBuf,
    root: PathBuf,
    own: PathBuf,
}

impl Kernel {
    /// Builds the kernel and the library as one dynamic library: a second where nothing has changed.
    pub fn build(house: &House) -> Result<Kernel> {
        add_rust_src(&house.root)?;
        if !house.own().exists() {
            eprintln!(
                "Building the library and the kernel: some ten minutes the first time, on two cores."
            );
        }
        let hint = "the compiler says why above";
        let build = ["build", "--package", "course-kernel", "--bins", JSON];
        let built = output(cargo(&house.root).args(build), hint)?;
        let program = artefact(&built, "vl-kernel", |path| path.ends_with("vl-kernel"))?;
        // Only this crate gets the flag: with it the standard library is shared too, and a cell links in 0.15 s.
        let facade = ["rustc", "--package", "facade", "--lib", JSON, "--", "-C", "prefer-dynamic"];
        let built = output(cargo(&house.root).args(facade), hint)?;
        let suffix = std::env::consts::DLL_SUFFIX;
        let facade = artefact(&built, "facade", |path| path.to_string_lossy().ends_with(suffix))?;
        let deps = facade.with_file_name("deps");

        // A plain `cargo build` of the whole workspace writes another file under the same name.
        let kept = house.own().join(facade.file_name().unwrap_or_default());
        fs::create_dir_all(house.own()).map_err(Error::io(house.own()))?;
        keep(&facade, &kept)?;
        let (root, own) = (house.root.clone(), house.own());
        Ok(Kernel { program, facade: kept, deps, root, own })
    }

    /// Writes the kernelspec into `folder`, which is then all there is of the kernel.
    pub fn install(&self, folder: &Path) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.arg("install").arg("--workspace").arg(&self.root).arg("--deps").arg(&self.deps);
        command.arg("--facade").arg(&self.facade).arg("--folder").arg(folder);
        show(&mut command, "run `cargo vl lab` again, and report it if it stays")
    }

    /// Installs it beside cargo's output, for our own runs, and gives the folder for `JUPYTER_PATH`.
    pub fn install_here(&self) -> Result<PathBuf> {
        let path = self.own.join("jupyter");
        self.install(&spec_in(&path))?;
        Ok(path)
    }
}

/// The kernelspec's folder in a folder of Jupyter's (`…/share/jupyter`).
pub fn spec_in(jupyter: &Path) -> PathBuf {
    jupyter.join("kernels").join(NAME)
}

/// `JUPYTER_PATH` with `first` in front.
pub fn jupyter_path(first: &Path) -> Result<std::ffi::OsString> {
    let rest = std::env::var_os("JUPYTER_PATH").unwrap_or_default();
    let rest: Vec<PathBuf> =
        std::env::split_paths(&rest).filter(|path| !path.as_os_str().is_empty()).collect();
    std::env::join_paths(std::iter::once(first.to_path_buf()).chain(rest))
        .map_err(|error| Error::Failed(format!("{}: {error}", first.display())))
}

const JSON: &str = "--message-format=json-render-diagnostics";

/// rust-analyzer reads the standard library's sources; without them no variable has a type.
fn add_rust_src(root: &Path) -> Result<()> {
    let rustc = ["--print", "sysroot"];
    let sysroot =
        output(Command::new("rustc").args(rustc).current_dir(root), "is Rust installed?")?;
    if Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.toml").is_file() {
        return Ok(());
    }
    eprintln!(
        "Adding Rust's component rust-src: the kernel reads types from the standard library's sources."
    );
    let mut rustup = Command::new("rustup");
    rustup.args(["component", "add", "rust-src"]).current_dir(root);
    show(&mut rustup, "the kernel needs the component rust-src; add it once with a network")
}

/// The file of a target among cargo's JSON messages.
fn artefact(messages: &str, target: &str, is_it: impl Fn(&Path) -> bool) -> Result<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages
        .filter(|message| {
            message["reason"] == "compiler-artifact" && message["target"]["name"] == target
        })
        .filter_map(|message| message["filenames"].as_array().cloned())
        .flatten()
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|path| is_it(path))
        .ok_or_else(|| Error::Failed(format!("cargo built no {target}")))
}

/// Keeps a build's file under a name of our own; a kernel that runs on the old one keeps that.
fn keep(built: &Path, kept: &Path) -> Result<()> {
    let same = |a: &Path, b: &Path| {
        let time = |path: &Path| {
            fs::metadata(path).and_then(|file| Ok((file.modified()?, file.len()))).ok()
        };
        time(a).is_some() && time(a) == time(b)
    };
    if same(built, kept) {
        return Ok(());
    }
    let new = kept.with_extension(format!("new-{}", std::process::id()));
    fs::hard_link(built, &new)
        .or_else(|_| fs::copy(built, &new).map(drop))
        .and_then(|()| fs::rename(&new, kept))
        .map_err(Error::io(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artefact_is_told_by_its_target_and_name() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"vl-cargo"},"filenames":["/t/vl-cargo"]}
not json
{"reason":"compiler-artifact","target":{"name":"facade"},"filenames":["/t/libfacade.rlib","/t/libfacade.so"]}"#;
        let found =
            artefact(messages, "facade", |path| path.extension().is_some_and(|e| e == "so"));
        assert_eq!(found.unwrap(), Path::new("/t/libfacade.so"));
        assert!(artefact(messages, "vl-kernel", |_| true).is_err());
    }

    #[test]
    fn a_kept_file_is_replaced_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (built, kept) = (folder.path().join("built"), folder.path().join("kept"));
        fs::write(&built, "one").unwrap();
        keep(&built, &kept).unwrap();
        let running = fs::File::open(&kept).unwrap();
        fs::remove_file(&built).unwrap();
        fs::write(&built, "two and more").unwrap();
        keep(&built, &kept).unwrap();
        assert_eq!(fs::read_to_string(&kept).unwrap(), "two and more");
        assert_eq!(std::io::read_to_string(running).unwrap(), "one");
    }
}
