//! `vl export`: what other systems want to have for grading with this course.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::house::{House, output};
use crate::sync::{Version, notebooks, write};
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
    /// nbgrader's course folder: solved notebooks, configuration, and this course's grader in the place of nbgrader's
    Nbgrader {
        /// Where the course folder goes
        #[arg(long, value_name = "DIR")]
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
const CONFIG: &str = include_str!("../export/nbgrader_config.py");
const PREPROCESSOR: &str = include_str!("../export/vl_nbgrader.py");
const WORKFLOW: &str = include_str!("../export/classroom.yml");

/// Writes the files.
///
/// # Errors
/// When a file cannot be read or written.
pub fn export(args: &ExportArgs) -> Result<()> {
    match &args.to {
        Target::Gradescope { out, seed } => gradescope(&House::find()?.root, out, *seed),
        Target::Nbgrader { out, seed } => nbgrader(&House::find()?.root, out, *seed),
        Target::Classroom { out } => {
            let workflow = out.join(".github/workflows/classroom.yml");
            write(&workflow, WORKFLOW)?;
            eprintln!("{} runs `cargo vl check` at each push.", workflow.display());
            Ok(())
        }
    }
}

/// An assignment a notebook that has exercises, as nbgrader wants it: `source/02_clip/02_clip.ipynb`.
fn nbgrader(root: &Path, out: &Path, seed: u64) -> Result<()> {
    masters(root)?;
    let folder = tempfile::tempdir().map_err(Error::io("a temporary folder"))?;
    let made = notebooks(root, folder.path(), Version::Instructor)?;
    let mut names = Vec::new();
    for path in made {
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let notebook: serde_json::Value = serde_json::from_str(&text)?;
        let cells = notebook["cells"].as_array();
        if !cells.into_iter().flatten().any(|cell| cell["metadata"]["nbgrader"]["grade"] == true) {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        write(&out.join("source").join(&name).join(format!("{name}.ipynb")), &text)?;
        names.push(name);
    }
    let root = root.canonicalize().map_err(Error::io(root))?;
    let config = CONFIG.replace("\"@COURSE@\"", &format!("{:?}", root.display().to_string()));
    write(&out.join("nbgrader_config.py"), &config.replace("@SEED@", &seed.to_string()))?;
    write(&out.join("vl_nbgrader.py"), PREPROCESSOR)?;
    eprintln!(
        "{} assignments are in {}: {}. There, `nbgrader generate_assignment {}` makes the students' notebook, and `nbgrader \
         autograde` asks this course's grader.",
        names.len(),
        out.display(),
        names.join(", "),
        names.first().map_or("NAME", String::as_str)
    );
    Ok(())
}

fn masters(root: &Path) -> Result<()> {
    if root.join("solutions/src").is_dir() {
        return Ok(());
    }
    let why = "the solutions and hidden checks are in solutions/, and this copy of the course is a student's";
    Err(Error::Usage(why.into()))
}

fn gradescope(root: &Path, out: &Path, seed: u64) -> Result<()> {
    masters(root)?;
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
