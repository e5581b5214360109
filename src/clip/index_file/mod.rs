//! Embeddings of more pictures than one wants to read into memory: an index on disk, mapped into memory when it is searched.
//!
//! An index is a folder of three files:
//!
//! | file | what |
//! |---|---|
//! | `index.json` | how many rows count, their length, their precision, whose they are |
//! | `embeddings.bin` | the rows, unit vectors, f16 or f32, little-endian, one after the other: `numpy.memmap` reads them |
//! | `names.txt` | the pictures' file names, one a line |
//!
//! Who adds rows writes them behind the others, and `index.json` last, in one step: an addition that was cut short leaves what
//! there was. Rows are unit vectors, so that a search is one product with each; who needs more than one machine takes the rows
//! to a vector database ([`IndexFile::export`] writes Parquet).

mod search;
mod table;
mod write;

use std::fs::File;
use std::path::{Path, PathBuf};

pub use search::mixed_query;

use candle_core::{Device, Tensor};
use half::f16;
use half::slice::HalfFloatSliceExt;
use memmap2::{Mmap, MmapOptions};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

const FORMAT: &str = "vision-language index 1";

/// How a row's values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Two bytes: eleven bits of a value, enough to rank by; similarities differ by some 1e-4.
    F16,
    /// Four bytes.
    F32,
}

impl Precision {
    fn bytes(self) -> usize {
        match self {
            Self::F16 => 2,
            Self::F32 => 4,
        }
    }
}

/// `index.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct About {
    format: String,
    rows: usize,
    /// The length `p` of a row.
    length: usize,
    precision: Precision,
    /// Bytes of `names.txt` that count.
    names: usize,
    /// What made the embeddings; additions must say the same.
    model: String,
}

/// An index on disk, open for searching. Additions that come later are seen when it is opened again.
#[derive(Debug)]
pub struct IndexFile {
    folder: PathBuf,
    about: About,
    rows: Option<Mmap>,
    names: Option<Mmap>,
    /// Where each name begins, and where the last one's line ends.
    starts: Vec<usize>,
}

impl IndexFile {
    /// Opens an index. Nothing but the names is read.
    ///
    /// # Errors
    /// When it is not there, is not an index, or is shorter than it says.
    pub fn open(folder: &Path) -> Result<Self> {
        let about = About::read(folder)?;
        let wrong = |why: String| damaged(folder, why);
        let map = |name: &str, bytes: usize| -> Result<Option<Mmap>> {
            let path = folder.join(name);
            let file = File::open(&path).map_err(Error::io(&path))?;
            let there = file.metadata().map_err(Error::io(&path))?.len();
            if there < bytes as u64 {
                return Err(wrong(format!("{name}: expected at least {bytes} bytes, got {there}")));
            }
            if bytes == 0 {
                return Ok(None);
            }
            // SAFETY: additions write behind the bytes that are mapped; who cuts or overwrites the file while it is searched
            // gets what mmap(2) promises him.
            let map = unsafe { MmapOptions::new().len(bytes).map(&file) };
            Ok(Some(map.map_err(Error::io(&path))?))
        };
        let rows = map("embeddings.bin", about.rows * about.length * about.precision.bytes())?;
        let names = map("names.txt", about.names)?;
        let text = names.as_deref().unwrap_or_default();
        let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(i, _)| i + 1);
        let starts: Vec<usize> = std::iter::once(0).chain(ends).collect();
        if starts.len() != about.rows + 1 || starts.last() != Some(&about.names) {
            let why = format!("names.txt: expected {} lines, got {}", about.rows, starts.len() - 1);
            return Err(wrong(why));
        }
        if std::str::from_utf8(text).is_err() {
            return Err(wrong("names.txt: expected UTF-8".into()));
        }
        Ok(Self { folder: folder.to_path_buf(), about, rows, names, starts })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.about.rows
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.about.rows == 0
    }

    /// The length `p` of a row.
    pub fn width(&self) -> usize {
        self.about.length
    }

    /// How values are kept.
    pub fn precision(&self) -> Precision {
        self.about.precision
    }

    /// What made the embeddings, as whoever made the index said.
    pub fn model(&self) -> &str {
        &self.about.model
    }

    /// The file name of a row; none past the last.
    pub fn name(&self, row: usize) -> Option<&str> {
        let (start, end) = (*self.starts.get(row)?, *self.starts.get(row + 1)?);
        std::str::from_utf8(&self.names.as_deref()?[start..end - 1]).ok()
    }

    /// The rows from `start`, `(n, p)`, f32, unit vectors but for their precision.
    ///
    /// # Errors
    /// When they are past the end.
    pub fn rows(&self, start: usize, n: usize) -> Result<Tensor> {
        if start.checked_add(n).is_none_or(|end| end > self.len()) {
            let expected = format!("within {}", self.len());
            return Err(Error::value("IndexFile::rows", expected, format!("{start} + {n}")));
        }
        let mut values = vec![0f32; n * self.width()];
        self.read(start, &mut values);
        Ok(Tensor::from_vec(values, (n, self.width()), &Device::Cpu)?)
    }

    /// Fills whole rows, from row `start` on.
    fn read(&self, start: usize, out: &mut [f32]) {
        let from = start * self.width();
        match self.values() {
            Values::F16(values) => values[from..from + out.len()].convert_to_f32_slice(out),
            Values::F32(values) => out.copy_from_slice(&values[from..from + out.len()]),
        }
    }

    /// All values as they lie in the file.
    fn values(&self) -> Values<'_> {
        let bytes = self.rows.as_deref().unwrap_or_default();
        let count = self.about.rows * self.about.length;
        // SAFETY: the map begins at a page, so that it is aligned; it is as long as `open` has checked; any bits are a value. The
        // files are little-endian, and so is every processor that this library is built for (`write` says so).
        unsafe {
            match (self.about.precision, count) {
                (Precision::F16, 0) => Values::F16(&[]),
                (Precision::F32, 0) => Values::F32(&[]),
                (Precision::F16, _) => {
                    Values::F16(std::slice::from_raw_parts(bytes.as_ptr().cast::<f16>(), count))
                }
                (Precision::F32, _) => {
                    Values::F32(std::slice::from_raw_parts(bytes.as_ptr().cast::<f32>(), count))
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Values<'a> {
    F16(&'a [f16]),
    F32(&'a [f32]),
}

impl About {
    fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("index.json");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::Missing {
                    what: "an index (index.json)".into(),
                    place: folder.into(),
                    next: "`cargo vl index DIR --out INDEX` makes one of a folder of pictures"
                        .into(),
                });
            }
            Err(e) => return Err(Error::io(&path)(e)),
        };
        let about: Self = serde_json::from_slice(&text)
            .map_err(|e| damaged(folder, format!("index.json: {e}")))?;
        let size = about.rows.checked_mul(about.length).and_then(|n| n.checked_mul(4));
        if about.format != FORMAT || about.length == 0 || size.is_none() {
            return Err(damaged(folder, format!("index.json: expected the format {FORMAT:?}")));
        }
        Ok(about)
    }
}

fn damaged(folder: &Path, why: String) -> Error {
    Error::Checkpoint {
        path: folder.into(),
        why,
        next: "make the index again: this one is damaged, or is no index".into(),
    }
}

#[cfg(test)]
mod tests;
