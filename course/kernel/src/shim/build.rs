//! A cell, compiled by one call of rustc against the library as one dynamic library.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::install::Install;
use crate::metadata::LIBRARY;
use crate::session::variable;
use crate::shim::first::First;
use crate::shim::spare;

/// What evcxr calls a cell's crate.
const CRATE: &str = "ctx";

/// Compiles the cell and answers as cargo does with `--message-format=json`.
pub fn build(install: &Install, cell: &Path, link: bool) -> Result<ExitCode> {
    let manifest = fs::read_to_string(cell.join("Cargo.toml"))?;
    let source = fs::read_to_string(cell.join("src/lib.rs"))?;
    let mut compiled = sharing_store(&source).unwrap_or_else(|| source.clone());
    if let Some(telling) = telling_where(&compiled) {
        compiled = telling;
    }
    if compiled != source {
        fs::write(cell.join("src/lib.rs"), &compiled)?;
    }
    let mut stdout = std::io::stdout().lock();
    if let Some(missing) = install.missing()
        && compiled.contains("vision_language")
    {
        writeln!(stdout, "{}", message(&plain_error(&missing), cell))?;
        return Ok(ExitCode::FAILURE);
    }
    let out = cell.join("target").join(&install.host).join("debug");
    fs::create_dir_all(&out)?;
    let optimisation = optimisation(&manifest);
    let first = First::of(&source, optimisation, link);
    let (lines, success) = match first.as_ref().and_then(|first| first.recall(&out)) {
        Some(known) => known,
        None => {
            let place = |name: &str| std::env::var_os(name).map(PathBuf::from).unwrap_or_default();
            let spare = link
                .then(|| spare::compile(&place(variable::SESSION), &compiled, optimisation, &out));
            let done = match spare.flatten() {
                Some(done) => done,
                None => {
                    let (kernel, source) = (place(variable::INSTALL), Path::new("src/lib.rs"));
                    compile(rustc(install, &kernel, cell, source, &out, link, optimisation))?
                }
            };
            if let Some(first) = &first {
                first.keep(&done, &out);
            }
            done
        }
    };
    let mut rebuilt = false;
    for line in &lines {
        rebuilt |= STALE.iter().any(|code| line.contains(code));
        writeln!(stdout, "{}", message(line, cell))?;
    }
    if rebuilt {
        let text = "the library was rebuilt while this kernel ran: restart the kernel \
                    (and run `cargo vl lab` if that does not help)";
        writeln!(stdout, "{}", message(&plain_error(text), cell))?;
    }
    if !success {
        writeln!(stdout, "{}", json!({"reason": "build-finished", "success": false}))?;
        return Ok(ExitCode::FAILURE);
    }
    if link {
        writeln!(stdout, "{}", artifact(cell, &out.join(library_name())))?;
    }
    writeln!(stdout, "{}", json!({"reason": "build-finished", "success": true}))?;
    Ok(ExitCode::SUCCESS)
}

/// The module that evcxr writes into every cell, instead of which the library's own is taken: lines stay where they are.
fn sharing_store(source: &str) -> Option<String> {
    let (before, rest) = source.split_once("mod evcxr_internal_runtime {")?;
    const LAST: &str = "Box::into_raw(Box::new(VariableStore::new()))\n}";
    let (module, after) = rest.split_once(LAST)?;
    let (blank, after) = after.split_once('}')?;
    // evcxr's way to run futures has a function more.
    if after.contains("lazy_arc(") || !blank.trim().is_empty() {
        return None;
    }
    let lines =
        module.matches('\n').count() + LAST.matches('\n').count() + blank.matches('\n').count();
    let lines = "\n".repeat(lines);
    Some(format!("{before}use vision_language::evcxr_internal_runtime;{lines}{after}"))
}

/// What goes before the line's number where a `?` has met an error: the last line that the cell says on standard error.
pub const AT: &str = "\u{1e}at ";

/// evcxr's conversion of errors, with the place of the `?` told behind the error: lines stay where they are.
fn telling_where(source: &str) -> Option<String> {
    let conversion = source.find("> From<T> for EvcxrUserCodeError {")?;
    let (before, rest) = source.split_at(conversion);
    let (head, body) = rest.split_once("fn from(error: T) -> Self {")?;
    let (print, after) = body.split_once(", error);")?;
    Some(format!(
        "{before}{head}#[track_caller] fn from(error: T) -> Self {{{print}, error); \
         eprintln!(\"\\u{{1e}}at {{}}\", std::panic::Location::caller().line());{after}"
    ))
}

