//! The autoregressive prior: the embedding as codes, one after another (arXiv:2204.06125, section 2.2).
//!
//! ```text
//! [the caption's tokens, z_t | the dot product z_i · z_t, c₁, c₂, …, c_k]   a causal transformer says each from those before
//! ```
//!
//! The caption and its embedding are a prefix. The token of the dot product makes a wish possible: when it draws, it takes
//! one from the upper half.

use candle_core::{DType, Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::caption::{CaptionBatch, scaled};
use super::codes::Codes;
use super::decoder::keep;
use super::{ArPriorConfig, Guidance};
use crate::checkpoint::StateDict;
use crate::config::Gpt2Config;
use crate::language_model::{Gpt2, KvCache, LmInput};
use crate::nn::{Linear, Mode, Params};
use crate::{Error, Result};

/// The autoregressive prior.
pub struct ArPrior {
    config: ArPriorConfig,
    transformer: Gpt2,
    caption: Linear,
    codes: Codes,
    /// Where one bin of the dot product ends and the next begins.
    dot_edges: Vec<f32>,
    params: Params,
}

crate::display::shows_its_parameters!(ArPrior);

impl ArPrior {
    /// Takes its parameters from `params`, and learns its codes and the dot product's bins from image embeddings `(n, p)` of
    /// length √p and their captions.
    ///
    /// # Errors
    /// When the sizes do not fit.
    pub fn new(
        config: &ArPriorConfig,
        embeddings: &Tensor,
        captions: &CaptionBatch,
        params: &Params,
    ) -> Result<Self> {
        let codes = Codes::fit(embeddings, config.components, config.bins)?;
        let mut dots = dots(embeddings, &captions.embedding)?;
        dots.sort_by(f32::total_cmp);
        let edge = |bin: usize| dots[bin * dots.len() / config.dot_bins];
        Self::with(config, codes, (1..config.dot_bins).map(edge).collect(), params)
    }

    fn with(
        config: &ArPriorConfig,
        codes: Codes,
        dot_edges: Vec<f32>,
        params: &Params,
    ) -> Result<Self> {
        let d = config.width;
        let inside = Gpt2Config {
            vocab_size: config.vocabulary + config.dot_bins + config.bins,
            n_positions: config.tokens + 2 + config.components,
            n_embd: d,
            n_layer: config.layers,
            n_head: config.heads,
            layer_norm_epsilon: 1e-5,
            dropout: 0.,
        };
        Ok(Self {
            config: config.clone(),
            transformer: Gpt2::new(&inside, params)?,
            caption: Linear::bert(config.embedding, d, &params.pp("caption"))?,
            codes,
            dot_edges,
            params: params.clone(),
        })
    }

    /// The sizes.
    pub fn config(&self) -> &ArPriorConfig {
        &self.config
    }

    /// How embeddings become codes.
    pub fn codes(&self) -> &Codes {
        &self.codes
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Everything that the sequence holds but the caption: the dot product's token and the codes, `(b, 1 + k)`, u32, from 0
    /// in each kind.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn targets(&self, embeddings: &Tensor, captions: &CaptionBatch) -> Result<Tensor> {
        let bin = |dot: f32| self.dot_edges.partition_point(|edge| *edge <= dot) as u32;
        let dots: Vec<u32> = dots(embeddings, &captions.embedding)?.into_iter().map(bin).collect();
        let dots = Tensor::from_vec(dots, (captions.len(), 1), &Device::Cpu)?;
        Ok(Tensor::cat(&[&dots, &self.codes.encode(embeddings)?], 1)?)
    }

    /// What stands for the caption, `(b, t + 1, d)`.
    fn prefix(&self, captions: &CaptionBatch) -> Result<Tensor> {
        let tokens = self.transformer.embed(&captions.ids)?;
        let embedding = self.caption.forward(&captions.embedding)?.unsqueeze(1)?;
        Ok(Tensor::cat(&[&tokens, &embedding], 1)?)
    }

    /// The first id of the dot product's bins, and of the codes.
    fn first_ids(&self) -> (usize, usize) {
        (self.config.vocabulary, self.config.vocabulary + self.config.dot_bins)
    }

    /// Targets `(b, 1 + k)` from 0 in each kind → ids of the one vocabulary.
    fn ids(&self, targets: &Tensor) -> Result<Tensor> {
        let (dot, code) = self.first_ids();
        let k = targets.dim(1)?;
        let first: Vec<u32> = (0..k).map(|i| if i == 0 { dot } else { code } as u32).collect();
        Ok(targets.broadcast_add(&Tensor::from_vec(first, (1, k), targets.device())?)?)
    }

    fn input(&self, embeddings: &Tensor, mask: &Tensor, from: usize) -> Result<LmInput> {
        let (b, s, _) = embeddings.dims3()?;
        let places = Tensor::arange(from as u32, (from + s) as u32, mask.device())?;
        Ok(LmInput {
            embeddings: embeddings.clone(),
            attention_mask: mask.clone(),
            position_ids: places.unsqueeze(0)?.broadcast_as((b, s))?.contiguous()?,
        })
    }

    /// The mean cross-entropy of the dot product's token and the codes, nats each.
    ///
    /// # Errors
    /// What the exercise reports, or shapes that do not fit.
    pub fn loss(
        &self,
        embeddings: &Tensor,
        captions: &CaptionBatch,
        guidance: &dyn Guidance,
        rng: &mut ChaCha8Rng,
    ) -> Result<Tensor> {
        let kept = keep(rng, captions.len(), self.config.drop_caption)?;
        self.loss_at(embeddings, captions, &kept, guidance)
    }

    /// [`loss`](Self::loss), given which captions are kept, `(b)`.
    ///
    /// # Errors
    /// As [`loss`](Self::loss).
    pub fn loss_at(
        &self,
        embeddings: &Tensor,
        captions: &CaptionBatch,
        kept: &Tensor,
        guidance: &dyn Guidance,
    ) -> Result<Tensor> {
        let (b, t) = captions.ids.dims2()?;
        let targets = self.targets(embeddings, captions)?;
        let k = targets.dim(1)?;
        let prefix = guidance.drop_condition(&self.prefix(captions)?, kept)?;
        // Nobody is asked what comes after the last code: it is not read.
        let said = self.transformer.embed(&self.ids(&targets)?.narrow(1, 0, k - 1)?)?;
        let said_mask = Tensor::ones((b, k), DType::U32, captions.mask.device())?;
        let mask = Tensor::cat(&[&captions.mask, &said_mask], 1)?;
        let input = self.input(&Tensor::cat(&[&prefix, &said], 1)?, &mask, 0)?;
        let hidden = self.transformer.hidden(&input, Mode::Train, None)?;
        let dot = self.logits(&hidden.narrow(1, t, 1)?, true)?; // (b, 1, dot_bins)
        let codes = self.logits(&hidden.narrow(1, t + 1, k - 1)?, false)?; // (b, k − 1, bins)
        let sum = (cross_entropy_sum(&dot, &targets.narrow(1, 0, 1)?)?
            + cross_entropy_sum(&codes, &targets.narrow(1, 1, k - 1)?)?)?;
        Ok((sum / (b * k) as f64)?)
    }

    /// Of the vocabulary's logits, those of the kind that can come.
    fn logits(&self, hidden: &Tensor, dot: bool) -> Result<Tensor> {
        let (first_dot, first_code) = self.first_ids();
        let logits = self.transformer.predict(hidden)?;
        Ok(match dot {
            true => logits.narrow(2, first_dot, self.config.dot_bins)?,
            false => logits.narrow(2, first_code, self.config.bins)?,
        })
    }

    /// An image embedding `(b, p)` of length √p for each caption: a dot product from the upper half, then the codes, drawn
    /// at this temperature (0: the likeliest each time). Row i draws from `seed + i`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn draw(&self, captions: &CaptionBatch, temperature: f64, seed: u64) -> Result<Tensor> {
        let (b, _) = captions.ids.dims2()?;
        let rng = |i: usize| ChaCha8Rng::seed_from_u64(seed.wrapping_add(i as u64));
        let mut rngs: Vec<ChaCha8Rng> = (0..b).map(rng).collect();
        let half = self.config.dot_bins / 2;
        let mut last: Vec<u32> = rngs
            .iter_mut()
            .map(|rng| rng.random_range(half..self.config.dot_bins) as u32)
            .collect();
        let mut drawn: Vec<Vec<u32>> = vec![Vec::new(); b];
        let mut cache = KvCache::new();
        let one = Tensor::ones((b, 1), DType::U32, captions.mask.device())?;
        let mut mask = Tensor::cat(&[&captions.mask, &one], 1)?;
        let mut read = self.prefix(captions)?;
        let mut from = 0;
        self.transformer.hidden(&self.input(&read, &mask, from)?, Mode::Eval, Some(&mut cache))?;
        for i in 0..self.config.components {
            from += read.dim(1)?;
            let (dot, code) = self.first_ids();
            let first = if i == 0 { dot } else { code } as u32;
            let ids: Vec<u32> = last.iter().map(|id| id + first).collect();
            read = self.transformer.embed(&Tensor::from_vec(ids, (b, 1), &Device::Cpu)?)?;
            mask = Tensor::cat(&[&mask, &one], 1)?;
            let input = self.input(&read, &mask, from)?;
            let hidden = self.transformer.hidden(&input, Mode::Eval, Some(&mut cache))?;
            let logits = self.logits(&hidden, false)?.squeeze(1)?.to_vec2::<f32>()?;
            for (row, logits) in logits.iter().enumerate() {
                last[row] = choose(logits, temperature, &mut rngs[row]);
                drawn[row].push(last[row]);
            }
        }
        let codes = Tensor::from_vec(drawn.concat(), (b, self.config.components), &Device::Cpu)?;
        scaled(&self.codes.decode(&codes)?)
    }

    /// What a checkpoint keeps beside the parameters.
    pub(super) fn tables(&self) -> Result<StateDict> {
        let mut state = self.codes.state_dict()?;
        let edges = Tensor::from_slice(&self.dot_edges, self.dot_edges.len(), &Device::Cpu)?;
        state.insert("dot_edges".into(), edges);
        Ok(state)
    }

    /// From what [`tables`](Self::tables) wrote.
    pub(super) fn from_tables(
        config: &ArPriorConfig,
        state: &StateDict,
        params: &Params,
    ) -> Result<Self> {
        let edges = state.get("dot_edges").ok_or_else(|| {
            Error::value("autoregressive prior", "the key `dot_edges`", "no such key (missing)")
        })?;
        let edges = edges.to_dtype(DType::F32)?.to_vec1::<f32>()?;
        Self::with(config, Codes::from_state(state)?, edges, params)
    }
}

