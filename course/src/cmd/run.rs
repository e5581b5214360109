//! `vl run`: notebooks from top to bottom on the real kernel, without a browser.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::house::House;
use crate::jupyter::kernel::{Kernel, NAME, jupyter_path};
use crate::jupyter::python;
use crate::{Error, Result};

/// Executes one notebook after another with nbclient; see there for what it reads and says.
const DRIVER: &str = include_str!("../jupyter/run.py");

/// Run notebooks from top to bottom on the real kernel, without a browser.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// The notebooks (by default all of notebooks/, in order)
    #[arg(value_name = "NOTEBOOK")]
    notebooks: Vec<PathBuf>,
    /// Where the executed notebooks and index.html go
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Another kernel, a stock `rust` for one (by default ours, built first)
    #[arg(long, value_name = "NAME", default_value = NAME)]
    kernel: String,
    /// How long one cell may take
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    timeout: u64,
    /// A Python that has Jupyter (else VL_PYTHON, else our own environment, made where it is missing)
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

/// How one notebook went, as the driver tells it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// The notebook.
    pub notebook: PathBuf,
    /// The whole run, kernel start included.
    pub seconds: f64,
    /// From starting the kernel to its first word.
    pub start_seconds: f64,
    /// Wall time of each code cell that ran.
    pub cell_seconds: Vec<f64>,
    /// How many outputs are pictures.
    pub pictures: usize,
    /// The first cell that failed, if one did; what follows it did not run.
    pub failure: Option<Failure>,
}

/// A cell that did not end well.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// Which cell of the notebook, from 1, texts counted; 0 is the kernel itself.
    pub cell: usize,
    /// `error`, `panic`, `timeout` or `kernel`.
    pub kind: String,
    /// The cell's first line.
    pub line: String,
    /// What the kernel said.
    pub message: String,
}

/// Executes the notebooks and writes them, and one page, to `--out`.
pub fn run(args: &RunArgs) -> Result<()> {
    let house = House::find()?;
    let notebooks = chosen(args, &house)?;
    let python = python::find(args.python.as_deref())?;
    let mut driver = Command::new(&python);
    if args.kernel == NAME {
        driver.env("JUPYTER_PATH", jupyter_path(&Kernel::build(&house)?.install_here()?)?);
    }
    fs::create_dir_all(&args.out).map_err(Error::io(&args.out))?;
    let outcomes = drive(&mut driver, &python, &notebooks, args)?;
    report(&outcomes, args)
}

fn chosen(args: &RunArgs, house: &House) -> Result<Vec<PathBuf>> {
    let mut notebooks = args.notebooks.clone();
    if notebooks.is_empty() {
        let folder = house.notebooks();
        let entries = fs::read_dir(&folder).map_err(Error::io(&folder))?;
        notebooks =
            entries.flatten().map(|entry| entry.path()).filter(|path| is_notebook(path)).collect();
        notebooks.sort();
    }
    if notebooks.is_empty() {
        return Err(Error::Usage(format!("{}: no notebooks", house.notebooks().display())));
    }
    match notebooks.iter().find(|path| !path.is_file() || !is_notebook(path)) {
        Some(path) => Err(Error::Usage(format!("{}: no such notebook (*.ipynb)", path.display()))),
        None => Ok(notebooks),
    }
}

fn is_notebook(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "ipynb")
}

/// Hands the driver its work as JSON on standard input and reads the outcomes from its standard output.
fn drive(
    driver: &mut Command,
    python: &Path,
    notebooks: &[PathBuf],
    args: &RunArgs,
) -> Result<Vec<Outcome>> {
    let broken =
        |why: String| Error::Program { command: format!("{} (nbclient)", python.display()), why };
    let mut child = driver
        .args(["-c", DRIVER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Error::io(python))?;
    let work = json!({
        "notebooks": notebooks, "out": args.out, "kernel": args.kernel, "timeout": args.timeout, "ours": args.kernel == NAME,
    });
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(work.to_string().as_bytes()).map_err(|error| broken(error.to_string()))?;
    }
    let output = child.wait_with_output().map_err(|error| broken(error.to_string()))?;
    if !output.status.success() {
        return Err(broken(format!("failed ({}): it says why above", output.status)));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| broken(format!("gave no outcome: {error}")))
}

fn report(outcomes: &[Outcome], args: &RunArgs) -> Result<()> {
    if args.json {
        println!("{}", json!({ "notebooks": outcomes, "page": args.out.join("index.html") }));
    }
    let page = args.out.join("index.html");
    let failures: Vec<String> = outcomes.iter().filter_map(tell).collect();
    if failures.is_empty() {
        let seconds: f64 = outcomes.iter().map(|outcome| outcome.seconds).sum();
        eprintln!(
            "{} notebook(s) ran to the end in {seconds:.0} s; look at {}.",
            outcomes.len(),
            page.display()
        );
        return Ok(());
    }
    let text = failures.join("\n");
    let summary = format!(
        "{} of {} notebook(s) failed; look at {}",
        failures.len(),
        outcomes.len(),
        page.display()
    );
    Err(Error::Failed(format!("{text}\n{summary}")))
}

/// A failure as a person wants to read it: where, which line, what was said.
fn tell(outcome: &Outcome) -> Option<String> {
    let failure = outcome.failure.as_ref()?;
    let notebook = outcome.notebook.display();
    let place = match failure.cell {
        0 => format!("{notebook}: the kernel"),
        cell => format!("{notebook}, cell {cell}: {}", failure.line),
    };
    let message: Vec<String> = failure.message.lines().map(|line| format!("    {line}")).collect();
    Some(format!("{place}\n  {}\n{}", failure.kind, message.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_which_cell_and_what() {
        let outcome = r#"{"notebook": "a.ipynb", "seconds": 3.0, "start_seconds": 1.0, "cell_seconds": [0.5],
            "pictures": 0, "failure": {"cell": 4, "kind": "panic", "line": "todo!()", "message": "not yet\nimplemented"}}"#;
        let outcome: Outcome = serde_json::from_str(outcome).unwrap();
        let told = tell(&outcome).unwrap();
        assert_eq!(told, "a.ipynb, cell 4: todo!()\n  panic\n    not yet\n    implemented");
    }
}
