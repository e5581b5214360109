//! A new index, and rows for one that is there.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use candle_core::Tensor;
use half::f16;
use half::slice::HalfFloatSliceExt;

use super::{About, FORMAT, IndexFile, Precision, damaged};
use crate::checkpoint::write_atomic;
use crate::clip::{ClipModel, ImageIndex};
use crate::nn::l2_normalize;
use crate::{Error, Result};

#[cfg(target_endian = "big")]
compile_error!("an index's rows are little-endian, and read as they lie");

/// Pictures between two additions to the index: what is lost when a long indexing stops.
const PICTURES: usize = 1024;

impl IndexFile {
    /// Makes an empty index for rows of length `p`; `model` says what makes the embeddings. Opens it where it is there already and
    /// says the same.
    ///
    /// # Errors
    /// When another index is there, or the folder cannot be written.
    pub fn create(folder: &Path, p: usize, precision: Precision, model: &str) -> Result<Self> {
        if p == 0 {
            return Err(Error::value("IndexFile::create, p", "at least 1", 0));
        }
        if folder.join("index.json").is_file() {
            let there = Self::open(folder)?;
            let says = |p: usize, precision: Precision, model: &str| {
                format!("rows of {p}, {precision:?}, by {model:?}")
            };
            let expected = says(there.width(), there.precision(), there.model());
            let got = says(p, precision, model);
            if expected != got {
                let what = format!("the index {}", folder.display());
                return Err(Error::value(what, format!("more of what it has: {expected}"), got));
            }
            return Ok(there);
        }
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        for name in ["embeddings.bin", "names.txt"] {
            let path = folder.join(name);
            File::create(&path).map_err(Error::io(&path))?;
        }
        let (format, model) = (FORMAT.to_string(), model.to_string());
        About { format, rows: 0, length: p, precision, names: 0, model }.write(folder)?;
        Self::open(folder)
    }

    /// Adds rows `(n, p)`, which are made unit vectors, with their names; `self` sees them, too. All of them are there afterwards,
    /// or none. Two processes that add take turns.
    ///
    /// # Errors
    /// When the shapes differ, a name has a line break, a row has no direction, or a file cannot be written.
    pub fn append(&mut self, names: &[String], embeddings: &Tensor) -> Result<()> {
        let (n, p) = (names.len(), self.width());
        if embeddings.dims() != [n, p] {
            let expected = format!("({n}, {p}), a row a name");
            return Err(Error::shape(
                "IndexFile::append, embeddings",
                expected,
                embeddings.shape(),
            ));
        }
        if let Some(name) = names.iter().find(|name| name.contains('\n') || name.is_empty()) {
            return Err(Error::value(
                "IndexFile::append, names",
                "names on one line",
                format!("{name:?}"),
            ));
        }
        let unit = l2_normalize(&embeddings.detach().to_dtype(candle_core::DType::F32)?)?;
        let values = unit.to_device(&candle_core::Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?;
        for (row, name) in values.chunks_exact(p).zip(names) {
            let square: f32 = row.iter().map(|x| x * x).sum();
            if (square - 1.).abs() > 1e-3 || square.is_nan() {
                let got = format!("{name}: zeros, or no numbers");
                return Err(Error::value(
                    "IndexFile::append, embeddings",
                    "rows with a direction",
                    got,
                ));
            }
        }
        let folder = self.folder.clone();
        let path = folder.join("embeddings.bin");
        let file = OpenOptions::new().write(true).open(&path).map_err(Error::io(&path))?;
        // A file system without locks: as good as one writer.
        let _ = file.lock();
        // Someone else may have added meanwhile.
        let mut about = About::read(&folder)?;
        if (about.length, about.precision) != (self.about.length, self.about.precision) {
            return Err(damaged(&folder, "another index took this one's place".into()));
        }
        let start = about.rows * p * about.precision.bytes();
        let bytes = little_endian(&values, about.precision);
        write_at(&file, start, &bytes).map_err(Error::io(&path))?;
        let path = folder.join("names.txt");
        let lines: String = names.iter().flat_map(|name| [name.as_str(), "\n"]).collect();
        let text = OpenOptions::new().write(true).open(&path).map_err(Error::io(&path))?;
        write_at(&text, about.names, lines.as_bytes()).map_err(Error::io(&path))?;
        about.rows += n;
        about.names += lines.len();
        about.write(&folder)?;
        *self = Self::open(&folder)?;
        Ok(())
    }

    /// Embeds those pictures of `folder` that the index has not yet, and adds them, a thousand at a time: who stops it and starts
    /// it again goes on from there. `watch` gets how many of `names` are in the index. Gives how many were added.
    ///
    /// # Errors
    /// A picture that is missing or damaged, by name; [`Error::Stopped`] by a notebook's stop button; as
    /// [`append`](Self::append).
    pub fn add_pictures(
        &mut self,
        model: &ClipModel,
        folder: &Path,
        names: &[String],
        watch: &mut dyn FnMut(usize),
    ) -> Result<usize> {
        let there: HashSet<&str> = (0..self.len()).filter_map(|row| self.name(row)).collect();
        let new: Vec<String> =
            names.iter().filter(|name| !there.contains(name.as_str())).cloned().collect();
        let mut done = names.len() - new.len();
        watch(done);
        for part in new.chunks(PICTURES) {
            let index = ImageIndex::build(model, folder, part, &mut |n| watch(done + n))?;
            self.append(part, &index.embeddings)?;
            done += part.len();
        }
        Ok(new.len())
    }
}

impl About {
    fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join("index.json");
        let text = serde_json::to_vec_pretty(self)?;
        write_atomic(&path, |mut file| file.write_all(&text).map_err(Error::io(&path)))
    }
}

fn write_at(file: &File, start: usize, bytes: &[u8]) -> std::io::Result<()> {
    let mut out = BufWriter::new(file);
    out.seek(SeekFrom::Start(start as u64))?;
    out.write_all(bytes)?;
    out.flush()?;
    // What lies behind is of an addition that did not come to its end.
    file.set_len((start + bytes.len()) as u64)?;
    file.sync_all()
}

fn little_endian(values: &[f32], precision: Precision) -> Vec<u8> {
    match precision {
        Precision::F32 => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Precision::F16 => {
            let mut halves = vec![f16::ZERO; values.len()];
            halves.convert_from_f32_slice(values);
            halves.iter().flat_map(|x| x.to_le_bytes()).collect()
        }
    }
}
