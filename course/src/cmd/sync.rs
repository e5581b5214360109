//! `vl sync`: makes stubs and notebooks from the masters, or says what has drifted.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::sync::{Version, notebooks, sync};
use crate::{Error, Result};

/// The arguments of `vl sync`.
#[derive(Args, Clone, Debug)]
pub struct SyncArgs {
    /// Change nothing; fail if a file differs from what its master makes
    #[arg(long)]
    check: bool,
    /// Only write the solved notebooks into DIR
    #[arg(long, value_name = "DIR", conflicts_with = "check")]
    solved: Option<PathBuf>,
    /// Only write the instructor's notebooks into DIR: solved, with nbgrader's marks
    #[arg(long, value_name = "DIR", conflicts_with_all = ["check", "solved"])]
    instructor: Option<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

/// Makes what is made from the masters below `root`, or checks it.
///
/// # Errors
/// With `--check`, when something differs; a broken master; a file that cannot be written.
pub fn run(args: &SyncArgs, root: &Path) -> Result<()> {
    if !root.join("solutions/src").is_dir() {
        let why = "there are no masters here (solutions/): this copy of the course is a student's";
        return Err(Error::Usage(why.into()));
    }
    let asked = [(&args.solved, Version::Solved), (&args.instructor, Version::Instructor)];
    for (out, version) in asked {
        let Some(out) = out else { continue };
        let made = notebooks(root, out, version)?;
        if args.json {
            println!("{}", serde_json::json!(made));
        }
        eprintln!("{} solved notebooks are in {}.", made.len(), out.display());
        return Ok(());
    }
    let report = sync(root, args.check)?;
    if args.json {
        println!("{}", serde_json::json!(report));
    }
    let changed: Vec<_> = report.changed.iter().map(|p| format!("  {}", p.display())).collect();
    let changed = changed.join("\n");
    if args.check {
        if report.changed.is_empty() {
            eprintln!("All {} files are what their masters make.", report.files);
            return Ok(());
        }
        return Err(Error::Failed(format!(
            "{} file(s) differ from what their masters make; run `cargo vl sync`:\n{changed}",
            report.changed.len()
        )));
    }
    for kept in &report.kept {
        eprintln!("Kept what was edited: {}", kept.display());
    }
    match report.changed.len() {
        0 => eprintln!("All {} files are what their masters make.", report.files),
        n => eprintln!("{n} of {} files made:\n{changed}", report.files),
    }
    Ok(())
}
