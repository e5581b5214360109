//! The first cells of every kernel are evcxr's and ours, always the same: they are compiled once and kept.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::session::variable;
use crate::shim::build::library_name;

/// Where they are kept, in the kernel's folder: installing it anew forgets them.
pub const FOLDER: &str = "first";

/// Cells up to this number may be among them; no student's cell that uses the library is.
const FIRST: u32 = 3;

/// Where one of the first cells is kept.
#[derive(Debug)]
pub struct First {
    folder: PathBuf,
}

impl First {
    /// Where this cell is kept, if it is one of the first.
    pub fn of(source: &str, optimisation: &str, link: bool) -> Option<First> {
        let folder = PathBuf::from(std::env::var_os(variable::INSTALL)?);
        Self::in_folder(&folder, source, optimisation, link)
    }

    fn in_folder(folder: &Path, source: &str, optimisation: &str, link: bool) -> Option<First> {
        let early = (0..FIRST).any(|n| source.contains(&format!("fn run_user_code_{n}(")));
        let plain = !source.contains("vision_language") && !source.contains("take_variable::<");
        let is_first = source.contains(MARK) || source.lines().any(|line| line.trim() == EVCXRS);
        if !link || !early || !plain || !is_first {
            return None;
        }
        let mut hash = DefaultHasher::new();
        (source, optimisation).hash(&mut hash);
        Some(First { folder: folder.join(FOLDER).join(format!("{:016x}", hash.finish())) })
    }

    /// What the compiler said and whether it succeeded, with the compiled cell put into `out`.
    pub fn recall(&self, out: &Path) -> Option<(Vec<String>, bool)> {
        let said = fs::read_to_string(self.folder.join("said")).ok()?;
        let compiled = self.folder.join(library_name());
        let success = compiled.exists();
        if success {
            // A copy: evcxr moves it away.
            fs::copy(&compiled, out.join(library_name())).ok()?;
        }
        Some((said.lines().map(str::to_owned).collect(), success))
    }

    /// Keeps what the compiler said and made; where that fails, it is made again the next time.
    pub fn keep(&self, (said, success): &(Vec<String>, bool), out: &Path) {
        let new = self.folder.with_extension(std::process::id().to_string());
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(&new)?;
            if *success {
                fs::copy(out.join(library_name()), new.join(library_name()))?;
            }
            fs::write(new.join("said"), said.join("\n"))?;
            fs::rename(&new, &self.folder)
        };
        if write().is_err() {
            let _ = fs::remove_dir_all(&new);
        }
    }
}

/// evcxr's first cell.
const EVCXRS: &str = "42";

/// Our own first cell: until a cell has used `?`, evcxr compiles one that does twice.
pub const MARK: &str = "Ok::<(), std::fmt::Error>(())?;";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_kernels_own_cells_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let of = |source: &str| First::in_folder(folder.path(), source, "0", true);
        let own = format!("fn run_user_code_1(x) {{ {MARK} }}");
        assert!(of(&own).is_some());
        assert!(of("fn run_user_code_1(x) { let n = 1; }").is_none());
        assert!(of(&own.replace("code_1", "code_9")).is_none());
        assert!(of(&format!("{own} vision_language")).is_none());
    }

    #[test]
    fn what_was_kept_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let (out, again) = (folder.path().join("out"), folder.path().join("again"));
        fs::create_dir_all(&out).unwrap();
        fs::create_dir_all(&again).unwrap();
        fs::write(out.join(library_name()), "code").unwrap();
        let source = format!("fn run_user_code_0(x) {{ {MARK} }}");
        let first = First::in_folder(folder.path(), &source, "0", true).unwrap();
        assert!(first.recall(&again).is_none());
        let said = (vec!["{}".to_owned()], true);
        first.keep(&said, &out);
        assert_eq!(first.recall(&again), Some(said));
        assert_eq!(fs::read_to_string(again.join(library_name())).unwrap(), "code");
    }
}