/// What rustc says, a JSON object a line, and whether it succeeded.
fn compile(mut rustc: Command) -> Result<(Vec<String>, bool)> {
    let begun = Instant::now();
    let spawned = rustc.stderr(Stdio::piped()).spawn();
    let mut child =
        spawned.with_context(|| format!("{} does not start", rustc.get_program().display()))?;
    let diagnostics = child.stderr.take().context("no pipe to rustc")?;
    let mut lines = Vec::new();
    for line in BufReader::new(diagnostics).lines() {
        let line = line?;
        if line.starts_with('{') {
            lines.push(line);
        } else {
            eprintln!("{line}");
        }
    }
    let success = child.wait()?.success();
    record(begun.elapsed());
    Ok((lines, success))
}

/// Writes down how long a call of the compiler took, for a bench that asks.
pub(super) fn record(time: Duration) {
    if let Some(path) = std::env::var_os(TIMES)
        && let Ok(mut times) = fs::OpenOptions::new().create(true).append(true).open(path)
    {
        let _ = writeln!(times, "{}", time.as_secs_f64());
    }
}

/// The file for the seconds of each call of rustc, a line each: `benches/kernel.py` asks for them.
const TIMES: &str = "VL_BENCH_RUSTC";

/// The compiler's words for "this library does not fit the one that it was compiled with".
const STALE: &[&str] = &["\"E0460\"", "\"E0462\"", "\"E0463\"", "\"E0514\""];

/// The compiler for a cell's `source` in `folder`; `kernel` is the kernel's folder.
pub(super) fn rustc(
    install: &Install,
    kernel: &Path,
    folder: &Path,
    source: &Path,
    out: &Path,
    link: bool,
    optimisation: &str,
) -> Command {
    let mut rustc = Command::new(&install.rustc);
    rustc
        .current_dir(folder)
        .args(["--crate-name", CRATE, "--edition=2024", "--crate-type", "cdylib"])
        .arg(source)
        .args(["--error-format=json", "--json=diagnostic-rendered-ansi"])
        .args(["-C", "debug-assertions=on", "-C", "overflow-checks=on", "-C", "prefer-dynamic"])
        .arg("-C")
        .arg(format!("opt-level={optimisation}"))
        .arg("--out-dir")
        .arg(out);
    if link {
        rustc.arg("--emit=link");
        for folder in
            [install.facade.parent(), Some(install.libdir.as_path())].into_iter().flatten()
        {
            rustc.arg("-C").arg(format!("link-arg=-Wl,-rpath,{}", folder.display()));
        }
    } else {
        rustc.arg("--emit=metadata");
    }
    if install.facade.exists() {
        rustc.arg("--extern").arg(format!("vision_language={}", install.facade.display()));
        let known = crate::install::dependencies(kernel);
        let dependencies = if known.is_dir() { &known } else { &install.deps };
        rustc.arg("-L").arg(format!("dependency={}", dependencies.display()));
    }
    rustc
}

/// The `opt-level` that evcxr wrote into the cell's manifest (its command `:opt`).
fn optimisation(manifest: &str) -> &str {
    let line = manifest.lines().find_map(|line| line.trim().strip_prefix("opt-level"));
    line.map_or("2", |line| line.trim_start_matches([' ', '=']).trim_matches(['"', ' ']))
}

/// The packages under `[dependencies]` in a manifest that evcxr wrote: one a line.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    manifest
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[dependencies]")
        .skip(1)
        .filter_map(|line| Some(line.split_once('=')?.0.trim()))
}

/// Cells are compiled without cargo, so a crate that is not in the library cannot be added.
pub fn refuse_other_dependencies(cell: &Path) -> Result<()> {
    let manifest = fs::read_to_string(cell.join("Cargo.toml"))?;
    if let Some(other) = dependencies(&manifest).find(|name| *name != LIBRARY) {
        bail!(
            "this kernel has vision-language and what it re-exports (candle_core, candle_nn); `{other}` cannot be \
             added. For other crates use a stock evcxr kernel."
        );
    }
    Ok(())
}