/// Dot products of the rows of two tensors `(b, p)` of length √p, as cosines.
fn dots(a: &Tensor, b: &Tensor) -> Result<Vec<f32>> {
    Ok((a * b)?.mean(1)?.to_vec1::<f32>()?)
}

/// Logits `(b, n, c)`, targets `(b, n)`, u32 → the sum of the cross-entropies.
fn cross_entropy_sum(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let log_p = candle_nn::ops::log_softmax(logits, 2)?;
    let targets = targets.unsqueeze(2)?.contiguous()?;
    Ok(log_p.contiguous()?.gather(&targets, 2)?.sum_all()?.neg()?)
}

/// A place of `logits`, drawn at a temperature.
fn choose(logits: &[f32], temperature: f64, rng: &mut ChaCha8Rng) -> u32 {
    let best = (0..logits.len()).max_by(|i, j| logits[*i].total_cmp(&logits[*j])).unwrap_or(0);
    if temperature <= 0. {
        return best as u32;
    }
    let weight = |logit: f32| (f64::from(logit - logits[best]) / temperature).exp();
    let mut left = rng.random::<f64>() * logits.iter().copied().map(weight).sum::<f64>();
    let place = logits.iter().position(|logit| {
        left -= weight(*logit);
        left <= 0.
    });
    place.unwrap_or(best) as u32
}
