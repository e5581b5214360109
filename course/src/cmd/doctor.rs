//! `vl doctor`: what is wrong with an installation, and how to mend it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use crate::house::{House, jupyter_folder};
use crate::jupyter::kernel::spec_in;
use crate::jupyter::python;
use crate::{Error, Result};

/// Look for what is wrong with the installation, and say how to mend it.
#[derive(Args, Clone, Debug)]
pub struct DoctorArgs {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
    /// Leave out the last step: to start a kernel and run a cell
    #[arg(long)]
    quick: bool,
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// What was found.
    pub found: String,
    /// What to do, where something is wrong.
    pub mend: Option<String>,
}

impl Finding {
    fn fine(what: &str, found: impl Into<String>) -> Finding {
        Finding { what: what.to_owned(), found: found.into(), mend: None }
    }

    fn wrong(what: &str, found: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { what: what.to_owned(), found: found.into(), mend: Some(mend.into()) }
    }
}

/// Looks at everything and tells.
pub fn doctor(args: &DoctorArgs) -> Result<()> {
    let house = House::find()?;
    let mut findings =
        vec![rust(&house.root), rust_src(&house.root), linker(), disk(&house.target), temporary()];
    let (python, python_is) = jupyter();
    findings.push(python_is);
    let specs = [
        ("the kernel for `cargo vl run`", house.own().join("jupyter")),
        ("the kernel for this user", jupyter_folder()?),
    ];
    let mut usable = None;
    for (what, jupyter) in specs {
        let finding = kernelspec(what, &spec_in(&jupyter), &house.root);
        if finding.mend.is_none() {
            usable = Some(jupyter);
        }
        findings.push(finding);
    }
    if let (Some(python), Some(jupyter), false) = (python, usable, args.quick) {
        if !args.json {
            eprintln!("Starting a kernel …");
        }
        findings.push(start(&python, &jupyter));
    }
    if args.json {
        println!("{}", json!({ "findings": findings }));
    } else {
        for finding in &findings {
            let mark = if finding.mend.is_some() { "✗" } else { "✓" };
            println!("{mark} {}: {}", finding.what, finding.found);
            if let Some(mend) = &finding.mend {
                println!("    → {mend}");
            }
        }
    }
    match findings.iter().filter(|finding| finding.mend.is_some()).count() {
        0 if args.json => Ok(()),
        0 => {
            println!("Everything is as it should be.");
            Ok(())
        }
        1 => Err(Error::Failed("one thing is to be mended".to_owned())),
        n => Err(Error::Failed(format!("{n} things are to be mended"))),
    }
}

/// The first line of a program's output, where it runs.
fn ask(program: &str, args: &[&str], folder: &Path) -> Option<String> {
    let output = Command::new(program).args(args).current_dir(folder).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

fn rust(root: &Path) -> Finding {
    const WHAT: &str = "Rust";
    const MEND: &str = "`rustup update`, or rustup from https://rustup.rs";
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    let Some(version) = ask("rustc", &["--version"], root) else {
        return Finding::wrong(WHAT, "there is no rustc", MEND);
    };
    let number = |text: &str| -> Vec<u32> {
        let word =
            text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        word.unwrap_or_default().split(['.', '-']).map_while(|part| part.parse().ok()).collect()
    };
    if number(&version) < number(wanted) {
        return Finding::wrong(WHAT, format!("{version}, and {wanted} is needed"), MEND);
    }
    Finding::fine(WHAT, version)
}

fn rust_src(root: &Path) -> Finding {
    let sysroot = ask("rustc", &["--print", "sysroot"], root).unwrap_or_default();
    let sources = Path::new(&sysroot).join("lib/rustlib/src/rust/library/Cargo.toml");
    match sources.is_file() {
        true => Finding::fine("rust-src", "the standard library's sources are there"),
        false => Finding::wrong("rust-src", "not there", "`rustup component add rust-src`"),
    }
}

fn linker() -> Finding {
    match ask("cc", &["--version"], Path::new("/")) {
        Some(version) => Finding::fine("linker", version.lines().next().unwrap_or_default()),
        None => Finding::wrong(
            "linker",
            "there is no `cc`",
            "Debian: `apt install build-essential`; macOS: `xcode-select --install`",
        ),
    }
}

/// GB that a build from nothing takes, and one that is there.
const FROM_NOTHING: f64 = 8.;
const LATER: f64 = 1.;

fn disk(target: &Path) -> Finding {
    let built = target.join("vl").exists();
    let there = target.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let listed = ask("df", &["-Pk", "."], there).unwrap_or_default();
    let free =
        listed.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<f64>().ok());
    let Some(free) = free.map(|kilobytes| kilobytes / 1e6) else {
        return Finding::fine("disk", format!("{}: not known how much is free", there.display()));
    };
    let found = format!("{free:.0} GB are free for {}", target.display());
    let needed = if built { LATER } else { FROM_NOTHING };
    if free < needed {
        let mend =
            format!("make room: {needed} GB are needed; CARGO_TARGET_DIR names another place");
        return Finding::wrong("disk", found, mend);
    }
    Finding::fine("disk", found)
}

/// What a kernel's socket may be called, in bytes, with its folder.
const LONGEST_SOCKET: usize = 100;

fn temporary() -> Finding {
    let folder = std::env::temp_dir();
    let found = folder.display().to_string();
    let socket = folder.join("vl-kernel-1234567/talk");
    let mend = "set TMPDIR to a short path without spaces, in a folder of yours";
    if found.contains(char::is_whitespace) {
        return Finding::wrong("temporary folder", format!("{found} has a space"), mend);
    }
    if socket.as_os_str().len() > LONGEST_SOCKET {
        return Finding::wrong("temporary folder", format!("{found} is too long a path"), mend);
    }
    match tempfile::tempdir() {
        Ok(_) => Finding::fine("temporary folder", found),
        Err(error) => Finding::wrong("temporary folder", format!("{found}: {error}"), mend),
    }
}

