//! The library as one dynamic library, built by cargo when its sources have changed and not touched otherwise.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::facade::Facade;
use crate::house::{House, output};
use crate::{Error, Result};

/// Where it is written down which library is ready.
const RECORD: &str = "library.json";

/// What a file is compiled against: all paths absolute.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Library {
    /// The library, with the name that rustc looks for.
    pub(crate) facade: PathBuf,
    /// Where cargo put the library's dependencies.
    pub(crate) deps: PathBuf,
    /// The dependencies' files.
    pub(crate) parts: Vec<PathBuf>,
    /// The standard library as a dynamic library.
    pub(crate) libdir: PathBuf,
    /// The compiler that compiled the library.
    pub(crate) rustc: PathBuf,
    /// The course's folder, by which files are named in messages.
    pub(crate) root: PathBuf,
    /// Where programs are compiled to.
    pub(crate) own: PathBuf,
}

impl Library {
    /// The library as its sources are now. Asks cargo only if one of them is newer than what is there.
    ///
    /// # Errors
    /// When it does not compile, or cargo does not start.
    pub fn ready(house: &House) -> Result<Self> {
        let own = house.own().join("check");
        let record = own.join(RECORD);
        if let Some(library) = fs::read(&record).ok().and_then(|json| Self::recorded(&json))
            && library.is_newer_than(house, &record)
        {
            return Ok(library);
        }
        let library = Self::build(house, own)?;
        let json = serde_json::to_vec_pretty(&library)?;
        fs::write(&record, json).map_err(Error::io(&record))?;
        Ok(library)
    }

    /// Forgets the library, so that it is built anew: for when the compiler does not take it.
    pub(super) fn forget(&self) {
        // What is not there need not be forgotten.
        let _ = fs::remove_file(self.own.join(RECORD));
    }

    /// A folder for files that are made to be compiled.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch(&self, name: &str) -> Result<PathBuf> {
        let folder = self.own.join(name);
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        Ok(folder)
    }

    fn recorded(json: &[u8]) -> Option<Self> {
        let library: Self = serde_json::from_slice(json).ok()?;
        let there = [&library.facade, &library.deps, &library.rustc, &library.libdir];
        there.iter().all(|path| path.exists()).then_some(library)
    }

    /// Whether no source of the library has changed since `record` was written.
    fn is_newer_than(&self, house: &House, record: &Path) -> bool {
        let Ok(made) = fs::metadata(record).and_then(|file| file.modified()) else { return false };
        let sources =
            ["src", "data", "facade/src", "facade/Cargo.toml", "Cargo.toml", "Cargo.lock"];
        sources.iter().all(|path| newest(&house.root.join(path)) <= made) && self.parts() <= made
    }

    /// When cargo last compiled what the dynamic library was linked from.
    fn parts(&self) -> SystemTime {
        let entries = fs::read_dir(&self.deps).into_iter().flatten().flatten();
        let ours = entries.filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libvision_language-") && name.ends_with(".rlib")
        });
        ours.map(|entry| newest(&entry.path())).max().unwrap_or(SystemTime::UNIX_EPOCH)
    }

    fn build(house: &House, own: PathBuf) -> Result<Self> {
        fs::create_dir_all(&own).map_err(Error::io(&own))?;
        eprintln!("Building the library (minutes the first time, seconds after a change of it) …");
        let Facade { library: facade, deps, parts } = Facade::build(house)?;
        let ask = |what: &str| {
            let mut rustc = Command::new("rustc");
            let asked = rustc.args(["--print", what]).current_dir(&house.root);
            output(asked, "is Rust installed?").map(|path| PathBuf::from(path.trim()))
        };
        let rustc = ask("sysroot")?.join("bin/rustc");
        let root = house.root.clone();
        Ok(Self { facade, deps, parts, libdir: ask("target-libdir")?, rustc, root, own })
    }
}

/// The time of the newest file below a path.
fn newest(path: &Path) -> SystemTime {
    let Ok(here) = fs::metadata(path) else { return SystemTime::UNIX_EPOCH };
    let time = here.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    if !here.is_dir() {
        return time;
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| newest(&entry.path())).chain([time]).max().unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_below_a_folder_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let before = SystemTime::now();
        assert!(newest(&folder.path().join("nothing")) < before);
        fs::create_dir(folder.path().join("deep")).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(folder.path().join("deep/a.rs"), "").unwrap();
        assert!(newest(folder.path()) >= before);
    }
}
