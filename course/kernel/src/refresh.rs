//! A library that has changed since it was compiled, or was cleaned away: the kernel compiles it before its first cell.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use crate::install::Install;
use crate::session::original;

/// What the sources are: how many files, how many bytes, when the last of them was written.
pub fn stamp(workspace: &Path) -> String {
    let (mut files, mut bytes, mut newest) = (0u64, 0u64, Duration::ZERO);
    let mut waiting = vec![workspace.join("src"), workspace.join("facade")];
    waiting.extend(["Cargo.toml", "Cargo.lock"].map(|name| workspace.join(name)));
    while let Some(path) = waiting.pop() {
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).into_iter().flatten().flatten();
            waiting.extend(entries.map(|entry| entry.path()));
        } else {
            files += 1;
            bytes += metadata.len();
            let written =
                metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            newest = newest.max(written.unwrap_or_default());
        }
    }
    format!("{files} files, {bytes} bytes, {}", newest.as_nanos())
}

impl Install {
    /// Compiles the library where that is needed; `say` gets words for whoever waits.
    ///
    /// # Errors
    /// What cannot be mended from here, with what to do.
    pub fn refresh(&self, folder: &Path, say: &mut dyn FnMut(&str)) -> Result<()> {
        let why = match self.missing() {
            Some(_) if self.workspace.exists() && self.rustc.exists() => "was cleaned away",
            Some(missing) => bail!("{missing}"),
            None if self.sources != stamp(&self.workspace) => "has changed since it was compiled",
            None => return Ok(()),
        };
        say(&format!("The library {why}: it is compiled first (up to ten minutes, once).\n"));
        let begun = Instant::now();
        let mut cargo = Command::new(&self.cargo);
        for (name, value) in original() {
            match value {
                Some(value) => cargo.env(name, value),
                None => cargo.env_remove(name),
            };
        }
        // The compiler itself: rustup may not be set up where Jupyter runs.
        let before = original().remove("PATH").flatten().map(std::ffi::OsString::from);
        let before = before.or_else(|| std::env::var_os("PATH")).unwrap_or_default();
        let paths = std::iter::once(self.sysroot.join("bin")).chain(std::env::split_paths(&before));
        cargo.env("PATH", std::env::join_paths(paths)?);
        if let Some(target) = self.deps.ancestors().nth(2) {
            cargo.env("CARGO_TARGET_DIR", target);
        }
        cargo.args([
            "run",
            "--package",
            "course",
            "--bin",
            "vl",
            "--",
            "kernel",
            "install",
            "--folder",
        ]);
        cargo.arg(folder).current_dir(&self.workspace);
        let spawned =
            cargo.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child =
            spawned.with_context(|| format!("{} does not start", self.cargo.display()))?;
        let stderr = child.stderr.take().context("no pipe to cargo")?;
        let (mut crates, mut said, mut last) = (0, Instant::now(), Vec::new());
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let now = line.trim();
            if let Some(name) = now.strip_prefix("Compiling ") {
                crates += 1;
                if crates == 1 || said.elapsed() > Duration::from_secs(1) {
                    said = Instant::now();
                    let seconds = begun.elapsed().as_secs();
                    say(&format!(
                        "\r{crates} crates, {}:{:02}, now {name}            ",
                        seconds / 60,
                        seconds % 60
                    ));
                }
            }
            last.push(line);
        }
        if !child.wait()?.success() {
            let tail: Vec<String> = last.iter().rev().take(25).rev().cloned().collect();
            bail!("the library does not compile:\n{}", tail.join("\n"));
        }
        say(&format!(
            "\rThe library is compiled: {} s.                              \n",
            begun.elapsed().as_secs()
        ));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_changes_the_stamp() {
        let workspace = tempfile::tempdir().unwrap();
        fs::create_dir_all(workspace.path().join("src/nn")).unwrap();
        let file = workspace.path().join("src/nn/mod.rs");
        fs::write(&file, "a").unwrap();
        let before = stamp(workspace.path());
        assert_eq!(before, stamp(workspace.path()));
        fs::write(&file, "ab").unwrap();
        assert_ne!(before, stamp(workspace.path()));
        assert!(before.starts_with("1 files, 1 bytes"), "{before}");
    }
}
