//! A small course in a temporary folder.

use super::*;

const MASTER: &str = "//! # `half`: a half\n\nuse vision_language::prelude::*;\n\npub fn half(x: f64) -> f64 {\n    \
    // STUB todo!(\"half\")\n    // BEGIN SOLUTION\n    x / 2.\n    // END SOLUTION\n}\n";
const NOTEBOOK: &str = "# Halves\n\n<!-- statement: half -->\n\n```rust\n// exercise: half\n```\n\n```rust\ncheck::half(half)\n```\n";

fn course() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, content) in [
        ("solutions/src/half.rs", MASTER),
        ("solutions/src/lib.rs", "//! The masters.\n\npub mod half;\npub use half::half;\n"),
        ("solutions/notebooks/00_halves.md", NOTEBOOK),
    ] {
        write(&root.path().join(path), content).unwrap();
    }
    root
}

#[test]
fn what_is_made_holds_no_solution() {
    let root = course();
    let report = sync(root.path(), false).unwrap();
    assert_eq!(report.changed.len(), report.files);
    for path in &report.changed {
        let made = read(&root.path().join(path)).unwrap();
        let students = !path.starts_with("solutions");
        assert_eq!(made.contains("x / 2."), !students, "{}", path.display());
        assert!(!made.contains("SOLUTION") && !made.contains("// STUB"), "{}", path.display());
    }
    assert_eq!(sync(root.path(), true).unwrap().changed, Vec::<PathBuf>::new());
}

#[test]
fn a_notebook_is_one_that_jupyter_reads() {
    let root = course();
    sync(root.path(), false).unwrap();
    let text = read(&root.path().join("notebooks/00_halves.ipynb")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["metadata"]["kernelspec"]["name"], "vision-language");
    assert_eq!(json["cells"][0]["source"][2], "## Exercise `half`: a half");
    assert_eq!(json["cells"][1]["id"], "half");
    assert_eq!(json["cells"][1]["metadata"]["nbgrader"]["grade_id"], "half");
    assert_eq!(json["cells"][2]["outputs"], serde_json::json!([]));
    let checks = &json["cells"][2]["metadata"]["nbgrader"];
    assert_eq!((&checks["grade_id"], &checks["points"]), (&"half-checks".into(), &10.into()));
    assert_eq!((&checks["grade"], &checks["locked"]), (&true.into(), &true.into()));
    for (version, marks) in [(Version::Solved, false), (Version::Instructor, true)] {
        let made = notebooks(root.path(), &root.path().join("out"), version).unwrap();
        let text = read(&made[0]).unwrap();
        assert!(text.contains("x / 2.") && text.contains("BEGIN SOLUTION") == marks, "{text}");
    }
}

#[test]
fn a_stub_can_be_had_again() {
    let root = course();
    sync(root.path(), false).unwrap();
    assert!(stub(root.path(), "half").unwrap().unwrap().contains("todo!(\"half\")"));
    assert_eq!(stub(root.path(), "third").unwrap(), None);
}

#[test]
fn drift_is_named() {
    let root = course();
    sync(root.path(), false).unwrap();
    let master = root.path().join("solutions/src/half.rs");
    write(&master, &MASTER.replace("a half", "the half")).unwrap();
    let drift = sync(root.path(), true).unwrap().changed;
    let named = |path: &str| drift.contains(&PathBuf::from(path));
    assert!(named("exercises/src/half.rs") && named("notebooks/00_halves.ipynb"), "{drift:?}");
    let report = sync(root.path(), false).unwrap();
    assert_eq!(report.kept, Vec::<PathBuf>::new(), "nobody has edited them");
}

#[test]
fn a_students_work_is_kept() {
    let root = course();
    sync(root.path(), false).unwrap();
    let stub = root.path().join("exercises/src/half.rs");
    for (work, kept) in [("mine", "half.rs.bak"), ("mine, better", "half.rs.bak2")] {
        write(&stub, work).unwrap();
        let report = sync(root.path(), false).unwrap();
        assert_eq!(report.kept, [stub.with_file_name(kept)]);
        assert_eq!(read(&report.kept[0]).unwrap(), work);
        assert!(read(&stub).unwrap().contains("todo!"));
    }
}
