//! The diffusion prior: which image embedding belongs to a caption? (arXiv:2204.06125, section 2.2)
//!
//! ```text
//! [the caption's tokens, z_t, the step, the noised z_i, a query] → a causal transformer → what the query's place says: z_i
//! loss = mean (ẑ_i − z_i)²
//! ```
//!
//! A caption fits many pictures. So it is drawn twice, and the one whose dot product with `z_t` is higher is kept.

use candle_core::Tensor;
use rand_chacha::ChaCha8Rng;

use super::caption::CaptionBatch;
use super::decoder::{keep, spread};
use super::diffusion::{gaussian, gaussian_rows, timestep_embedding};
use super::{Diffusion, Guidance, PriorConfig, Sampler};
use crate::config::Gpt2Config;
use crate::language_model::{Gpt2, LmInput};
use crate::nn::{Init, Linear, Mode, Param, Params, ops};
use crate::{Error, Result};

/// What stands behind the caption: its embedding, the step, the noised embedding, the query.
const BEHIND: usize = 4;

/// How to draw embeddings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriorDraw {
    /// Stops on the way from noise to embedding.
    pub steps: usize,
    /// How a step goes.
    pub sampler: Sampler,
    /// The guidance scale: 1 is without guidance.
    pub scale: f64,
    /// How many are drawn for each that is kept; the paper's number is 2.
    pub candidates: usize,
}

impl Default for PriorDraw {
    fn default() -> Self {
        Self { steps: 20, sampler: Sampler::Ddpm, scale: 1., candidates: 2 }
    }
}

/// The diffusion prior.
pub struct Prior {
    config: PriorConfig,
    diffusion: Diffusion,
    transformer: Gpt2,
    caption: Linear,
    step1: Linear,
    step2: Linear,
    noised: Linear,
    query: Param,
    out: Linear,
    params: Params,
}

crate::display::shows_its_parameters!(Prior);

impl Prior {
    /// Takes its parameters from `params`.
    ///
    /// # Errors
    /// When the sizes do not fit.
    pub fn new(config: &PriorConfig, params: &Params) -> Result<Self> {
        let (d, p) = (config.width, config.embedding);
        let inside = Gpt2Config {
            vocab_size: config.vocabulary,
            n_positions: config.tokens + BEHIND,
            n_embd: d,
            n_layer: config.layers,
            n_head: config.heads,
            layer_norm_epsilon: 1e-5,
            dropout: 0.,
        };
        let linear = |inp, out, name| Linear::bert(inp, out, &params.pp(name));
        Ok(Self {
            config: config.clone(),
            diffusion: Diffusion::of_embeddings(config.noise, config.steps),
            transformer: Gpt2::new(&inside, params)?,
            caption: linear(p, d, "caption")?,
            step1: linear(d, d, "step.0")?,
            step2: linear(d, d, "step.1")?,
            noised: linear(p, d, "noised")?,
            query: params.get((1, d), "query", Init::Normal(0.02))?,
            out: linear(d, p, "out")?,
            params: params.clone(),
        })
    }

    /// The sizes.
    pub fn config(&self) -> &PriorConfig {
        &self.config
    }

    /// The noise and what is predicted.
    pub fn diffusion(&self) -> &Diffusion {
        &self.diffusion
    }

    /// The parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// What is known of the captions, `(b, t + 1, d)`: their tokens' vectors, and their embedding's. This is what guidance
    /// drops.
    fn known(&self, captions: &CaptionBatch) -> Result<Tensor> {
        let tokens = self.transformer.embed(&captions.ids)?;
        let embedding = self.caption.forward(&captions.embedding)?.unsqueeze(1)?;
        Ok(Tensor::cat(&[&tokens, &embedding], 1)?)
    }

    /// Noised embeddings `(b, p)`, a step each, what is known `(b, t + 1, d)` → embeddings `(b, p)`
    fn predicted(
        &self,
        x: &Tensor,
        steps: &[usize],
        known: &Tensor,
        captions: &CaptionBatch,
    ) -> Result<Tensor> {
        let (b, t) = captions.ids.dims2()?;
        if t != self.config.tokens || x.dims() != [b, self.config.embedding] || steps.len() != b {
            let expected = format!(
                "captions of {} tokens and embeddings ({b}, {})",
                self.config.tokens, self.config.embedding
            );
            let got = format!("{t} tokens, {:?} and {} steps", x.dims(), steps.len());
            return Err(Error::value("prior", expected, got));
        }
        let d = self.config.width;
        let step = self.step1.forward(&timestep_embedding(steps, d)?)?;
        let step = self.step2.forward(&ops::silu(&step)?)?.unsqueeze(1)?;
        let noised = self.noised.forward(x)?.unsqueeze(1)?;
        let query = self.query.tensor().unsqueeze(0)?.broadcast_as((b, 1, d))?;
        let all = Tensor::cat(&[known, &step, &noised, &query], 1)?;
        let device = all.device();
        let behind = Tensor::ones((b, BEHIND), candle_core::DType::U32, device)?;
        let places = Tensor::arange(0, (t + BEHIND) as u32, device)?;
        let input = LmInput {
            embeddings: all,
            attention_mask: Tensor::cat(&[&captions.mask, &behind], 1)?,
            // Each kind of thing has its place, however short the caption is.
            position_ids: places.unsqueeze(0)?.broadcast_as((b, t + BEHIND))?.contiguous()?,
        };
        let hidden = self.transformer.hidden(&input, Mode::Eval, None)?;
        self.out.forward(&hidden.narrow(1, t + BEHIND - 1, 1)?.squeeze(1)?)
    }

