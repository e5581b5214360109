//! The whole training: pictures drawn on the way, their embeddings, then the decoder and both priors.

use candle_core::Device;
use serde::Serialize;

use super::train::{UnclipStep, UnclipTraining, train_ar_prior, train_decoder, train_prior};
use super::{
    ArPrior, ArPriorConfig, Decoder, DecoderConfig, Guidance, Prior, PriorConfig, Unclip,
    UnclipData,
};
use crate::Result;
use crate::clip::ClipModel;
use crate::dataset::scenes::Split;
use crate::dataset::scenes::single;
use crate::nn::Params;

/// A part that is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Embeddings to pictures.
    Decoder,
    /// Captions to embeddings, by diffusion.
    Prior,
    /// Captions to embeddings, by codes.
    ArPrior,
}

impl Part {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Decoder, Self::Prior, Self::ArPrior];

    /// What it is called while it trains.
    pub fn name(self) -> &'static str {
        match self {
            Self::Decoder => "decoder",
            Self::Prior => "prior",
            Self::ArPrior => "autoregressive prior",
        }
    }

    /// Its share of the time of a training of all three. The decoder has the most to learn: what things look like.
    pub fn share(self) -> f64 {
        match self {
            Self::Decoder => 0.7,
            Self::Prior => 0.18,
            Self::ArPrior => 0.12,
        }
    }

    /// A largest learning rate that serves it well.
    pub fn lr(self) -> f64 {
        match self {
            Self::Decoder => 2e-3,
            Self::Prior | Self::ArPrior => 1e-3,
        }
    }
}

impl Unclip {
    /// Pictures that the training draws: `n` of [`single`] in the training split, with their captions and embeddings.
    ///
    /// # Errors
    /// When `n` is 0; [`Error::Stopped`](crate::Error::Stopped) by a notebook's stop button.
    pub fn examples(clip: &ClipModel, n: usize, split: Split, seed: u64) -> Result<UnclipData> {
        let drawn = single::draw(n, split, single::SIDE, seed)?;
        UnclipData::new(clip, &drawn.images, &drawn.captions, PriorConfig::tiny(0).tokens)
    }

    /// Random weights of `tiny`'s sizes; the autoregressive prior's codes are learned from the examples.
    ///
    /// # Errors
    /// When there are too few examples for the codes.
    pub fn tiny(clip: ClipModel, examples: &UnclipData, seed: u64) -> Result<Self> {
        let vocabulary = clip.tokenizer().vocab_size();
        let params = Params::new(&Device::Cpu, seed);
        let decoder = Decoder::new(&DecoderConfig::tiny(), &params.pp("decoder"))?;
        let prior = Prior::new(&PriorConfig::tiny(vocabulary), &params.pp("prior"))?;
        let config = ArPriorConfig::tiny(vocabulary);
        let ar_params = params.pp("ar_prior");
        let ar_prior = ArPrior::new(&config, &examples.embeddings, &examples.captions, &ar_params)?;
        Ok(Self { clip, prior, ar_prior, decoder })
    }

    /// Trains one part on examples; gives the losses.
    ///
    /// # Errors
    /// What the exercise reports; a loss that is not a number; [`Error::Stopped`](crate::Error::Stopped).
    pub fn train(
        &self,
        part: Part,
        examples: &UnclipData,
        guidance: &dyn Guidance,
        how: &UnclipTraining,
        watch: &mut dyn FnMut(&UnclipStep),
    ) -> Result<Vec<f64>> {
        match part {
            Part::Decoder => train_decoder(&self.decoder, examples, guidance, how, watch),
            Part::Prior => train_prior(&self.prior, examples, guidance, how, watch),
            Part::ArPrior => train_ar_prior(&self.ar_prior, examples, guidance, how, watch),
        }
    }
}
