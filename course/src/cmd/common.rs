//! What several commands share.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use vision_language::candle_core::Tensor;
use vision_language::clip::ClipModel;
use vision_language::config::{CbowConfig, Config, Start, VitConfig};
use vision_language::dataset::{
    BadRows, Captions, DataFolder, FolderPairs, PairDataset, Splits, Transform,
};
use vision_language::text::Tokenizer;

use crate::{Error, Result};

/// The slide's choices: "image_encoder - ResNet or Vision Transformer", "text_encoder - CBOW or Text Transformer".
#[derive(Clone, Debug, Default, Args)]
pub struct Choices {
    /// The image encoder, of the preset `tiny`; a vision transformer starts from random weights [default: resnet]
    #[arg(long, value_enum)]
    image_encoder: Option<ImageChoice>,
    /// The text encoder, of the preset `tiny`; a bag of words starts from random weights [default: transformer]
    #[arg(long, value_enum)]
    text_encoder: Option<TextChoice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ImageChoice {
    Resnet,
    Vit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TextChoice {
    Transformer,
    Cbow,
}

impl Choices {
    /// Puts the encoders into a configuration.
    ///
    /// # Errors
    /// When they are chosen for another preset than `tiny`: the others are made of published weights.
    pub fn set(&self, config: &mut Config) -> Result<()> {
        let chosen = self.image_encoder.is_some() || self.text_encoder.is_some();
        if chosen && config.preset != "tiny" {
            return Err(Error::Usage(format!(
                "--image-encoder, --text-encoder: expected --preset tiny with them, got {}, whose encoders are published ones",
                config.preset
            )));
        }
        if self.image_encoder == Some(ImageChoice::Vit) {
            (config.image_encoder, config.image_start) = (VitConfig::tiny().into(), Start::Scratch);
        }
        if self.text_encoder == Some(TextChoice::Cbow) {
            (config.text_encoder, config.text_start) = (CbowConfig::tiny().into(), Start::Scratch);
        }
        Ok(())
    }
}

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
        self.pairs_for(indices, model.tokenizer(), model.config())
    }

    /// The pairs of a split for models of a configuration.
    pub fn pairs_for(
        &self,
        indices: &[usize],
        tokenizer: &Tokenizer,
        config: &Config,
    ) -> Result<FolderPairs> {
        let part = self.captions.select(indices);
        Ok(FolderPairs::new(
            &part.image_filenames,
            &part.captions,
            tokenizer,
            &Transform::of(config),
            &self.folder.images,
            config.max_length,
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
