//! The embeddings of many pictures, computed once and kept.

use std::path::{Path, PathBuf};

use candle_core::Tensor;
use rayon::prelude::*;

use super::ClipModel;
use crate::checkpoint::{StateDict, load_safetensors, save_safetensors};
use crate::dataset::Transform;
use crate::display::Interruptible;
use crate::nn::Mode;
use crate::{Error, Result};

/// Pictures that go through the encoder at once.
const BATCH: usize = 64;

/// Embeddings of pictures, a row each: what `find_matches` searches.
#[derive(Clone, Debug)]
pub struct ImageIndex {
    /// The pictures' file names, without their folder.
    pub image_filenames: Vec<String>,
    /// `(N, p)`, as they leave the head.
    pub embeddings: Tensor,
}

impl ImageIndex {
    /// Encodes the pictures of `folder`; `watch` gets how many are done.
    ///
    /// # Errors
    /// A picture that is missing or damaged, by name; [`Error::Stopped`] by a notebook's stop button.
    pub fn build(
        model: &ClipModel,
        folder: &Path,
        image_filenames: &[String],
        watch: &mut dyn FnMut(usize),
    ) -> Result<Self> {
        if image_filenames.is_empty() {
            return Err(Error::value("ImageIndex::build, image_filenames", "at least one", "none"));
        }
        let transform = Transform::of(model.config());
        let mut rows = Vec::new();
        let stop = Interruptible::new("the embedding of pictures");
        for (chunk, names) in image_filenames.chunks(BATCH).enumerate() {
            stop.check(|| format!("{} of {} are done", chunk * BATCH, image_filenames.len()))?;
            let one =
                |(i, name): (usize, &String)| transform.load(&folder.join(name), chunk * BATCH + i);
            let images: Vec<Tensor> =
                names.par_iter().enumerate().map(one).collect::<Result<_>>()?;
            let images = Tensor::stack(&images, 0)?.to_device(model.params().device())?;
            rows.push(model.encode_image(&images, Mode::Eval)?.detach());
            watch(chunk * BATCH + names.len());
        }
        Ok(Self { image_filenames: image_filenames.to_vec(), embeddings: Tensor::cat(&rows, 0)? })
    }

    /// As [`build`](ImageIndex::build), but taken from `cache` when that holds just these pictures, unchanged, by this
    /// very checkpoint; written there otherwise.
    ///
    /// # Errors
    /// As [`build`](ImageIndex::build). A cache that cannot be read is made anew.
    pub fn cached(
        model: &ClipModel,
        checkpoint: &Path,
        folder: &Path,
        image_filenames: &[String],
        cache: &Path,
        watch: &mut dyn FnMut(usize),
    ) -> Result<Self> {
        let key = fingerprint(checkpoint, folder, image_filenames)?;
        if let Ok(mut state) = load_safetensors(cache)
            && let (Some(embeddings), Some(kept)) =
                (state.remove("embeddings"), state.remove("fingerprint"))
            && kept.to_vec1::<i64>().is_ok_and(|k| k == [key])
            && embeddings.dims().first() == Some(&image_filenames.len())
        {
            let embeddings = embeddings.to_device(model.params().device())?;
            return Ok(Self { image_filenames: image_filenames.to_vec(), embeddings });
        }
        let index = Self::build(model, folder, image_filenames, watch)?;
        let mut state = StateDict::new();
        state.insert("embeddings".into(), index.embeddings.to_device(&candle_core::Device::Cpu)?);
        state.insert("fingerprint".into(), Tensor::new(&[key], &candle_core::Device::Cpu)?);
        save_safetensors(cache, &state)?;
        Ok(index)
    }

    /// Where the embeddings of `checkpoint` are kept: beside it.
    pub fn cache_of(checkpoint: &Path) -> PathBuf {
        checkpoint.with_extension("embeddings.safetensors")
    }
}

/// Changes when the checkpoint or any picture does: names, sizes and times, hashed (FNV-1a).
fn fingerprint(checkpoint: &Path, folder: &Path, image_filenames: &[String]) -> Result<i64> {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut take = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    let weights = ClipModel::weights_of(checkpoint)?;
    take(&std::fs::read(&weights).map_err(Error::io(&weights))?);
    for (index, name) in image_filenames.iter().enumerate() {
        let path = folder.join(name);
        let meta = std::fs::metadata(&path).map_err(|e| Error::Image {
            path,
            index,
            why: e.to_string(),
        })?;
        let changed =
            meta.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
        take(name.as_bytes());
        take(&meta.len().to_le_bytes());
        take(&changed.map_or(0, |t| t.as_nanos()).to_le_bytes());
    }
    Ok(hash as i64)
}
