//! What several commands share.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use vision_language::candle_core::Tensor;
use vision_language::clip::ClipModel;
use vision_language::config::Config;
use vision_language::dataset::{
    BadRows, Captions, DataFolder, FolderPairs, PairDataset, Splits, Transform,
};

use crate::{Error, Result};

/// A preset's configuration by its name.
pub fn preset(name: &str) -> Result<Config> {
    match name {
        "tiny" => Ok(Config::tiny()),
        "mini" => Ok(Config::mini()),
        "lecture" => Ok(Config::lecture()),
        other => {
            Err(Error::Usage(format!("--preset: expected tiny, mini or lecture, got {other:?}")))
        }
    }
}

/// Bytes of resized pictures that may be kept in memory: Flickr8k at 224² has 1.2 GB, Flickr30k 4.8.
const PIXELS_IN_MEMORY: usize = 2 << 30;

/// A folder of pictures with captions, read and split.
pub struct Data {
    /// Where its files lie.
    pub folder: DataFolder,
    /// Every caption with its picture.
    pub captions: Captions,
    /// Which of them train and which validate.
    pub splits: Splits,
}

/// Reads a folder of data.
pub fn data(folder: &Path) -> Result<Data> {
    let folder = DataFolder::find(folder)?;
    let captions = folder.captions(BadRows::Refuse)?;
    let splits = Splits::of(&folder, &captions)?;
    Ok(Data { folder, captions, splits })
}

impl Data {
    /// The pairs of a split, tokenized as `model` wants them.
    pub fn pairs(&self, indices: &[usize], model: &ClipModel) -> Result<FolderPairs> {
        let part = self.captions.select(indices);
        Ok(FolderPairs::new(
            &part.image_filenames,
            &part.captions,
            model.tokenizer(),
            &Transform::of(model.config()),
            &self.folder.images,
            model.config().max_length,
        )?)
    }

    /// As [`pairs`](Data::pairs), with resized pictures kept in memory where those of all splits fit into
    /// `PIXELS_IN_MEMORY`.
    pub fn cached(&self, indices: &[usize], model: &ClipModel) -> Result<Arc<dyn PairDataset>> {
        let pairs = self.pairs(indices, model)?;
        let pictures: HashSet<&String> = self.captions.image_filenames.iter().collect();
        let all = pictures.len() * 3 * model.config().size.pow(2);
        Ok(Arc::new(if all <= PIXELS_IN_MEMORY { pairs.cached() } else { pairs }))
    }

    /// The pictures of a split, each once, with the captions of each.
    pub fn pictures(&self, indices: &[usize]) -> Vec<(String, Vec<String>)> {
        let mut pictures: Vec<(String, Vec<String>)> = Vec::new();
        let mut place = std::collections::HashMap::new();
        for &i in indices {
            let name = &self.captions.image_filenames[i];
            let at = *place.entry(name.clone()).or_insert_with(|| {
                pictures.push((name.clone(), Vec::new()));
                pictures.len() - 1
            });
            pictures[at].1.push(self.captions.captions[i].clone());
        }
        pictures
    }
}

/// Embeds `captions` in batches.
pub fn embed_texts(model: &ClipModel, captions: &[&String]) -> Result<Tensor> {
    let texts: Vec<Tensor> = captions
        .chunks(128)
        .map(|c| model.encode_texts(c))
        .collect::<vision_language::Result<_>>()?;
    Ok(Tensor::cat(&texts, 0).map_err(vision_language::Error::from)?)
}

/// A bar on a terminal, nothing elsewhere.
pub fn bar(total: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    let style = "{prefix} {bar:30} {pos}/{len} {msg} ({eta} left)";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_string());
    bar
}

/// Minutes from the command line as a time.
pub fn minutes(minutes: Option<f64>) -> Result<Option<Duration>> {
    match minutes {
        None => Ok(None),
        Some(m) if m > 0. && m.is_finite() => Ok(Some(Duration::from_secs_f64(m * 60.))),
        Some(m) => Err(Error::Usage(format!("--minutes: expected more than 0, got {m}"))),
    }
}
