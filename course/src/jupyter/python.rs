//! A Python with Jupyter: one that is there, or a private environment of our own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::house::{data_folder, show};
use crate::{Error, Result};

/// What must be importable.
const MODULES: [&str; 3] = ["jupyterlab", "nbclient", "nbconvert"];

/// Finds a Python with Jupyter: the one asked for (`--python`, `VL_PYTHON`), our own environment, the one on the path;
/// else makes our own environment, which needs a network once.
pub fn find(asked: Option<&Path>) -> Result<PathBuf> {
    let asked =
        asked.map(Path::to_path_buf).or_else(|| std::env::var_os("VL_PYTHON").map(PathBuf::from));
    if let Some(python) = asked {
        return match lacks(&python)? {
            None => Ok(python),
            Some(module) => Err(Error::Usage(format!(
                "{}: no module {module}; `{} -m pip install {}` adds it",
                python.display(),
                python.display(),
                MODULES.join(" ")
            ))),
        };
    }
    let own = data_folder()?.join("venv");
    for python in [own.join("bin/python"), PathBuf::from("python3")] {
        if matches!(lacks(&python), Ok(None)) {
            return Ok(python);
        }
    }
    make(&own)
}

/// The first module that this Python lacks.
fn lacks(python: &Path) -> Result<Option<String>> {
    let script = "import sys, importlib.util as u\n\
                  print(*[m for m in sys.argv[1:] if u.find_spec(m) is None])";
    let output = Command::new(python).arg("-c").arg(script).args(MODULES).output();
    let output = output.map_err(Error::io(python))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Usage(format!("{}: {why}", python.display())));
    }
    let lacking = String::from_utf8_lossy(&output.stdout);
    Ok(lacking.split_whitespace().next().map(str::to_owned))
}

fn make(own: &Path) -> Result<PathBuf> {
    eprintln!("Making a Python environment with JupyterLab in {} (about 200 MB).", own.display());
    let venv = ["-m", "venv", "--clear"];
    let hint = "Python 3 with venv is needed (Debian: apt install python3-venv)";
    show(Command::new("python3").args(venv).arg(own), hint)?;
    let python = own.join("bin/python");
    let pip = ["-m", "pip", "install", "--disable-pip-version-check"];
    show(
        Command::new(&python).args(pip).args(MODULES),
        "a network is needed once; or name a Python that has Jupyter: --python PATH",
    )?;
    Ok(python)
}
