//! What a submission's compiler may see of us: the library and what it was linked from, and nothing else of cargo's
//! folder, where compiled solutions lie too.

use std::fs;
use std::path::{Path, PathBuf};

use crate::worker::Library;
use crate::{Error, Result};

/// A library in a folder of its own.
#[derive(Clone, Debug)]
pub struct Kit {
    /// The library with the kit's paths.
    pub library: Library,
    /// What a compiler reads.
    pub compile: Vec<PathBuf>,
    /// What a worker reads besides its program.
    pub run: Vec<PathBuf>,
    /// What it is known by: another library, another fingerprint.
    pub fingerprint: String,
}

impl Kit {
    /// Puts the kit together; files are linked where the disk allows it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(library: &Library) -> Result<Self> {
        let folder = library.scratch("kit")?;
        let deps = folder.join("deps");
        // What an older library needed has no place here.
        if deps.exists() {
            fs::remove_dir_all(&deps).map_err(Error::io(&deps))?;
        }
        fs::create_dir_all(&deps).map_err(Error::io(&deps))?;
        for part in &library.parts {
            put(part, &deps)?;
        }
        let facade = put(&library.facade, &folder)?;
        let sysroot = library.rustc.ancestors().nth(2).unwrap_or(Path::new("/")).to_path_buf();
        let about = fs::metadata(&facade).map_err(Error::io(&facade))?;
        let fingerprint =
            crate::sync::fingerprint(&format!("{:?} {}", about.modified().ok(), about.len()));
        let compile = vec![folder, library.rustc.clone(), sysroot.join("lib")];
        let run = vec![facade.clone(), library.libdir.clone()];
        Ok(Self { library: Library { facade, deps, ..library.clone() }, compile, run, fingerprint })
    }

    /// rustc's linker, where it has one of its own.
    pub fn linker(&self) -> PathBuf {
        self.library.libdir.with_file_name("bin").join("gcc-ld/ld.lld")
    }

    /// The toolchain: the compiler is told, since it cannot ask where it was started from.
    pub fn sysroot(&self) -> PathBuf {
        self.library.rustc.ancestors().nth(2).unwrap_or(Path::new("/")).to_path_buf()
    }
}

fn put(file: &Path, folder: &Path) -> Result<PathBuf> {
    let to = folder.join(file.file_name().unwrap_or_default());
    if to.exists() {
        fs::remove_file(&to).map_err(Error::io(&to))?;
    }
    fs::hard_link(file, &to).or_else(|_| fs::copy(file, &to).map(drop)).map_err(Error::io(file))?;
    Ok(to)
}
