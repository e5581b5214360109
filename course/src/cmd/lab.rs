//! `vl lab`: everything a notebook needs, from a fresh clone to an open JupyterLab.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;

use crate::house::{House, jupyter_folder};
use crate::jupyter::kernel::{Kernel, jupyter_path, spec_in};
use crate::jupyter::python;
use crate::{Error, Result};

/// Open the notebooks in JupyterLab: builds the library and the kernel, finds or makes Jupyter, installs, opens.
#[derive(Args, Clone, Debug)]
pub struct LabArgs {
    /// Do not open a browser; Jupyter prints the address
    #[arg(long)]
    no_browser: bool,
    /// The port that Jupyter listens on
    #[arg(long, value_name = "N", default_value_t = 8888)]
    port: u16,
    /// The address that Jupyter listens on
    #[arg(long, default_value = "127.0.0.1")]
    ip: String,
    /// A Python that has Jupyter (else VL_PYTHON, else our own environment, made where it is missing)
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// More arguments for Jupyter, after `--`
    #[arg(last = true)]
    jupyter: Vec<String>,
}

/// Builds, installs and becomes JupyterLab. Returns only where that does not start.
pub fn lab(args: &LabArgs) -> Result<()> {
    let house = House::find()?;
    let python = python::find(args.python.as_deref())?;
    let kernel = Kernel::build(&house)?;
    let path = kernel.install_here()?;
    let user = spec_in(&jupyter_folder()?);
    kernel.install(&user)?;
    eprintln!("The kernel \"Rust (vision-language)\" is installed in {}.", user.display());

    let mut jupyter = Command::new(&python);
    jupyter.args(["-m", "jupyterlab"]).env("JUPYTER_PATH", jupyter_path(&path)?);
    jupyter.arg(format!("--ServerApp.root_dir={}", house.root.display()));
    jupyter.arg(format!("--port={}", args.port)).arg(format!("--ip={}", args.ip));
    if house.notebooks().join("00_setup.ipynb").is_file() {
        jupyter.arg("--LabApp.default_url=/lab/tree/notebooks/00_setup.ipynb");
    }
    if args.no_browser {
        jupyter.arg("--no-browser");
    }
    if is_root() {
        // In a container one is root, and Jupyter would refuse.
        jupyter.arg("--allow-root");
    }
    jupyter.args(&args.jupyter);
    eprintln!("Starting JupyterLab: open notebooks/00_setup.ipynb; Ctrl-C twice ends it.");
    Err(Error::Io { path: python, source: jupyter.exec() })
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
