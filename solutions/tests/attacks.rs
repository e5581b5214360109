//! Hostile submissions through `vl grade`: no points, no escape, and who comes next is graded right.
#![cfg(target_os = "linux")]

#[path = "attacks/list.rs"]
mod list;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const HEAD: &str = "use vision_language::prelude::*;\n";
const SIGNATURE: &str = "pub fn clip_loss(i: &Tensor, t: &Tensor, s: &Tensor) -> Result<Tensor>";

#[test]
fn no_attack_gains_anything() {
    let place = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let class = place.path().join("class");
    let (secret, target) = (place.path().join("secret"), place.path().join("target"));
    fs::write(&secret, "vl-secret").unwrap();
    let master = root.join("solutions/src/clip_loss.rs");
    let solution = fs::read_to_string(&master).unwrap();
    let put = |name: &str, code: &str| {
        let folder = class.join(name).join("exercises");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("clip_loss.rs"), code).unwrap();
    };
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    let other = class.join("y_honest/exercises/clip_loss.rs");
    let fill = |code: &str| {
        let wrong = format!("{SIGNATURE} {{ let _ = (t, s); Ok(i.clone()) }}");
        let solved =
            solution.split("pub fn").last().unwrap().replacen(" clip_loss", "fn solved", 1);
        let parens = "(".repeat(50_000) + "1" + &")".repeat(50_000);
        code.replace("SECRET", &quoted(&secret))
            .replace("TARGET", &quoted(&target))
            .replace("MASTER", &quoted(&master))
            .replace("OTHER", &quoted(&other))
            .replace("PARENS", &parens)
            .replace("PARENT", &std::process::id().to_string())
            .replace("WRONG", &wrong)
            .replace("SOLVED", &solved)
    };
    for (name, body) in list::BODIES {
        put(
            name,
            &format!("{HEAD}{SIGNATURE} {{ let _ = (t, s); {} ; Ok(i.clone()) }}\n", fill(body)),
        );
    }
    for (name, file) in list::FILES {
        put(name, &format!("{HEAD}{}\n", fill(file)));
    }
    // Files that are none.
    fs::create_dir_all(class.join("link/exercises")).unwrap();
    std::os::unix::fs::symlink(&master, class.join("link/exercises/clip_loss.rs")).unwrap();
    fs::write(class.join("no_zip.zip"), "PK, or so").unwrap();
    let script = "import sys, zipfile, stat\nz = zipfile.ZipFile(sys.argv[1] + '/zip_slip.zip', 'w')\n\
                  z.writestr('../y_honest/exercises/clip_loss.rs', 'x')\nz.close()\n\
                  z = zipfile.ZipFile(sys.argv[1] + '/zip_link.zip', 'w')\ni = zipfile.ZipInfo('clip_loss.rs')\n\
                  i.external_attr = (stat.S_IFLNK | 0o777) << 16\nz.writestr(i, sys.argv[2])\nz.close()\n\
                  z = zipfile.ZipFile(sys.argv[1] + '/zip_bomb.zip', 'w', zipfile.ZIP_DEFLATED)\n\
                  z.writestr('clip_loss.rs', b'0' * (300 << 20))\nz.close()\n";
    let made =
        Command::new("python3").args(["-c", script]).arg(&class).arg(&master).status().unwrap();
    assert!(made.success());
    put("a_honest", &solution);
    put("y_honest", &solution);
    put("zz_honest", &solution);

    let out = place.path().join("out");
    let mut grade = Command::new(env!("CARGO_BIN_EXE_solutions"));
    grade.arg("grade").arg(&class).arg("--out").arg(&out).args([
        "--exercise",
        "clip_loss",
        "--jobs",
        "2",
        "--seed",
        "7",
    ]);
    let begun = std::time::Instant::now();
    let said = grade.env("VL_HIDDEN", "vl-secret").output().unwrap();
    let words = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{words}");
    println!("{words}\n{:.0} s", begun.elapsed().as_secs_f64());

    let mut wrong = Vec::new();
    let mut attacks = 0;
    for entry in fs::read_dir(out.join("submissions")).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let text = fs::read_to_string(entry.path().join("grade.json")).unwrap();
        let grade: Value = serde_json::from_str(&text).unwrap();
        let results: Value =
            serde_json::from_slice(&fs::read(entry.path().join("results.json")).unwrap()).unwrap();
        let points = results["score"].as_u64().unwrap();
        if name.ends_with("_honest") {
            if points != 15 {
                wrong.push(format!("{name}: {points} of 15: {text}"));
            }
            continue;
        }
        attacks += 1;
        let exercise = &grade["exercises"][0];
        // An attack that does not compile attacks nobody.
        if list::BODIES.iter().any(|(body, _)| *body == name) && !exercise["mistakes"].is_null() {
            wrong.push(format!("{name}: {}", exercise["mistakes"]["rendered"]));
        }
        if points > 0 {
            wrong.push(format!("{name}: {points} points"));
        }
        // What a student prints or panics with is in the report; what he must not have read is not.
        let told = text.replace("ESCAPED {", "").replace("ESCAPED\\", "");
        if told.contains("ESCAPED") || told.contains("vl-secret") {
            wrong.push(format!("{name}: {exercise}"));
        }
        // The report says that something is wrong.
        let checks = exercise["report"]["checks"].as_array();
        let failed = checks.is_some_and(|all| all.iter().any(|c| c["status"] != "passed"));
        let noted = [&grade["notes"], &exercise["notes"]]
            .iter()
            .any(|n| n.as_array().is_some_and(|n| !n.is_empty()));
        if !failed && !noted && exercise["mistakes"].is_null() {
            wrong.push(format!("{name}: not a word"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{words}", wrong.join("\n"));
    assert!(attacks >= 40, "{attacks}");
    assert!(!target.exists());
    assert_eq!(fs::read_to_string(&other).unwrap(), solution, "somebody else's work was touched");
    let left: Vec<_> = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|p| {
            fs::read_to_string(p.path().join("comm")).is_ok_and(|name| name.trim() == "clip_loss")
        })
        .collect();
    assert!(left.is_empty(), "{left:?} still run");
}
