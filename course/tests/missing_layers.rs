//! A kernel that lacks Landlock, or system call filters: `vl grade` refuses before it grades anything, says which layer and
//! why, and with that layer named in `--without` gives the same points as with all.
//!
//! Such a kernel is made of this one: the layer's first system call fails with "not implemented" in `vl` and all that it starts.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use serde_json::Value;

fn grade(class: &Path, out: &Path, absent: Option<i64>, more: &[&str]) -> Output {
    let mut grade = Command::new(env!("CARGO_BIN_EXE_vl"));
    grade.arg("grade").arg(class).arg("--out").arg(out);
    grade.args(["--exercise", "perplexity", "--jobs", "1"]).args(more);
    if let Some(call) = absent {
        let arch = std::env::consts::ARCH.try_into().unwrap();
        let none = SeccompAction::Errno(libc::ENOSYS as u32);
        let rules = BTreeMap::from([(call, Vec::new())]);
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, none, arch).unwrap();
        let filter: BpfProgram = filter.try_into().unwrap();
        // Safety: after the fork it makes two system calls and allocates nothing.
        unsafe {
            grade.pre_exec(move || {
                seccompiler::apply_filter(&filter)
                    .map_err(|_| std::io::Error::from_raw_os_error(libc::EPERM))
            })
        };
    }
    grade.output().unwrap()
}

/// The points of each check that students see; where the solutions are, hidden ones are asked besides.
fn points(out: &Path) -> Vec<u64> {
    let results = fs::read(out.join("submissions/student/results.json")).unwrap();
    let results: Value = serde_json::from_slice(&results).unwrap();
    let tests = results["tests"].as_array().unwrap().iter();
    let seen = tests.filter(|test| test["visibility"] == "visible");
    seen.filter_map(|test| test["score"].as_u64()).collect()
}

#[test]
fn a_missing_layer_is_refused_and_may_be_named() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("class/student/exercises");
    fs::create_dir_all(&folder).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::copy(root.join("solutions/src/perplexity.rs"), folder.join("perplexity.rs")).unwrap();
    let class = place.path().join("class");

    let whole = place.path().join("whole");
    let said = grade(&class, &whole, None, &[]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let all = points(&whole);
    assert_eq!(all.iter().sum::<u64>(), 10, "{all:?}");

    for (call, layer) in
        [(libc::SYS_landlock_create_ruleset, "landlock"), (libc::SYS_seccomp, "seccomp")]
    {
        let refused = place.path().join(format!("refused_{layer}"));
        let said = grade(&class, &refused, Some(call), &[]);
        let words = String::from_utf8_lossy(&said.stderr);
        assert_eq!(said.status.code(), Some(1), "{words}");
        assert!(words.contains(&format!("this machine's sandbox has no {layer} (")), "{words}");
        assert!(words.contains(&format!("--without {layer}")), "{words}");
        assert!(!refused.exists(), "it has begun to grade");
        // Another layer's name does not help.
        let said = grade(&class, &refused, Some(call), &["--without", "namespaces"]);
        assert_eq!(said.status.code(), Some(1), "{}", String::from_utf8_lossy(&said.stderr));

        let named = place.path().join(format!("named_{layer}"));
        let said = grade(&class, &named, Some(call), &["--without", layer]);
        let words = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{words}");
        assert!(words.contains(&format!("Without {layer}, as you say: ")), "{words}");
        assert_eq!(points(&named), all);
    }
}
