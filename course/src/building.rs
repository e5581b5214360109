//! A long build, with how far it is and how long it will take: cargo's words are a list of names.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;
use vision_language::display::Progress;

use crate::Result;
use crate::house::failed;

/// Seconds that the kernel's crates took of two cores, those of two and more; the others [`OTHER`] each. Measured in a
/// cold build, by what cargo wrote when.
const SECONDS: &[(&str, u32)] = &[
    ("ra_ap_hir_ty", 115),
    ("ra_ap_ide_assists", 59),
    ("ra_ap_hir_def", 57),
    ("ra_ap_ide", 37),
    ("ra_ap_hir", 25),
    ("ra_ap_ide_db", 23),
    ("ra_ap_ide_completion", 22),
    ("ra_ap_intern", 21),
    ("ra_ap_hir_expand", 20),
    ("ra_ap_project_model", 17),
    ("ra_ap_ide_diagnostics", 15),
    ("ra_ap_syntax", 13),
    ("evcxr", 12),
    ("ra_ap_base_db", 11),
    ("vl-kernel", 7),
    ("course_kernel", 5),
];
const OTHER: u32 = 1;

/// Runs a build whose messages are JSON, shows how far it is, and gives the messages.
///
/// `crates` is how many it compiles from nothing. What is compiled already is told at once and counts as done.
///
/// # Errors
/// When it does not compile: cargo has said why.
pub fn build(cargo: &mut Command, what: &str, crates: u32, hint: &str) -> Result<String> {
    let heavy: u32 = SECONDS.iter().map(|(_, seconds)| seconds - OTHER).sum();
    let mut left = heavy + crates * OTHER;
    cargo.arg("--quiet").stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = cargo.spawn().map_err(|error| failed(cargo, error, hint))?;
    let stdout = child.stdout.take().expect("a pipe that was asked for");
    let (mut messages, mut done, mut bar) = (String::new(), 0, None);
    for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
        if let Ok(message) = serde_json::from_str::<Value>(&line)
            && message["reason"] == "compiler-artifact"
        {
            let name = message["target"]["name"].as_str().unwrap_or_default();
            let seconds = seconds(name);
            if message["fresh"] == true {
                left = left.saturating_sub(seconds);
            } else {
                // The first that is compiled: from here on it takes time.
                let bar = bar.get_or_insert_with(|| Progress::new(what, left as usize));
                done = (done + seconds).min(left);
                bar.update(done as usize, name);
            }
        }
        messages.push_str(&line);
        messages.push('\n');
    }
    let status = child.wait().map_err(|error| failed(cargo, error, hint))?;
    if !status.success() {
        return Err(failed(cargo, status, hint));
    }
    if let Some(bar) = bar {
        bar.finish("");
    }
    Ok(messages)
}

/// What a crate counts for.
fn seconds(name: &str) -> u32 {
    let known = SECONDS.iter().find(|(of, _)| *of == name);
    known.map_or(OTHER, |(_, seconds)| *seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cargo(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn messages_come_back_whole() {
        let artefact = r#"{"reason":"compiler-artifact","fresh":false,"target":{"name":"evcxr"}}"#;
        let said =
            build(&mut cargo(&format!("echo '{artefact}'; echo other")), "x", 2, "").unwrap();
        assert_eq!(said, format!("{artefact}\nother\n"));
        assert_eq!((seconds("evcxr"), seconds("serde")), (12, OTHER));
    }

    #[test]
    fn a_build_that_fails_says_what_to_do() {
        let error = build(&mut cargo("exit 101"), "x", 2, "read above").unwrap_err().to_string();
        assert!(error.contains("read above"), "{error}");
    }
}