    /// Noised embeddings `(b, p)`, a step each, captions → what they were before the noise, `(b, p)`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    pub fn forward(&self, x: &Tensor, steps: &[usize], captions: &CaptionBatch) -> Result<Tensor> {
        self.predicted(x, steps, &self.known(captions)?, captions)
    }

    /// The loss of a batch: image embeddings `(b, p)` of length √p with their captions.
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
        let b = embeddings.dim(0)?;
        let steps = spread(rng, b, self.config.steps);
        let noise = gaussian(rng, embeddings.dims())?;
        let kept = keep(rng, b, self.config.drop_caption)?;
        self.loss_at(embeddings, captions, &steps, &noise, &kept, guidance)
    }

    /// [`loss`](Self::loss) with everything that is random given: steps, noise, which captions are kept `(b)`.
    ///
    /// # Errors
    /// As [`loss`](Self::loss).
    pub fn loss_at(
        &self,
        embeddings: &Tensor,
        captions: &CaptionBatch,
        steps: &[usize],
        noise: &Tensor,
        kept: &Tensor,
        guidance: &dyn Guidance,
    ) -> Result<Tensor> {
        let x = guidance.noise(embeddings, noise, &self.diffusion.schedule.at(steps)?)?;
        let known = guidance.drop_condition(&self.known(captions)?, kept)?;
        let predicted = self.predicted(&x, steps, &known, captions)?;
        Ok((predicted - embeddings)?.sqr()?.mean_all()?)
    }

    /// An image embedding `(b, p)` of length √p for each caption; of several candidates the one with the highest dot product
    /// with the caption's own embedding.
    ///
    /// # Errors
    /// What the exercise reports; [`Error::Stopped`] by a notebook's stop button.
    pub fn draw(
        &self,
        captions: &CaptionBatch,
        how: &PriorDraw,
        seed: u64,
        guidance: &dyn Guidance,
    ) -> Result<Tensor> {
        let one = |i: usize| self.draw_once(captions, how, seed ^ ((i as u64) << 48), guidance);
        let drawn = (0..how.candidates.max(1)).map(one).collect::<Result<Vec<_>>>()?;
        best_of(&drawn, &captions.embedding)
    }

    fn draw_once(
        &self,
        captions: &CaptionBatch,
        how: &PriorDraw,
        seed: u64,
        guidance: &dyn Guidance,
    ) -> Result<Tensor> {
        let b = captions.len();
        let known = self.known(captions)?.detach();
        let nothing = known.zeros_like()?;
        let predict = &mut |x: &Tensor, t: usize| {
            let steps = vec![t; b];
            let conditional = self.predicted(x, &steps, &known, captions)?.detach();
            if how.scale == 1. {
                return Ok(conditional);
            }
            let unconditional = self.predicted(x, &steps, &nothing, captions)?.detach();
            guidance.guided(&conditional, &unconditional, how.scale)
        };
        let noise = gaussian_rows(seed, b, &[self.config.embedding])?;
        let drawn =
            self.diffusion
                .sample(&noise, how.steps, how.sampler, seed, predict, &mut |_, _| Ok(()))?;
        super::caption::scaled(&drawn)
    }
}

/// Of several embeddings `(b, p)` for each caption, the one with the highest dot product with its own `(b, p)`.
pub(super) fn best_of(drawn: &[Tensor], captions: &Tensor) -> Result<Tensor> {
    let dots = |drawn: &Tensor| Ok((drawn * captions)?.sum(1)?.to_vec1::<f32>()?);
    let dots = drawn.iter().map(dots).collect::<Result<Vec<_>>>()?;
    let row = |b: usize| {
        let best = (0..drawn.len()).max_by(|i, j| dots[*i][b].total_cmp(&dots[*j][b]));
        Ok(drawn[best.unwrap_or(0)].get(b)?)
    };
    Ok(Tensor::stack(&(0..captions.dim(0)?).map(row).collect::<Result<Vec<_>>>()?, 0)?)
}
