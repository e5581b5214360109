//! Room on the disk, asked for before it is needed.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Bytes that may be written in `folder`.
///
/// # Errors
/// When the folder is not there.
pub fn free_space(folder: &Path) -> Result<u64> {
    let stat = rustix::fs::statvfs(folder).map_err(|e| Error::io(folder)(e.into()))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// An error if `folder` has no room for `needed` bytes more.
///
/// # Errors
/// [`Error::Download`] with both numbers; as [`free_space`].
pub fn require_space(folder: &Path, needed: u64, what: &str) -> Result<()> {
    let free = free_space(folder)?;
    if needed <= free {
        return Ok(());
    }
    Err(Error::Download {
        what: what.into(),
        why: format!(
            "it needs {} in {}, {} are free",
            bytes(needed),
            folder.display(),
            bytes(free)
        ),
        next: "make room, or choose a folder on another disk with --out".into(),
    })
}

/// `1234567` → `1.2 MB`.
pub fn bytes(n: u64) -> String {
    let mut value = n as f64;
    for unit in ["bytes", "kB", "MB", "GB", "TB", "PB"] {
        if value < 1000.0 || unit == "PB" {
            let digits = usize::from(unit != "bytes");
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    unreachable!("the last unit takes all")
}

/// `folder/name` → `folder/nameENDING`: where unfinished work lies.
///
/// # Errors
/// When the path has no name, as `.` and `/`.
pub fn beside(path: &Path, ending: &str) -> Result<PathBuf> {
    let name = path.file_name();
    let name = name.ok_or_else(|| Error::value("the path", "a name at its end", path.display()))?;
    let mut name = name.to_owned();
    name.push(ending);
    Ok(path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_passes_and_what_does_not_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let free = free_space(folder.path()).unwrap();
        assert!(free > 0);
        require_space(folder.path(), 1, "a file").unwrap();
        let message = require_space(folder.path(), u64::MAX, "a file").unwrap_err().to_string();
        assert!(message.contains("a file") && message.contains("PB"), "{message}");
        assert!(free_space(&folder.path().join("gone")).is_err());
    }

    #[test]
    fn beside_is_beside_with_and_without_a_slash() {
        for path in ["out/flickr8k", "out/flickr8k/"] {
            assert_eq!(beside(Path::new(path), ".zip").unwrap(), Path::new("out/flickr8k.zip"));
        }
        assert!(beside(Path::new("."), ".zip").is_err());
    }

    #[test]
    fn bytes_as_a_person_reads_them() {
        let read = [999, 1_000, 1_116_000_000].map(bytes);
        assert_eq!(read, ["999 bytes", "1.0 kB", "1.1 GB"]);
    }
}
