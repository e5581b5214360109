//! Tables that are read while they grow.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// A file that grows by a row as soon as it is known.
pub struct Csv {
    path: PathBuf,
    file: std::fs::File,
}

impl Csv {
    /// With its head.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn new(path: &Path, head: &str) -> Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        let file = std::fs::File::create(path).map_err(Error::io(path))?;
        let mut csv = Self { path: path.into(), file };
        csv.row(head)?;
        Ok(csv)
    }

    /// Where there is a path.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn maybe(path: Option<&Path>, head: &str) -> Result<Option<Self>> {
        path.map(|path| Self::new(path, head)).transpose()
    }

    /// One more row.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn row(&mut self, row: &str) -> Result<()> {
        writeln!(self.file, "{row}").map_err(Error::io(&self.path))
    }
}
