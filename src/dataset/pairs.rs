//! The library's own [`PairDataset`]: pictures of a folder, decoded when they are asked for.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::contract::{Item, PairDataset};
use super::{Batch, Transform};
use crate::nn::ops::unwritten;
use crate::text::Tokenizer;
use crate::{Error, Result};

/// Pairs whose pictures lie in one folder.
#[derive(Debug)]
pub struct FolderPairs {
    image_filenames: Vec<String>,
    captions: Vec<String>,
    /// Token ids, a caption, without padding.
    ids: Vec<Vec<u32>>,
    longest: usize,
    transform: Transform,
    folder: PathBuf,
    cache: Option<Cache>,
}

/// Resized pixels, one entry a file, filled when first used.
#[derive(Debug)]
struct Cache {
    /// The entry of each pair.
    entry: Vec<usize>,
    pixels: Vec<OnceLock<Vec<u8>>>,
}

impl FolderPairs {
    /// Keeps each resized picture in memory once it was read: `3 s²` bytes a file (12 KiB at 64², 147 KiB at 224²).
    pub fn cached(mut self) -> Self {
        let mut entries = HashMap::new();
        let entry = self.image_filenames.iter().map(|name| {
            let next = entries.len();
            *entries.entry(name.as_str()).or_insert(next)
        });
        let entry = entry.collect();
        let pixels = (0..entries.len()).map(|_| OnceLock::new()).collect();
        self.cache = Some(Cache { entry, pixels });
        self
    }

    /// How many pictures the cache holds now.
    pub fn cached_pictures(&self) -> usize {
        let cached = |cache: &Cache| cache.pixels.iter().filter(|p| p.get().is_some()).count();
        self.cache.as_ref().map_or(0, cached)
    }

    /// The captions, in order.
    pub fn captions(&self) -> &[String] {
        &self.captions
    }

    /// The pictures' file names, one a caption.
    pub fn image_filenames(&self) -> &[String] {
        &self.image_filenames
    }

    /// The transform of the pictures.
    pub fn transform(&self) -> &Transform {
        &self.transform
    }

    fn check(&self, index: usize) -> Result<()> {
        let n = self.len();
        let past = || Error::value("FolderPairs, index", format!("less than {n}"), index);
        (index < n).then_some(()).ok_or_else(past)
    }

    /// Gives the resized pixels of the picture at `index` to `use_them`.
    fn with_pixels<R>(&self, index: usize, use_them: impl FnOnce(&[u8]) -> R) -> Result<R> {
        let read = || -> Result<Vec<u8>> {
            let path = self.folder.join(&self.image_filenames[index]);
            self.transform.read(&path, index)
        };
        let Some(cache) = &self.cache else { return Ok(use_them(&read()?)) };
        let slot = &cache.pixels[cache.entry[index]];
        if slot.get().is_none() {
            // Another thread may have been faster: its pixels are the same.
            let _ = slot.set(read()?);
        }
        Ok(use_them(slot.get().expect("set above")))
    }

    /// The ids of one caption and its mask, padded with 0 to `width`.
    fn padded(&self, index: usize, width: usize) -> impl Iterator<Item = (u32, u32)> + '_ {
        let tokens = self.ids[index].iter().map(|&id| (id, 1));
        tokens.chain(std::iter::repeat((0, 0))).take(width)
    }
}

impl PairDataset for FolderPairs {
    fn new(
        image_filenames: &[String],
        captions: &[String],
        tokenizer: &Tokenizer,
        transform: &Transform,
        image_folder: &Path,
        max_length: usize,
    ) -> Result<Self> {
        if image_filenames.len() != captions.len() {
            return Err(Error::value(
                "FolderPairs::new, captions",
                format!("{}, one a file name", image_filenames.len()),
                captions.len(),
            ));
        }
        if let Some(row) = captions.iter().position(|caption| caption.trim().is_empty()) {
            let what = format!("FolderPairs::new, caption {row} ({})", image_filenames[row]);
            return Err(Error::value(what, "words", "an empty caption"));
        }
        let ids = captions
            .par_iter()
            .map(|caption| tokenizer.encode(caption, max_length))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            image_filenames: image_filenames.to_vec(),
            captions: captions.to_vec(),
            longest: ids.iter().map(Vec::len).max().unwrap_or(0),
            ids,
            transform: transform.clone(),
            folder: image_folder.to_path_buf(),
            cache: None,
        })
    }

    fn len(&self) -> usize {
        self.captions.len()
    }

    fn get(&self, index: usize) -> Result<Item> {
        self.check(index)?;
        let (ids, mask): (Vec<u32>, Vec<u32>) = self.padded(index, self.longest).unzip();
        Ok(Item {
            image: self.with_pixels(index, |pixels| self.transform.tensor(pixels))??,
            input_ids: Tensor::from_vec(ids, self.longest, &Device::Cpu)?,
            attention_mask: Tensor::from_vec(mask, self.longest, &Device::Cpu)?,
            caption: self.captions[index].clone(),
        })
    }

    fn image_filename(&self, index: usize) -> &str {
        &self.image_filenames[index]
    }

    /// The same batch without a tensor a pair: pixels go straight to their place.
    fn batch(&self, indices: &[usize]) -> Result<Batch> {
        indices.iter().try_for_each(|&index| self.check(index))?;
        let (b, s) = (indices.len(), self.transform.size);
        if b == 0 {
            return Err(Error::value("FolderPairs::batch", "at least one index", "none"));
        }
        let table = self.transform.table();
        let mut values = unwritten(b * 3 * s * s);
        for (&index, image) in indices.iter().zip(values.chunks_exact_mut(3 * s * s)) {
            self.with_pixels(index, |pixels| table.normalise(pixels, image))?;
        }
        let t = indices.iter().map(|&i| self.ids[i].len()).max().unwrap_or(0);
        let (ids, mask): (Vec<u32>, Vec<u32>) =
            indices.iter().flat_map(|&i| self.padded(i, t)).unzip();
        Ok(Batch {
            images: Tensor::from_vec(values, (b, 3, s, s), &Device::Cpu)?,
            input_ids: Tensor::from_vec(ids, (b, t), &Device::Cpu)?,
            attention_mask: Tensor::from_vec(mask, (b, t), &Device::Cpu)?,
            captions: indices.iter().map(|&i| self.captions[i].clone()).collect(),
            image_filenames: indices.iter().map(|&i| self.image_filenames[i].clone()).collect(),
            indices: indices.to_vec(),
        })
    }
}
