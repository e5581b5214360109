//! `vl site`: the solved and executed notebooks as a static site, every hole behind a fold.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Args;
use serde_json::{Map, Value, json};
use vision_language::exercise::hint::{self, STEPS};

use crate::house::{House, show};
use crate::jupyter::python;
use crate::sync::{Master, Version, notebooks};
use crate::{Error, Result};

/// Makes the pages; see there for what it reads.
const DRIVER: &str = include_str!("../site.py");

/// Make a static site of the solved notebooks, for who studies alone (for who writes the course)
#[derive(Args, Clone, Debug)]
pub struct SiteArgs {
    /// The folder for the pages
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Notebooks that `cargo vl run` has executed already (by default they are run now: minutes)
    #[arg(long, value_name = "DIR")]
    executed: Option<PathBuf>,
    /// A Python that has Jupyter (else VL_PYTHON, else our own environment, made where it is missing)
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the solved notebooks and writes the pages.
///
/// # Errors
/// In a student's copy; when a notebook fails, or Python lacks nbconvert.
pub fn site(args: &SiteArgs) -> Result<()> {
    let house = House::find()?;
    if !house.root.join("solutions/src").is_dir() {
        let why = "there are no masters here (solutions/): this copy of the course is a student's";
        return Err(Error::Usage(why.into()));
    }
    let python = python::find(args.python.as_deref())?;
    let executed = match &args.executed {
        Some(folder) => folder.clone(),
        None => run_solved(&house)?,
    };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&executed)
        .map_err(Error::io(&executed))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "ipynb"))
        .collect();
    paths.sort();
    if paths.is_empty() {
        return Err(Error::Usage(format!("{}: no notebooks", executed.display())));
    }
    std::fs::create_dir_all(&args.out).map_err(Error::io(&args.out))?;
    let work = json!({"notebooks": paths, "out": args.out, "exercises": exercises(&house)?});
    let broken = |why: String| Error::Program { command: python.display().to_string(), why };
    let mut child = Command::new(&python)
        .args(["-c", DRIVER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Error::io(&python))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(work.to_string().as_bytes()).map_err(|error| broken(error.to_string()))?;
    }
    let output = child.wait_with_output().map_err(|error| broken(error.to_string()))?;
    if !output.status.success() {
        return Err(broken(format!("failed ({}): it says why above", output.status)));
    }
    if args.json {
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
    let page = args.out.join("index.html");
    eprintln!("The site is in {}: open {}.", args.out.display(), page.display());
    Ok(())
}

/// What stands in each exercise's place before it is filled in, and its hints.
fn exercises(house: &House) -> Result<Value> {
    let mut all = Map::new();
    for master in Master::all(&house.root)? {
        let hint = hint::of(&master.id, None);
        let steps: Vec<_> = STEPS.iter().zip(hint.steps).collect();
        let stub = master.item(Version::Stub);
        all.insert(master.id.clone(), json!({"stub": stub, "hints": steps}));
    }
    Ok(Value::Object(all))
}

/// Executes the solved notebooks, by this same program.
fn run_solved(house: &House) -> Result<PathBuf> {
    let folder = house.own().join("site");
    let paths = notebooks(&house.root, &folder.join("solved"), Version::Solved)?;
    let out = folder.join("executed");
    let myself = std::env::current_exe().map_err(Error::io("."))?;
    let mut run = Command::new(myself);
    run.arg("run").arg("--out").arg(&out).args(&paths);
    show(&mut run, "a solved notebook does not run to its end")?;
    Ok(out)
}