fn jupyter() -> (Option<PathBuf>, Finding) {
    if !python::is_there() {
        let mend = "`cargo vl lab` makes an environment with Jupyter; or set VL_PYTHON to a Python that has it";
        return (None, Finding::wrong("Jupyter", "no Python with Jupyter is found", mend));
    }
    let versions = "import sys, jupyterlab, nbclient, nbconvert\n\
                    print('Python %d.%d' % sys.version_info[:2], 'JupyterLab', jupyterlab.__version__, 'nbclient', nbclient.__version__)";
    match python::find(None) {
        Ok(python) => match ask(&python.to_string_lossy(), &["-c", versions], Path::new("/")) {
            Some(found) => (
                Some(python.clone()),
                Finding::fine("Jupyter", format!("{found} ({})", python.display())),
            ),
            None => (
                None,
                Finding::wrong(
                    "Jupyter",
                    format!("{} cannot load it", python.display()),
                    "`pip install --upgrade jupyterlab nbclient nbconvert` there",
                ),
            ),
        },
        Err(error) => (
            None,
            Finding::wrong(
                "Jupyter",
                error.to_string(),
                "`cargo vl lab` makes an environment of its own",
            ),
        ),
    }
}

/// Whether a kernel's folder is whole and of this checkout.
fn kernelspec(what: &str, folder: &Path, root: &Path) -> Finding {
    const MEND: &str = "`cargo vl kernel install`";
    let read = |name: &str| -> Option<Value> {
        serde_json::from_str(&fs::read_to_string(folder.join(name)).ok()?).ok()
    };
    let place = folder.display();
    let Some(spec) = read("kernel.json") else {
        return Finding::wrong(what, format!("not installed in {place}"), MEND);
    };
    let program = spec["argv"][0].as_str().map(PathBuf::from).unwrap_or_default();
    if !program.is_file() {
        return Finding::wrong(what, format!("{} is gone", program.display()), MEND);
    }
    let Some(install) = read("install.json") else {
        return Finding::wrong(what, format!("{place} has no install.json"), MEND);
    };
    let path = |name: &str| install[name].as_str().map(PathBuf::from).unwrap_or_default();
    if path("workspace") != root {
        let other = path("workspace");
        let found = format!("it uses another checkout, {}", other.display());
        return Finding::wrong(what, found, format!("{MEND} makes it use this one"));
    }
    for (name, is) in [
        ("facade", "the compiled library"),
        ("deps", "the compiled dependencies"),
        ("rustc", "the compiler"),
    ] {
        if !path(name).exists() {
            return Finding::wrong(what, format!("{is} is gone: {}", path(name).display()), MEND);
        }
    }
    Finding::fine(what, place.to_string())
}

/// Starts a kernel, runs a cell, ends it.
const START: &str = "
import sys, time
from jupyter_client.manager import start_new_kernel
begun = time.monotonic()
manager, client = start_new_kernel(kernel_name='vision-language', startup_timeout=900)
said = []
reply = client.execute_interactive('use vision_language::prelude::*; let x = Tensor::zeros(3, DType::F32, &Device::Cpu)?;',
    timeout=900, output_hook=lambda m: said.append(str(m['content'].get('evalue') or m['content'].get('text') or '')))
took = time.monotonic() - begun
client.stop_channels(); manager.shutdown_kernel()
status = reply['content']['status']
print(f'{took:.1f} s to the first cell\\'s end' if status == 'ok' else ' '.join(said) or status)
sys.exit(status != 'ok')
";

fn start(python: &Path, jupyter: &Path) -> Finding {
    const WHAT: &str = "a start";
    let output = Command::new(python).args(["-c", START]).env("JUPYTER_PATH", jupyter).output();
    match output {
        Ok(output) => {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
            if output.status.success() {
                return Finding::fine(WHAT, text(&output.stdout));
            }
            let errors = text(&output.stderr);
            let last = errors.lines().last().unwrap_or_default();
            let found = format!("{} {last}", text(&output.stdout)).trim().to_owned();
            Finding::wrong(
                WHAT,
                found,
                "`cargo vl kernel install`, then look again; if it stays, report this",
            )
        }
        Err(error) => Finding::wrong(
            WHAT,
            error.to_string(),
            "`cargo vl lab` makes an environment with Jupyter",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_of_another_checkout_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let spec = folder.path();
        let root = Path::new("/here");
        assert!(kernelspec("k", spec, root).found.contains("not installed"));
        fs::write(spec.join("vl-kernel"), "").unwrap();
        let argv = json!({"argv": [spec.join("vl-kernel")]});
        fs::write(spec.join("kernel.json"), argv.to_string()).unwrap();
        fs::write(spec.join("install.json"), json!({"workspace": "/there"}).to_string()).unwrap();
        let finding = kernelspec("k", spec, root);
        assert!(finding.found.contains("/there") && finding.mend.is_some(), "{finding:?}");
        let whole =
            json!({"workspace": "/here", "facade": spec, "deps": spec, "rustc": "/no/rustc"});
        fs::write(spec.join("install.json"), whole.to_string()).unwrap();
        assert!(kernelspec("k", spec, root).found.contains("/no/rustc"));
    }

    #[test]
    fn this_machine_compiles_and_is_fine() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(rust(root).mend.is_none(), "{:?}", rust(root));
        assert!(disk(root).found.contains("GB"), "{:?}", disk(root));
    }
}
