//! `vl release`: the student's copy of the course.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::house::House;
use crate::release::{copy, files, scan};
use crate::sync::sync;
use crate::{Error, Result};

/// Make the student's copy: no solution in it, and a scan that looks for them (for who writes the course)
#[derive(Args, Clone, Debug)]
pub struct ReleaseArgs {
    /// A new folder for the copy
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only look through the copy that is there
    #[arg(long)]
    scan_only: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

/// Writes the copy and looks through it.
///
/// # Errors
/// When stubs or notebooks are not what their masters make, when the folder is not empty, or when something is found.
pub fn release(args: &ReleaseArgs) -> Result<()> {
    let house = House::find()?;
    let root = &house.root;
    if !root.join("solutions/src").is_dir() {
        let why = "there are no masters here (solutions/): this copy of the course is a student's";
        return Err(Error::Usage(why.into()));
    }
    let mut count = 0;
    if !args.scan_only {
        let empty = fs::read_dir(&args.out).map_or(true, |mut there| there.next().is_none());
        if !empty {
            return Err(Error::Usage(format!("{}: is not empty", args.out.display())));
        }
        let drift = sync(root, true)?.changed;
        if let Some(path) = drift.first() {
            let why = format!(
                "{} is not what its master makes; run `cargo vl sync` first",
                path.display()
            );
            return Err(Error::Failed(why));
        }
        count = copy(root, &files(root)?, &args.out)?;
    }
    let leaks = scan(root, &args.out)?;
    if args.json {
        println!("{}", json!({"files": count, "out": args.out, "leaks": leaks}));
    }
    if leaks.is_empty() {
        eprintln!(
            "The student's copy is in {}: {count} files, and no solution was found in them.",
            args.out.display()
        );
        eprintln!("It is a folder without git: `git init` there begins the student's own history.");
        return Ok(());
    }
    let found: Vec<String> =
        leaks.iter().map(|leak| format!("  {}: {}", leak.path.display(), leak.what)).collect();
    Err(Error::Failed(format!(
        "{} leaks in {}:\n{}",
        leaks.len(),
        args.out.display(),
        found.join("\n")
    )))
}
