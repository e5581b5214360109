//! One training on captions.

use std::sync::Arc;
use std::time::Duration;

use vision_language::checkpoint::{StateDict, load_pt};
use vision_language::config::Config;
use vision_language::dataset::{FolderPairs, Loader, PairDataset, Transform};
use vision_language::encoder;
use vision_language::frozen::{
    Frozen, FrozenConfig, FrozenHoles, FrozenLog, FrozenStep, train_frozen_epoch,
    valid_frozen_epoch,
};

use super::FrozenArgs;
use crate::cmd::common;
use crate::holes::Holes;
use crate::{Error, Result};

/// The keys of an image encoder in a checkpoint: CLIP's, and Frozen's.
const ENCODERS: [&str; 2] = ["image_encoder.model.", "vision_encoder."];

/// Pictures with captions, and what a training needs besides its configuration.
pub(super) struct Practice<'a> {
    train: Arc<dyn PairDataset>,
    valid: Loader,
    /// The vision encoder to start from.
    vision: Option<StateDict>,
    budget: Option<Duration>,
    any: bool,
    holes: &'a FrozenHoles,
}

impl<'a> Practice<'a> {
    pub fn new(args: &FrozenArgs, config: &FrozenConfig, holes: &'a Holes) -> Result<Self> {
        let Some(folder) = &args.data else {
            let why = "--data: expected the folder of pictures and captions, got none";
            return Err(Error::Usage(why.into()));
        };
        let data = common::data(folder)?;
        // The pairs come with tokens that nobody reads here: any tokenizer does.
        let tokenizer = encoder::tokenizer(&Config::tiny())?;
        let pairs = |indices: &[usize]| -> Result<Arc<dyn PairDataset>> {
            let part = data.captions.select(indices);
            let pairs = FolderPairs::new(
                &part.image_filenames,
                &part.captions,
                &tokenizer,
                &Transform::of(&config.base),
                &data.folder.images,
                config.base.max_length,
            )?;
            Ok(Arc::new(pairs.cached()))
        };
        let names = &data.captions.image_filenames;
        let first = |indices: &[usize]| -> Vec<usize> {
            let mut last: Option<usize> = None;
            let is_first =
                |i: &usize| last.replace(*i).is_none_or(|before| names[before] != names[*i]);
            indices.iter().copied().filter(is_first).collect()
        };
        let mut train = data.splits.train.clone();
        let firsts = first(&train);
        if let Some(most) = args.images {
            let end = firsts.get(most).copied();
            train.retain(|i| end.is_none_or(|end| *i < end));
        }
        if !args.any {
            train = first(&train);
        }
        let vision = args.from_clip.as_deref().map(|path| {
            let state = load_pt(path)?.state;
            let bare = |(key, value): (String, _)| {
                let bare = ENCODERS.iter().find_map(|encoder| key.strip_prefix(encoder))?;
                Some((bare.to_string(), value))
            };
            let state: StateDict = state.into_iter().filter_map(bare).collect();
            if state.is_empty() {
                let [clip, frozen] = ENCODERS;
                let what = path.display();
                let why = format!("--from-clip: {what} has no key `{clip}…` or `{frozen}…`");
                return Err(Error::Usage(why));
            }
            Ok(state)
        });
        let workers = config.base.num_workers;
        let mut valid = first(&data.splits.valid);
        valid.truncate(args.valid.unwrap_or(usize::MAX));
        if valid.is_empty() {
            let why = "--valid: expected at least 1 validation picture, got none";
            return Err(Error::Usage(why.into()));
        }
        Ok(Self {
            train: pairs(&train)?,
            valid: Loader::new(pairs(&valid)?, config.base.batch_size, None, workers, false)?,
            vision: vision.transpose()?,
            budget: common::minutes(args.minutes)?,
            any: args.any,
            holes: &holes.frozen,
        })
    }

    /// Trains a model; `after` every epoch.
    pub fn train(
        &self,
        config: &FrozenConfig,
        after: &mut dyn FnMut(&Frozen, &FrozenLog) -> Result<()>,
    ) -> Result<(Frozen, FrozenLog)> {
        let base = &config.base;
        let mut train = Loader::new(
            self.train.clone(),
            base.batch_size,
            Some(base.seed),
            base.num_workers,
            true,
        )?;
        if self.any {
            train = train.one_caption_per_image();
        }
        let model = Frozen::new(config, *self.holes)?;
        if let Some(state) = &self.vision {
            model.params().pp("vision_encoder").load_below(state)?;
        }
        let mut optimizer = model.optimizer();
        let mut log = FrozenLog::new(base.epochs);
        if let Some(budget) = self.budget {
            log = log.budget(budget);
        }
        while !log.is_over() {
            let mut watch = |step: FrozenStep| {
                if step.step.is_multiple_of(20) || step.step == step.steps {
                    eprintln!("{step}");
                }
            };
            let loss = train_frozen_epoch(&model, &train, &mut optimizer, &mut log, &mut watch)?;
            let found = valid_frozen_epoch(&model, &self.valid, &mut log)?;
            let perplexity = found.per_token();
            eprintln!("train loss {loss:.4}, perplexity of validation captions {perplexity:.3}");
            after(&model, &log)?;
        }
        Ok((model, log))
    }
}
