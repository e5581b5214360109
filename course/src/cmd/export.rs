//! `vl export`: what other systems want to have for grading with this course.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::house::{House, output};
use crate::sync::write;
use crate::{Error, Result};

/// Files for the systems where courses live
#[derive(Args, Clone, Debug)]
pub struct ExportArgs {
    #[command(subcommand)]
    to: Target,
}

#[derive(Subcommand, Clone, Debug)]
enum Target {
    /// Gradescope's autograder.zip: setup.sh, run_autograder, and the course
    Gradescope {
        /// Where the archive goes
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Where hidden inputs are drawn from
        #[arg(long, value_name = "S", default_value_t = 0)]
        seed: u64,
    },
    /// A GitHub Classroom workflow: the checks that students see
    Classroom {
        /// The student's copy (`cargo vl release --out DIR`)
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

const SETUP: &str = include_str!("../export/setup.sh");
const RUN: &str = include_str!("../export/run_autograder");
const WORKFLOW: &str = include_str!("../export/classroom.yml");

/// Writes the files.
///
/// # Errors
/// When a file cannot be read or written.
pub fn export(args: &ExportArgs) -> Result<()> {
    match &args.to {
        Target::Gradescope { out, seed } => gradescope(&House::find()?.root, out, *seed),
        Target::Classroom { out } => {
            let workflow = out.join(".github/workflows/classroom.yml");
            write(&workflow, WORKFLOW)?;
            eprintln!("{} runs `cargo vl check` at each push.", workflow.display());
            Ok(())
        }
    }
}

fn gradescope(root: &Path, out: &Path, seed: u64) -> Result<()> {
    if !root.join("solutions/src").is_dir() {
        let why = "the hidden checks are in solutions/, and this copy of the course is a student's";
        return Err(Error::Usage(why.into()));
    }
    let mut git = Command::new("git");
    git.args(["ls-files", "-z"]).current_dir(root);
    let listed = output(&mut git, "the archive is made of the files that git tracks")?;
    let file = File::create(out).map_err(Error::io(out))?;
    let mut zip = ZipWriter::new(file);
    let broken =
        |error: zip::result::ZipError| Error::Failed(format!("{}: {error}", out.display()));
    let program = SimpleFileOptions::default().unix_permissions(0o755);
    let plain = SimpleFileOptions::default().unix_permissions(0o644);
    for (name, text) in [
        ("setup.sh", SETUP.to_string()),
        ("run_autograder", RUN.replace("@SEED@", &seed.to_string())),
    ] {
        zip.start_file(name, program).map_err(broken)?;
        zip.write_all(text.as_bytes()).map_err(Error::io(out))?;
    }
    let mut files = 0;
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let path = root.join(name);
        let bytes = fs::read(&path).map_err(Error::io(&path))?;
        zip.start_file(format!("course/{name}"), plain).map_err(broken)?;
        zip.write_all(&bytes).map_err(Error::io(out))?;
        files += 1;
    }
    zip.finish().map_err(broken)?;
    eprintln!(
        "{}: {files} files of the course. It holds the solutions: it is for Gradescope alone.",
        out.display()
    );
    Ok(())
}
