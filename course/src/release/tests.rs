//! A small course, its copy, and leaks planted into it.

use super::*;

const MASTER: &str = "//! # `half`: a half\n\nuse vision_language::prelude::*;\n\npub fn half(number: f64) -> f64 {\n    \
    // STUB todo!(\"half\")\n    // BEGIN SOLUTION\n    let divided_by_two = number.clamp(0.0, 9.0) / 2.0;\n    \
    let rounded = divided_by_two.mul_add(1e6, 0.5).floor();\n    return rounded.max(f64::MIN);\n    // END SOLUTION\n}\n";
const SECRET: &str = "    let divided_by_two = number.clamp(0.0, 9.0) / 2.0;\n    let rounded = divided_by_two.mul_add(1e6, 0.5).floor();\n    return rounded.max(f64::MIN);\n";
const WRONG: &str = "//! killed by: value, as doubled\n\n    let twice_as_much = number * 2.0;\n    \
    return twice_as_much.max(f64::MIN);\n";

fn course() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| write(&root.path().join(path), text).unwrap();
    put("solutions/src/half.rs", MASTER);
    put("solutions/src/lib.rs", "//! The masters.\n\npub mod half;\n");
    put("solutions/misconceptions/half/doubled.rs", WRONG);
    put("solutions/notebooks/00_halves.md", "# Halves\n\n```rust\n// exercise: half\n```\n");
    put("tests/half.rs", SECRET);
    put("README.md", "# Halves\n");
    put(
        "Cargo.toml",
        "[workspace]\nmembers = [\"facade\", \"exercises\", \"solutions\"]\n\n[[bench]]\nname = \"b\"\n\n[x]\ny = 1\n\n[profile.dev.package]\nexercises = { opt-level = 1 }\nsolutions = { opt-level = 1 }\n",
    );
    put(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1\"\n\n[[package]]\nname = \"solutions\"\nversion = \"1\"\n",
    );
    crate::sync::sync(root.path(), false).unwrap();
    fs::create_dir_all(root.path().join("data")).unwrap();
    fs::write(root.path().join("data/model.pt"), [0xff, 0xfe, 0]).unwrap();
    root
}

fn copied(root: &Path) -> tempfile::TempDir {
    let out = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        assert!(
            Command::new("git")
                .args(arguments)
                .current_dir(root)
                .output()
                .unwrap()
                .status
                .success()
        );
    };
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    copy(root, &files(root).unwrap(), out.path()).unwrap();
    out
}

#[test]
fn a_copy_has_no_solution_and_names_no_missing_package() {
    let root = course();
    let out = copied(root.path());
    assert_eq!(scan(root.path(), out.path()).unwrap(), []);
    assert!(out.path().join("exercises/src/half.rs").is_file());
    assert!(!out.path().join("solutions").exists() && !out.path().join("tests").exists());
    let manifest = read(&out.path().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("members = [\"facade\", \"exercises\"]"), "{manifest}");
    assert!(manifest.contains("exercises = {") && !manifest.contains("solutions"), "{manifest}");
    assert!(!manifest.contains("bench") && manifest.contains("[x]"), "{manifest}");
    let lock = read(&out.path().join("Cargo.lock")).unwrap();
    assert!(lock.contains("\"a\"") && !lock.contains("solutions"), "{lock}");
}

#[test]
fn every_planted_leak_is_found() {
    let root = course();
    let ipynb = "notebooks/00_halves.ipynb";
    let encoded = "ICAgIGxldCBkaXZpZGVkX2J5X3R3byA9IG51bWJlci5jbGFtcCgwLjAsIDkuMCkgLyAyLjA7CiAgICBsZXQgcm91bmRlZCA9IGRpdmlkZWRfYnlfdHdvLm11bF9hZGQoMWU2LCAwLjUpLmZsb29yKCk7CiAgICByZXR1cm4gcm91bmRlZC5tYXgoZjY0OjpNSU4pOwo=";
    let plant = |path: &str, text: &str| (path.to_string(), text.to_string());
    let json = |text: &str| serde_json::Value::from(text).to_string();
    let cell = |more: &str| {
        format!(
            "{{\"cells\": [{{\"cell_type\": \"code\", \"metadata\": {{}}, {more}}}], \"metadata\": {{}}}}"
        )
    };
    let planted = [
        plant("src/other.rs", SECRET),
        plant("src/respaced.rs", &SECRET.replace("    ", "\t").replace(" = ", "=")),
        plant("src/renamed.rs", &SECRET.replace("divided_by_two", "x").replace("rounded", "y")),
        plant("notes.md", &format!("Look:\n{SECRET}")),
        plant("src/wrong.rs", WRONG.split_once("\n\n").unwrap().1),
        plant("exercises/src/half.rs", &MASTER.replace("// STUB ", "")),
        plant(ipynb, &cell(&format!("\"outputs\": [], \"source\": {}", json(SECRET)))),
        plant(ipynb, &cell("\"outputs\": [{\"text\": \"1.5\"}], \"source\": \"\"")),
        plant(
            ipynb,
            &cell(&format!("\"attachments\": {{\"a.txt\": {{\"text/plain\": \"{encoded}\"}}}}")),
        ),
        plant(ipynb, &cell("\"execution_count\": 3, \"source\": \"\"")),
        plant(
            ipynb,
            &format!("{{\"cells\": [], \"metadata\": {{\"solution\": {}}}}}", json(SECRET)),
        ),
        plant("data/notes.json", &format!("{{\"x\": {}}}", json(SECRET))),
        plant("data/encoded.json", &format!("{{\"x\": \"{encoded}\"}}")),
        plant("solutions/README.md", "empty"),
        plant(".git/HEAD", "ref: refs/heads/main"),
        plant("target/debug/half.d", "half"),
        plant("exercises/src/half.rs.bak", "mine"),
    ];
    for (path, text) in planted {
        let out = copied(root.path());
        write(&out.path().join(&path), &text).unwrap();
        let leaks = scan(root.path(), out.path()).unwrap();
        let first = path.split('/').next().unwrap();
        assert!(
            leaks.iter().any(|leak| leak.path.starts_with(first)),
            "{path}:\n{text}\n{leaks:?}"
        );
    }
    let out = copied(root.path());
    fs::write(out.path().join("data/model.pt"), [0xff, 0xfe, 1]).unwrap();
    assert_eq!(scan(root.path(), out.path()).unwrap().len(), 1);
}
