//! A class through `vl grade`: every known solution, right and wrong, has the points in its cage that the checks give it in
//! `vl matrix`; and a run that is killed goes on where it was.
//!
//! `VL_CLASS=200` makes it a class of two hundred, with times.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use course::bank::{entries, rows};
use course::house::House;
use course::worker::Library;
use serde_json::Value;
use vision_language::exercise::exercises;

type Points = BTreeMap<String, u64>;

#[test]
fn a_class_has_the_points_of_the_matrix() {
    let house = House::find().unwrap();
    let library = Library::ready(&house).unwrap();
    let place = tempfile::tempdir().unwrap();
    let class = place.path().join("class");
    let (mut banks, mut known) = (Vec::new(), BTreeMap::new());
    for exercise in exercises() {
        for row in rows(&library, &house.root, exercise.id).unwrap() {
            known.insert((exercise.id, row.name.clone()), u64::from(row.report.points()));
        }
        banks.push((exercise.id, entries(&house.root, exercise.id).unwrap()));
    }
    let all = banks.iter().map(|(_, bank)| bank.len()).max().unwrap();
    let size = std::env::var("VL_CLASS").ok().and_then(|n| n.parse().ok()).unwrap_or(all);
    let mut expected: BTreeMap<String, Points> = BTreeMap::new();
    for student in 0..size {
        let name = format!("student{student:04}");
        let folder = class.join(&name).join("exercises");
        fs::create_dir_all(&folder).unwrap();
        let mut points = Points::new();
        for (place, (id, bank)) in banks.iter().enumerate() {
            // The first round has each entry once, later ones other combinations.
            let entry = &bank[(student + student / all * (place + 1)) % bank.len()];
            // In larger classes every ninth file does not compile.
            let broken = size > all && (student + place) % 9 == 8;
            let code = if broken { entry.code.clone() + "}\n" } else { entry.code.clone() };
            fs::write(folder.join(format!("{id}.rs")), code).unwrap();
            points.insert((*id).into(), if broken { 0 } else { known[&(*id, entry.name.clone())] });
        }
        expected.insert(name, points);
    }

    let out = place.path().join("out");
    let mut killed = grade(&class, &out).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let graded = || fs::read_dir(out.join("submissions")).into_iter().flatten().count();
    while graded() < size / 2 && begun.elapsed() < Duration::from_secs(1800) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let half = begun.elapsed();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let said = grade(&class, &out).output().unwrap();
    let words = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{words}");
    println!(
        "half in {half:.0?}, all in {:.0?}: {}",
        begun.elapsed(),
        words.lines().last().unwrap_or_default()
    );
    // Some were there, and the one that was cut off was graded again.
    let unchanged: usize = words.lines().filter(|line| line.contains(", unchanged (")).count();
    assert!(unchanged > 0 && unchanged < size, "{unchanged} of {size} unchanged");

    let mut wrong = Vec::new();
    for (name, points) in &expected {
        let grade: Value = json(&out.join("submissions").join(name).join("results.json"));
        for (id, points) in points {
            let tests = grade["tests"].as_array().unwrap().iter();
            let seen =
                tests.filter(|t| t["tags"][0] == id.as_str() && t["visibility"] == "visible");
            let came: u64 = seen.map(|t| t["score"].as_u64().unwrap()).sum();
            if came != *points {
                wrong.push(format!("{name}, {id}: {came}, the matrix says {points}"));
            }
            let hidden = |key: &str| -> u64 {
                let tests = grade["tests"].as_array().unwrap().iter();
                let of =
                    tests.filter(|t| t["tags"][0] == id.as_str() && t["visibility"] == "hidden");
                of.map(|t| t[key].as_u64().unwrap()).sum()
            };
            if *points == 10 && hidden("score") != hidden("max_score") {
                wrong.push(format!("{name}, {id}: right, but not on hidden inputs"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(fs::read_to_string(out.join("grades.csv")).unwrap().lines().count(), size + 1);
    assert!(
        fs::read_to_string(out.join("report.html")).unwrap().contains("data:image/png;base64,")
    );
}

#[test]
fn parts_of_a_class_make_the_whole() {
    let house = House::find().unwrap();
    let place = tempfile::tempdir().unwrap();
    let class = place.path().join("class");
    for (student, entry) in entries(&house.root, "perplexity").unwrap().iter().take(7).enumerate() {
        let folder = class.join(format!("student{student}")).join("exercises");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("perplexity.rs"), &entry.code).unwrap();
    }
    let run = |out: &Path, more: &[&str]| {
        let done =
            grade(&class, out).args(["--exercise", "perplexity"]).args(more).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let whole = place.path().join("whole");
    run(&whole, &[]);
    let parts: Vec<_> = (0..3).map(|i| place.path().join(format!("part{i}"))).collect();
    for (i, part) in parts.iter().enumerate() {
        run(part, &["--shard", &format!("{i}/3")]);
    }
    let merge = |parts: &[std::path::PathBuf], out: &Path| {
        let mut merge = Command::new(env!("CARGO_BIN_EXE_solutions"));
        merge.args(["grade", "--merge"]).args(parts).arg("--out").arg(out).output().unwrap()
    };
    let merged = place.path().join("merged");
    assert!(merge(&parts, &merged).status.success());
    // Seconds differ; what comes before them does not.
    let table = |out: &Path| -> Vec<String> {
        let text = fs::read_to_string(out.join("grades.csv")).unwrap();
        let line = |line: &str| line.rsplitn(3, ',').last().unwrap().to_string();
        text.lines().map(line).collect()
    };
    assert_eq!(table(&whole), table(&merged));
    assert_eq!(table(&merged).len(), 8);
    assert!(
        merged.join("submissions/student3/feedback.html").exists(),
        "the report's links lead there"
    );
    // Somebody scores an answer in words.
    let written = merged.join("written.csv");
    let text = fs::read_to_string(&written).unwrap();
    let scored = text.replacen(",5,,\"\"", ",5,3,\"why?\"", 1);
    assert_ne!(text, scored, "{text}");
    fs::write(&written, scored).unwrap();
    assert!(merge(std::slice::from_ref(&merged), &merged).status.success());
    assert!(fs::read_to_string(merged.join("grades.csv")).unwrap().contains(",3,"));
    // Another seed is another run.
    let other = place.path().join("other");
    run(&other, &["--seed", "9"]);
    let refused = merge(&[whole, other], &merged);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("merge only parts of one run"));
}

fn grade(class: &Path, out: &Path) -> Command {
    let mut grade = Command::new(env!("CARGO_BIN_EXE_solutions"));
    grade.arg("grade").arg(class).arg("--out").arg(out).args(["--jobs", "2"]);
    grade
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}
