//! Fine-tuning beside prompting: the same model with a classifier on top, all of it trained on a few labelled examples.

use candle_core::Tensor;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{CausalFiller, MaskedFiller, best};
use crate::dataset::Review;
use crate::display::Interruptible;
use crate::nn::{AdamW, Linear, Mode, ParamGroup, Params};
use crate::text::{Side, pad};
use crate::{Error, Result};

/// How a model is fine-tuned.
#[derive(Clone, Copy, Debug)]
pub struct TuneConfig {
    /// Steps.
    pub steps: usize,
    /// Examples in a step, at most.
    pub batch_size: usize,
    /// The learning rate, constant.
    pub lr: f64,
    /// The seed of the classifier's first values and of the order.
    pub seed: u64,
}

impl Default for TuneConfig {
    fn default() -> Self {
        Self { steps: 40, batch_size: 16, lr: 1e-3, seed: 0 }
    }
}

/// The model below a classifier.
pub enum Body {
    /// The vector of the last token counts (GPT-1, section 3.2).
    Causal(CausalFiller),
    /// The vector of `[CLS]` counts (BERT, section 3.2).
    Masked(MaskedFiller),
}

/// A pretrained model with a linear layer on top.
pub struct Classifier {
    body: Body,
    head: Linear,
    head_params: Params,
}

impl Classifier {
    /// A classifier of `labels` labels whose layer is random.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(body: Body, labels: usize, seed: u64) -> Result<Self> {
        let (device, d) = match &body {
            Body::Causal(f) => (f.model.params().device().clone(), f.model.width()),
            Body::Masked(f) => (f.model.params().device().clone(), f.model.features()),
        };
        let head_params = Params::new(&device, seed);
        Ok(Self { head: Linear::normal(d, labels, 0.02, &head_params)?, head_params, body })
    }

    /// Texts → logits `(texts, labels)`.
    ///
    /// # Errors
    /// When a text is longer than the model reads.
    pub fn logits(&self, texts: &[&str], mode: Mode) -> Result<Tensor> {
        let features = match &self.body {
            Body::Causal(f) => {
                let end = f.tokenizer.end_of_text()?;
                let row = |text: &&str| Ok([vec![end], f.tokenizer.encode(text)?].concat());
                let rows = texts.iter().map(row).collect::<Result<Vec<_>>>()?;
                let batch = pad(&rows, Side::Left, f.model.params().device())?;
                let input = f.model.input(&batch.input_ids, &batch.attention_mask)?;
                let hidden = f.model.hidden(&input, mode, None)?;
                hidden.narrow(1, hidden.dim(1)? - 1, 1)?.squeeze(1)?
            }
            Body::Masked(f) => {
                let device = f.model.params().device();
                let batch = f.tokenizer.encode_batch(texts, 64, device)?;
                let hidden = f.model.hidden(&batch.input_ids, &batch.attention_mask, mode)?;
                hidden.narrow(1, 0, 1)?.squeeze(1)?
            }
        };
        self.head.forward(&features.contiguous()?)
    }

    /// Trains all of it on the examples. Parameters that the classifier does not look at (the masked words' head) stay.
    ///
    /// # Errors
    /// When there is no example, the loss is not a number, or the user stops it.
    pub fn train(&self, examples: &[Review], how: &TuneConfig) -> Result<()> {
        if examples.is_empty() {
            return Err(Error::value("fine-tuning", "at least one example", 0));
        }
        let below = match &self.body {
            Body::Causal(f) => f.model.params().clone(),
            Body::Masked(f) => f.model.params().pp("distilbert"),
        };
        let group = |name: &str, params| ParamGroup {
            name: name.into(),
            params,
            lr: how.lr,
            weight_decay: 0.01,
        };
        let groups =
            vec![group("model", below.trainable()), group("head", self.head_params.trainable())];
        let mut optimizer = AdamW::new(groups);
        let mut rng = ChaCha8Rng::seed_from_u64(how.seed);
        let stop = Interruptible::new("the fine-tuning");
        let mut order: Vec<usize> = Vec::new();
        for step in 0..how.steps {
            stop.check(|| format!("{step} of {} steps are done", how.steps))?;
            let mut batch = Vec::new();
            while batch.len() < how.batch_size.min(examples.len()) {
                if order.is_empty() {
                    order = (0..examples.len()).collect();
                    order.shuffle(&mut rng);
                }
                batch.extend(order.pop());
            }
            let texts: Vec<&str> = batch.iter().map(|i| examples[*i].text.as_str()).collect();
            let labels: Vec<u32> = batch.iter().map(|i| examples[*i].label as u32).collect();
            let labels = Tensor::new(labels, below.device())?;
            let logits = self.logits(&texts, Mode::Train)?;
            let loss = candle_nn::loss::cross_entropy(&logits, &labels)?;
            optimizer.backward_step(&loss)?;
        }
        Ok(())
    }

    /// The share of reviews whose label is found.
    ///
    /// # Errors
    /// As [`logits`](Self::logits).
    pub fn accuracy(&self, test: &[Review]) -> Result<f64> {
        let mut right = 0;
        for part in test.chunks(64) {
            let texts: Vec<&str> = part.iter().map(|r| r.text.as_str()).collect();
            let logits = self.logits(&texts, Mode::Eval)?.detach().to_vec2::<f32>()?;
            let found =
                logits.iter().map(|l| best(&l.iter().map(|v| f64::from(*v)).collect::<Vec<_>>()));
            right += found.zip(part).filter(|(label, review)| *label == review.label).count();
        }
        Ok(right as f64 / test.len().max(1) as f64)
    }
}
