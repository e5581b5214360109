//! Builds what a notebook needs and installs the kernel: one set of artefacts, in cargo's own target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::building::build;
use crate::facade::{Facade, JSON, artefact};
use crate::house::{House, cargo, output, show};
use crate::{Error, Result};

/// The kernel's name, by which a notebook asks for it.
pub const NAME: &str = "vision-language";

/// What the kernel has compiled for itself, from nothing.
const CRATES: u32 = 250;

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
        let kernel = ["build", "--package", "course-kernel", "--bins", JSON];
        let hint = "the compiler says why above";
        let built = build(cargo(&house.root).args(kernel), "building the kernel", CRATES, hint)?;
        let program = artefact(&built, "vl-kernel", |path| path.ends_with("vl-kernel"))?;
        let Facade { library: facade, deps, .. } = Facade::build(house)?;
        let (root, own) = (house.root.clone(), house.own());
        Ok(Kernel { program, facade, deps, root, own })
    }

    /// Writes the kernelspec into `folder`, which is then all there is of the kernel.
    pub fn install(&self, folder: &Path) -> Result<()> {
        // Said here, a folder that cannot be written is named and not the program that met it.
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
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
