//! Exercises from outside: the kill matrix, and files that misbehave, through the path that `vl check` takes.

use std::path::Path;
use std::process::{Command, Output};

use course::bank::{Verdict, margins, rows};
use course::cmd::matrix::table;
use course::house::House;
use course::worker::Library;
use serde_json::Value;
use vision_language::exercise::exercises;
use vision_language::exercise::hint::misconceptions;

#[test]
fn every_wrong_solution_is_killed_by_the_check_that_names_it() {
    let house = House::find().unwrap();
    let library = Library::ready(&house).unwrap();
    let mut all = Vec::new();
    for exercise in exercises() {
        let rows = rows(&library, &house.root, exercise.id).unwrap();
        println!("{}", table(exercise.id, &rows));
        let wrong: Vec<String> = rows
            .iter()
            .filter_map(|row| row.wrong.as_ref().map(|why| format!("{}: {why}", row.name)))
            .collect();
        assert!(wrong.is_empty(), "{}:\n{}", exercise.id, wrong.join("\n"));
        let right = rows.iter().filter(|row| row.verdict == Verdict::Right).count();
        assert!(right >= 4, "{}: the master and {} others", exercise.id, right - 1);
        // A hint that no wrong solution leads to is one that nobody will see.
        for known in misconceptions(exercise.id) {
            let met = rows.iter().any(|row| {
                let names = row.report.checks.iter().filter_map(|c| c.misconception.as_deref());
                names.into_iter().any(|name| name == known.id)
            });
            assert!(met, "{}: nothing in the bank is `{}`", exercise.id, known.id);
        }
        all.extend(rows);
    }
    for margin in margins(&all) {
        let wide = margin.wrong.is_none_or(|wrong| wrong > 3. * margin.tolerance);
        assert!(3. * margin.right < margin.tolerance && wide, "{margin:?}");
    }
}

/// `vl check clip_loss` on a file with this body.
fn check(folder: &Path, body: &str) -> Output {
    let file = folder.join("clip_loss.rs");
    let code = format!(
        "use vision_language::prelude::*;\n\npub fn clip_loss(i: &Tensor, t: &Tensor, s: &Tensor) -> Result<Tensor> {{\n    \
         {body}\n}}\n"
    );
    std::fs::write(&file, code).unwrap();
    let mut vl = Command::new(env!("CARGO_BIN_EXE_vl"));
    vl.args(["check", "clip_loss", "--json", "--limit", "5", "--file"]).arg(&file);
    vl.output().expect("vl starts")
}

#[test]
fn a_file_that_misbehaves_is_named_and_ended() {
    let folder = tempfile::tempdir().unwrap();
    let forge = "let frame = [9u8, 0, 0, 0]; std::io::Write::write_all(&mut std::io::stdout(), &frame).unwrap(); \
                 println!(\"loss 0\"); Ok(s.clone())";
    for (status, body, word) in [
        ("panic", "panic!(\"index 7\")", "index 7"),
        ("timed_out", "loop {}", "endless loop"),
        ("died", "std::process::exit(0)", "process ended"),
        (
            "died",
            "fn f(n: u64) -> u64 { std::hint::black_box(f(n + 1) + 1) } f(0); Ok(s.clone())",
            "stack",
        ),
        ("shape", "Ok(i.clone())", "(3, 4)"),
        ("not_finite", "Ok((s * f64::NAN)?)", "NaN"),
        ("error", "Ok(i.matmul(t)?)", "matmul"),
        ("not_yet", "todo!()", ""),
        // What it prints is no answer.
        ("wrong", forge, ""),
    ] {
        let output = check(folder.path(), body);
        let said = String::from_utf8_lossy(&output.stderr);
        let json: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
        let checks = json["exercises"][0]["report"]["checks"].as_array().unwrap();
        let found = checks.iter().find(|c| c["status"] != "passed").unwrap();
        assert_eq!(found["status"], status, "{body}: {found}");
        assert!(found["came"].as_str().unwrap().contains(word), "{body}: {found}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn a_file_that_does_not_compile_is_told_by_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let output = check(folder.path(), "let x: usize = \"one\";\n    Ok(s.clone())");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mistakes = &json["exercises"][0]["mistakes"];
    assert_eq!(
        (&json["exercises"][0]["status"], &mistakes["errors"]),
        (&"mistakes".into(), &1.into())
    );
    assert!(mistakes["place"].as_str().unwrap().ends_with("clip_loss.rs:4"), "{mistakes}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_wrong_id_is_a_wrong_call() {
    let mut vl = Command::new(env!("CARGO_BIN_EXE_vl"));
    let output = vl.args(["hint", "clip_los"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("clip_loss"));
}

#[test]
fn the_students_copy_has_no_solution_and_a_planted_one_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let release = |scan_only: bool| {
        let mut vl = Command::new(env!("CARGO_BIN_EXE_vl"));
        vl.arg("release").arg("--out").arg(&copy).arg("--json");
        if scan_only {
            vl.arg("--scan-only");
        }
        vl.output().unwrap()
    };
    let output = release(false);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for there in ["Cargo.toml", "notebooks/02_clip.ipynb", "exercises/stubs.json", "data/README.md"]
    {
        assert!(copy.join(there).is_file(), "{there}");
    }
    // Two lines of the master, in a note that nobody would look into.
    let lines = "let image_embeddings = l2_normalize(image_embeddings)?;\n  let text_embeddings =l2_normalize(text_embeddings)?;";
    std::fs::write(copy.join("docs/notes.txt"), lines).unwrap();
    let output = release(true);
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["leaks"][0]["path"], "docs/notes.txt", "{found}");
}
