//! One face for the three: a loss of a batch, and scores of labels for a picture.

use candle_core::Tensor;

use super::{BagOfWords, Captioner, Labels, Objective, ObjectivesConfig};
use crate::Result;
use crate::clip::{ClipLoss, ClipModel, LinearHead, TextClassifier, head};
use crate::dataset::Batch;
use crate::nn::{AdamW, Mode};

/// A model that learns pictures from captions.
pub(super) trait Learner {
    /// The loss of a batch in training.
    fn loss(&self, batch: &Batch) -> Result<Tensor>;

    /// Pictures `(b, 3, s, s)` → `(b, c)`: how well each label fits, the more the better.
    fn scores(&self, images: &Tensor, labels: &Labels) -> Result<Tensor>;

    /// What changes its parameters.
    fn optimizer(&self) -> AdamW;

    /// What is to be done after each step.
    fn after_step(&self) -> Result<()> {
        Ok(())
    }
}

/// The model of an objective. Its image encoder has the same weights as those of the others with the same configuration: it
/// is the first that the seed draws.
pub(super) fn learner(
    objective: Objective,
    config: &ObjectivesConfig,
    loss: ClipLoss,
) -> Result<Box<dyn Learner>> {
    Ok(match objective {
        Objective::Caption => Box::new(Captioner::new(config)?),
        Objective::Words => Box::new(BagOfWords::new(&config.base)?),
        Objective::Contrastive => {
            Box::new(ClipModel::new(&config.base, head::<LinearHead>(), loss)?)
        }
    })
}

impl Learner for Captioner {
    fn loss(&self, batch: &Batch) -> Result<Tensor> {
        self.loss(&batch.images, &batch.input_ids, &batch.attention_mask, Mode::Train)
    }

    fn scores(&self, images: &Tensor, labels: &Labels) -> Result<Tensor> {
        self.sentence_scores(images, &labels.sentences)
    }

    fn optimizer(&self) -> AdamW {
        self.optimizer()
    }
}

impl Learner for BagOfWords {
    fn loss(&self, batch: &Batch) -> Result<Tensor> {
        self.loss(&batch.images, &batch.input_ids, Mode::Train)
    }

    fn scores(&self, images: &Tensor, labels: &Labels) -> Result<Tensor> {
        self.label_scores(images, &labels.names)
    }

    fn optimizer(&self) -> AdamW {
        self.optimizer()
    }
}

impl Learner for ClipModel {
    fn loss(&self, batch: &Batch) -> Result<Tensor> {
        self.loss(&batch.images, &batch.input_ids, &batch.attention_mask, Mode::Train)
    }

    fn scores(&self, images: &Tensor, labels: &Labels) -> Result<Tensor> {
        let classifier = TextClassifier::of_sentences(&labels.names, &labels.sentences, self)?;
        classifier.probabilities(&self.encode_image(images, Mode::Eval)?.detach())
    }

    fn optimizer(&self) -> AdamW {
        self.optimizer()
    }

    fn after_step(&self) -> Result<()> {
        self.clamp_logit_scale()
    }
}