/// The file name of a compiled cell.
pub fn library_name() -> PathBuf {
    PathBuf::from(format!(
        "{}{CRATE}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    ))
}

fn target(cell: &Path) -> Value {
    json!({
        "kind": ["cdylib"], "crate_types": ["cdylib"], "name": CRATE, "src_path": cell.join("src/lib.rs"),
        "edition": "2024", "doc": true, "doctest": false, "test": true,
    })
}

/// A diagnostic of rustc, one JSON object, in cargo's wrapping.
fn message(diagnostic: &str, cell: &Path) -> String {
    let mut wrapped = json!({
        "reason": "compiler-message",
        "package_id": format!("path+file://{}#{CRATE}@1.0.0", cell.display()),
        "manifest_path": cell.join("Cargo.toml"),
        "target": target(cell),
    })
    .to_string();
    wrapped.truncate(wrapped.len() - 1);
    format!("{wrapped},\"message\":{diagnostic}}}")
}

/// An error that is no compiler's, as a diagnostic without a place.
fn plain_error(text: &str) -> String {
    let rendered = format!("error: {text}\n");
    json!({"$message_type": "diagnostic", "message": text, "code": null, "level": "error", "spans": [],
        "children": [], "rendered": rendered})
    .to_string()
}

fn artifact(cell: &Path, library: &Path) -> Value {
    json!({
        "reason": "compiler-artifact",
        "package_id": format!("path+file://{}#{CRATE}@1.0.0", cell.display()),
        "manifest_path": cell.join("Cargo.toml"),
        "target": target(cell),
        "profile": {"opt_level": "2", "debuginfo": 0, "debug_assertions": true, "overflow_checks": true, "test": false},
        "features": [], "filenames": [library], "executable": null, "fresh": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "
[package]
name = \"ctx\"

[profile.dev]
opt-level = 2
debug = false

[dependencies]
vision-language = {path = \"/w\"}
";

    #[test]
    fn a_diagnostic_keeps_its_own_words_in_cargos_wrapping() {
        let diagnostic = r#"{"$message_type":"diagnostic","message":"mismatched types","spans":[{"line_start":7}]}"#;
        let wrapped: Value =
            serde_json::from_str(&message(diagnostic, Path::new("/tmp/k"))).unwrap();
        assert_eq!(wrapped["reason"], "compiler-message");
        assert_eq!(wrapped["target"]["name"], "ctx");
        assert_eq!(wrapped["message"], serde_json::from_str::<Value>(diagnostic).unwrap());
    }

    #[test]
    fn an_error_tells_where_it_was_met() {
        let evcxrs = "struct EvcxrUserCodeError {}\n            impl<T: Debug> From<T> for EvcxrUserCodeError {\n                \
             fn from(error: T) -> Self {\n                    eprintln!(\"{:?}\", error);\n                    println!(\"x\");";
        let telling = telling_where(evcxrs).unwrap();
        assert_eq!(telling.lines().count(), evcxrs.lines().count());
        assert!(telling.contains("#[track_caller] fn from(error: T)"), "{telling}");
        let told = r#"eprintln!("{:?}", error); eprintln!("\u{1e}at {}", std::panic::Location::caller().line());"#;
        assert!(telling.contains(told), "{telling}");
        assert_eq!(telling_where("fn main() {}"), None);
    }

    #[test]
    fn the_librarys_store_takes_the_place_of_the_cells() {
        let cell = "use a;\nmod evcxr_internal_runtime {\n// docs\npub fn create_variable_store() -> *mut VariableStore {\n    \
                    Box::into_raw(Box::new(VariableStore::new()))\n}\n\n}\n#[unsafe(no_mangle)]\nfn run() {}\n";
        let sharing = sharing_store(cell).unwrap();
        assert_eq!(sharing.lines().count(), cell.lines().count());
        assert_eq!(sharing.lines().position(|line| line == "fn run() {}"), Some(9));
        assert!(sharing.contains("use vision_language::evcxr_internal_runtime;"), "{sharing}");
        assert_eq!(sharing_store("fn run() {}"), None);
    }

    #[test]
    fn a_plain_error_is_a_diagnostic_without_a_place() {
        let error: Value = serde_json::from_str(&plain_error("the \"library\" is gone")).unwrap();
        assert_eq!(error["message"], "the \"library\" is gone");
        assert_eq!(error["level"], "error");
        assert_eq!(error["spans"], json!([]));
    }

    #[test]
    fn evcxr_finds_the_library_that_an_artifact_names() {
        let artifact = artifact(Path::new("/tmp/k"), &Path::new("/tmp/k/out").join(library_name()));
        assert_eq!(artifact["reason"], "compiler-artifact");
        assert_eq!(artifact["target"]["name"], "ctx");
        let file = artifact["filenames"][0].as_str().unwrap();
        assert!(file.starts_with("/tmp/k/out/") && file.contains("ctx."), "{file}");
    }

    #[test]
    fn the_manifest_says_the_optimisation_and_the_dependencies() {
        assert_eq!(optimisation(MANIFEST), "2");
        assert_eq!(optimisation("opt-level = \"s\""), "s");
        assert_eq!(optimisation("[package]"), "2");
        assert_eq!(dependencies(MANIFEST).collect::<Vec<_>>(), ["vision-language"]);
    }

    #[test]
    fn only_the_library_can_be_a_dependency() {
        let cell = tempfile::tempdir().unwrap();
        fs::write(cell.path().join("Cargo.toml"), MANIFEST).unwrap();
        refuse_other_dependencies(cell.path()).unwrap();
        fs::write(cell.path().join("Cargo.toml"), format!("{MANIFEST}regex = \"1\"\n")).unwrap();
        let error = refuse_other_dependencies(cell.path()).unwrap_err().to_string();
        assert!(error.contains("`regex`"), "{error}");
    }
}
