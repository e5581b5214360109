//! The library as one dynamic library, the crate `facade`: what cells and students' files are compiled against.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::house::{House, cargo, output};
use crate::{Error, Result};

/// Cargo's option that names what it has built.
pub const JSON: &str = "--message-format=json-render-diagnostics";

/// The dynamic library and what it was linked from.
#[derive(Clone, Debug)]
pub struct Facade {
    /// The library, kept under a name of our own.
    pub library: PathBuf,
    /// Where cargo put its dependencies.
    pub deps: PathBuf,
    /// The files of its dependencies, among others that lie there.
    pub parts: Vec<PathBuf>,
}

impl Facade {
    /// Builds it: a second where nothing has changed.
    ///
    /// # Errors
    /// When it does not compile, or cannot be kept.
    pub fn build(house: &House) -> Result<Self> {
        // Only this crate gets the flag: with it the standard library is shared too, and a cell links in 0.15 s.
        let build = ["rustc", "--package", "facade", "--lib", JSON, "--", "-C", "prefer-dynamic"];
        let built = output(cargo(&house.root).args(build), "the compiler says why above")?;
        let suffix = std::env::consts::DLL_SUFFIX;
        let parts = parts(&built);
        let built =
            artefact(&built, "vision_language", |path| path.to_string_lossy().ends_with(suffix))?;
        let deps = built.with_file_name("deps");
        // A plain `cargo build` of the whole workspace writes another file under the same name.
        let library = house.own().join(built.file_name().unwrap_or_default());
        fs::create_dir_all(house.own()).map_err(Error::io(house.own()))?;
        keep(&built, &library)?;
        Ok(Self { library, deps, parts })
    }
}

/// The libraries among cargo's JSON messages.
fn parts(messages: &str) -> Vec<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter_map(|message| message["filenames"].as_array().cloned())
        .flatten()
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .filter(|path| {
            let of = |e: &str| path.extension().is_some_and(|extension| extension == e);
            path.parent().is_some_and(|folder| folder.ends_with("deps"))
                && (of("rlib") || of("rmeta") || of(std::env::consts::DLL_EXTENSION))
        })
        .collect()
}

/// The file of a target among cargo's JSON messages.
pub fn artefact(messages: &str, target: &str, is_it: impl Fn(&Path) -> bool) -> Result<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages
        .filter(|message| {
            message["reason"] == "compiler-artifact" && message["target"]["name"] == target
        })
        .filter_map(|message| message["filenames"].as_array().cloned())
        .flatten()
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|path| is_it(path))
        .ok_or_else(|| Error::Failed(format!("cargo built no {target}")))
}

/// Keeps a build's file under a name of our own; a kernel that runs on the old one keeps that.
fn keep(built: &Path, kept: &Path) -> Result<()> {
    let same = |a: &Path, b: &Path| {
        let time = |path: &Path| {
            fs::metadata(path).and_then(|file| Ok((file.modified()?, file.len()))).ok()
        };
        time(a).is_some() && time(a) == time(b)
    };
    if same(built, kept) {
        return Ok(());
    }
    let new = kept.with_extension(format!("new-{}", std::process::id()));
    fs::hard_link(built, &new)
        .or_else(|_| fs::copy(built, &new).map(drop))
        .and_then(|()| fs::rename(&new, kept))
        // Renaming one link of a file to another does nothing, and leaves both.
        .and_then(|()| fs::remove_file(&new).or(Ok(())))
        .map_err(Error::io(kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artefact_is_told_by_its_target_and_name() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"vl-cargo"},"filenames":["/t/vl-cargo"]}
not json
{"reason":"compiler-artifact","target":{"name":"facade"},"filenames":["/t/libfacade.rlib","/t/libfacade.so"]}"#;
        let found =
            artefact(messages, "facade", |path| path.extension().is_some_and(|e| e == "so"));
        assert_eq!(found.unwrap(), Path::new("/t/libfacade.so"));
        assert!(artefact(messages, "vl-kernel", |_| true).is_err());
    }

    #[test]
    fn a_kept_file_is_replaced_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let (built, kept) = (folder.path().join("built"), folder.path().join("kept"));
        fs::write(&built, "one").unwrap();
        keep(&built, &kept).unwrap();
        let running = fs::File::open(&kept).unwrap();
        fs::remove_file(&built).unwrap();
        fs::write(&built, "two and more").unwrap();
        keep(&built, &kept).unwrap();
        assert_eq!(fs::read_to_string(&kept).unwrap(), "two and more");
        assert_eq!(std::io::read_to_string(running).unwrap(), "one");
    }
}
