//! `vl run` on small notebooks: what runs, and what must not pass for running. Needs a Python with Jupyter.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// Runs a notebook of these cells; `None`, and a word about it, where there is no Jupyter.
fn run(folder: &Path, name: &str, cells: &[&str]) -> Option<Output> {
    if !course::jupyter::python::is_there() {
        eprintln!("SKIPPED: no Python with Jupyter here (VL_PYTHON, or `cargo vl lab` makes one)");
        return None;
    }
    let cells: Vec<Value> = cells
        .iter()
        .enumerate()
        .map(|(i, source)| {
            json!({"cell_type": "code", "id": format!("c{i}"), "metadata": {}, "execution_count": null,
                "outputs": [], "source": source})
        })
        .collect();
    let notebook = json!({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {
        "kernelspec": {"name": "vision-language", "display_name": "Rust", "language": "rust"}}});
    let path = folder.join(format!("{name}.ipynb"));
    std::fs::write(&path, notebook.to_string()).expect("a writable folder");
    let mut vl = Command::new(env!("CARGO_BIN_EXE_vl"));
    vl.arg("run").arg(&path).arg("--json").arg("--out").arg(folder.join("out"));
    Some(vl.output().expect("vl starts"))
}

fn outcome(output: &Output) -> Value {
    let outcomes: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    outcomes["notebooks"][0].clone()
}

#[test]
fn three_cells_run_and_leave_a_picture_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let cells = [
        "use vision_language::prelude::*;\nlet x = Tensor::zeros(3, DType::F32, &Device::Cpu)?;",
        "let picture = Picture::from_image(&RgbImage::new(4, 4), \"black\")?;\nx.dims().len()",
        "picture",
    ];
    let Some(output) = run(folder.path(), "good", &cells) else { return };
    let outcome = outcome(&output);
    assert_eq!(outcome["failure"], Value::Null);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(outcome["pictures"], 1);
    let executed = std::fs::read_to_string(folder.path().join("out/good.ipynb")).unwrap();
    assert!(executed.contains("image/png"));
    let page = std::fs::read_to_string(folder.path().join("out/index.html")).unwrap();
    assert!(page.contains("data:image/png;base64,"));
}

#[test]
fn what_evcxr_calls_success_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, cell, word) in [
        ("panic", "todo!(\"the hole\")", "the hole"),
        ("error", "std::fs::read(\"/no/such/file\")?;", "No such file"),
        ("error", "let n: usize = \"one\";", "expected `usize`"),
        ("error", "std::process::abort();", "signal"),
    ] {
        let cells = ["let fine = 1;", cell, "println!(\"never\");"];
        let Some(output) = run(folder.path(), "bad", &cells) else { return };
        let failure = &outcome(&output)["failure"];
        assert_eq!((&failure["cell"], &failure["kind"]), (&json!(2), &json!(kind)), "{failure}");
        assert!(failure["message"].as_str().is_some_and(|text| text.contains(word)), "{failure}");
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("cell 2: ") && !told.contains("never"), "{told}");
    }
}

#[test]
fn a_wrong_call_is_told_from_failed_work() {
    let folder = tempfile::tempdir().unwrap();
    let mut vl = Command::new(env!("CARGO_BIN_EXE_vl"));
    let output = vl.args(["run", "no.ipynb", "--out"]).arg(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no.ipynb"));
}
