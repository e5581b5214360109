//! Replacing a file so that a crash leaves the old one or the new one, never half of either.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Replaces the file `path` by what `write` writes.
///
/// The new bytes go to `path` + `.tmp` in the same folder, then to the disk (`fsync`), and only then does the new
/// file take the old one's name, in one step. When anything fails, the old file is whole and the temporary one is
/// removed. A process that is killed leaves its temporary file; the next write to `path` takes it over. Two
/// processes that write to one `path` take turns, by a lock on the temporary file.
///
/// # Errors
/// What `write` gives, and [`Error::Io`] with `path`: no such folder, no permission, a full disk.
pub fn write_atomic(path: &Path, write: impl FnOnce(&File) -> Result<()>) -> Result<()> {
    let temp = temp_path(path)?;
    let file = open_locked(&temp).map_err(Error::io(path))?;
    let done = (|| {
        file.set_len(0).map_err(Error::io(path))?;
        write(&file)?;
        file.sync_all().map_err(Error::io(path))?;
        fs::rename(&temp, path).map_err(Error::io(path))
    })();
    if done.is_err() {
        // What went wrong is the message that counts; a leftover is taken over by the next write.
        let _ = fs::remove_file(&temp);
        return done;
    }
    // The folder's own entry. Not every file system can do it, and the new file is complete either way.
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _ = File::open(folder).and_then(|f| f.sync_all());
    Ok(())
}

fn temp_path(path: &Path) -> Result<PathBuf> {
    let mut name = path
        .file_name()
        .ok_or_else(|| Error::value("path", "a file name", path.display()))?
        .to_os_string();
    name.push(".tmp");
    Ok(path.with_file_name(name))
}

/// Opens `temp` and holds its lock: after waiting, the file may have been renamed or removed by the one who held it.
fn open_locked(temp: &Path) -> std::io::Result<File> {
    loop {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(temp)?;
        match file.lock() {
            Ok(()) => {}
            // A file system without locks: as good as one writer.
            Err(e) if e.kind() == std::io::ErrorKind::Unsupported => return Ok(file),
            Err(e) => return Err(e),
        }
        if same_file(&file, temp) {
            return Ok(file);
        }
    }
}

#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn same_file(_: &File, path: &Path) -> bool {
    path.exists()
}
