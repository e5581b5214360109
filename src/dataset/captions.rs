//! Captions of pictures as the lecture's files have them, read through polars.
//!
//! Flickr8k (and the scenes): `captions.txt`, a CSV with the columns `image` and `caption`. Flickr30k: `results.csv`,
//! three fields between `|`, where one row is known to lack a separator:
//! `2199200615.jpg| 4   A dog runs across the grass .`

use std::path::{Path, PathBuf};

use polars::prelude::{Column, DataFrame};

use super::rows::{self, BadRows, Dialect, Repaired, Skipped, Table};
use crate::{Error, Result};

/// How a captions file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaptionLayout {
    /// Seen from the header: a `|` in it means Flickr30k.
    #[default]
    Auto,
    /// `image,caption`, values in double quotes where they hold a comma.
    Flickr8k,
    /// `image_name| comment_number| comment`, without quotes.
    Flickr30k,
}

/// `image,caption` and other tables with commas.
pub(super) const CSV: Dialect = Dialect { separator: b',', quotes: true, repair: None };
const PIPES: Dialect = Dialect { separator: b'|', quotes: false, repair: Some(missing_pipe) };

/// Captions and the pictures that they belong to, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captions {
    /// The picture of each caption; a picture with five captions stands here five times.
    pub image_filenames: Vec<String>,
    /// As they are written, without white space around them.
    pub captions: Vec<String>,
    /// Rows that were left out, which only [`BadRows::Skip`] does.
    pub skipped: Vec<Skipped>,
    /// Rows with Flickr30k's known defect, read as they were meant.
    pub repaired: Vec<Skipped>,
}

impl Captions {
    /// Reads a captions file.
    ///
    /// # Errors
    /// [`Error::Row`] for a missing column, and with [`BadRows::Refuse`] for the first row with a wrong number of
    /// fields, a broken quote, text that is not UTF-8, or an empty value.
    pub fn read(path: &Path, layout: CaptionLayout, policy: BadRows) -> Result<Self> {
        let layout = match layout {
            CaptionLayout::Auto => detect(path)?,
            known => known,
        };
        let table = match layout {
            CaptionLayout::Flickr30k => {
                rows::read(path, PIPES, &["image_name", "comment"], policy)?
            }
            _ => rows::read(path, CSV, &["image", "caption"], policy)?,
        };
        let Table { columns, skipped, repaired, .. } = table;
        let [image_filenames, captions] = <[_; 2]>::try_from(columns).expect("two were wanted");
        Ok(Self { image_filenames, captions, skipped, repaired })
    }

    /// How many captions there are.
    pub fn len(&self) -> usize {
        self.captions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.captions.is_empty()
    }

    /// The captions at `indices`, in that order.
    ///
    /// # Panics
    /// When an index is past the end.
    pub fn select(&self, indices: &[usize]) -> Self {
        let pick = |from: &[String]| indices.iter().map(|&i| from[i].clone()).collect();
        Self {
            image_filenames: pick(&self.image_filenames),
            captions: pick(&self.captions),
            ..Self::default()
        }
    }

    /// The pairs as a table with the columns `image` and `caption`.
    ///
    /// # Errors
    /// When the two lists were changed to different lengths.
    pub fn to_frame(&self) -> Result<DataFrame> {
        let image = Column::new("image".into(), &self.image_filenames);
        let caption = Column::new("caption".into(), &self.captions);
        Ok(DataFrame::new(image.len(), vec![image, caption])?)
    }
}

/// The layout that the header is written in.
fn detect(path: &Path) -> Result<CaptionLayout> {
    use std::io::{BufRead, BufReader};
    let file = std::fs::File::open(path).map_err(Error::io(path))?;
    let mut header = Vec::new();
    BufReader::new(file).read_until(b'\n', &mut header).map_err(Error::io(path))?;
    let pipes = header.contains(&b'|');
    Ok(if pipes { CaptionLayout::Flickr30k } else { CaptionLayout::Flickr8k })
}

/// `NAME| 4   A caption` → `NAME| 4| A caption`: a number and two or more spaces where a `|` was meant.
fn missing_pipe(row: &str) -> Option<Repaired> {
    let (name, rest) = row.split_once('|')?;
    let rest = rest.trim_start();
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, comment) = rest.split_at(digits);
    let meant = digits > 0 && comment.starts_with("  ") && !comment.contains('|');
    meant.then(|| (format!("{name}|{number}|{comment}"), "no `|` after the comment's number"))
}

/// A folder with captions and pictures, as `cargo vl data` makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataFolder {
    /// The captions file.
    pub captions: PathBuf,
    /// Its layout.
    pub layout: CaptionLayout,
    /// The folder of the pictures.
    pub images: PathBuf,
    /// `splits.csv` (`image,split`), where there is one.
    pub splits: Option<PathBuf>,
}

impl DataFolder {
    /// Finds `captions.txt` with `Images/` (Flickr8k, scenes) or `results.csv` with `flickr30k_images/` in `folder`,
    /// or in the folder of the archive below it.
    ///
    /// # Errors
    /// [`Error::Missing`], with the command that makes such a folder.
    pub fn find(folder: &Path) -> Result<Self> {
        let places =
            [folder.to_path_buf(), folder.join("flickr30k_images"), folder.join("Flickr8k")];
        let kinds = [
            ("captions.txt", CaptionLayout::Flickr8k, ["Images", "images"]),
            ("results.csv", CaptionLayout::Flickr30k, ["flickr30k_images", "Images"]),
        ];
        for place in &places {
            for (name, layout, image_folders) in kinds {
                let captions = place.join(name);
                let images = image_folders.iter().map(|f| place.join(f)).find(|f| f.is_dir());
                if let (true, Some(images)) = (captions.is_file(), images) {
                    let splits = Some(place.join("splits.csv")).filter(|s| s.is_file());
                    return Ok(Self { captions, layout, images, splits });
                }
            }
        }
        Err(Error::Missing {
            what: "`captions.txt` with `Images/`, or `results.csv` with `flickr30k_images/`,"
                .into(),
            place: folder.to_path_buf(),
            next: format!(
                "cargo vl data scenes --out {0}, or cargo vl data flickr8k --out {0}",
                folder.display()
            ),
        })
    }

    /// Reads its captions.
    ///
    /// # Errors
    /// As [`Captions::read`].
    pub fn captions(&self, policy: BadRows) -> Result<Captions> {
        Captions::read(&self.captions, self.layout, policy)
    }
}

#[cfg(test)]
#[path = "captions_tests.rs"]
mod tests;
