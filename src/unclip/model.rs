//! The whole: a caption → an image embedding → pictures.

use candle_core::Tensor;

use super::caption::{CaptionBatch, embed_pictures};
use super::diffusion::gaussian_rows;
use super::{
    ArPrior, Condition, Decoder, DecoderDraw, Guidance, Prior, PriorDraw, Sampler, slerp,
    text_difference,
};
use crate::clip::ClipModel;
use crate::{Error, Result};

/// Where an image embedding comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Through {
    /// The diffusion prior.
    Diffusion(PriorDraw),
    /// The autoregressive prior, at this temperature.
    Autoregressive(f64),
    /// The caption's own embedding, as if it were a picture's: the paper's comparison (section 5.1, figure 8).
    Text,
}

impl Default for Through {
    fn default() -> Self {
        Self::Diffusion(PriorDraw::default())
    }
}

/// DALL-E 2 in small: CLIP, the priors, the decoder.
pub struct Unclip {
    /// What gives and understands embeddings. It does not change.
    pub clip: ClipModel,
    /// Captions to embeddings by diffusion.
    pub prior: Prior,
    /// Captions to embeddings by codes.
    pub ar_prior: ArPrior,
    /// Embeddings to pictures.
    pub decoder: Decoder,
}

impl Unclip {
    /// Captions as the priors read them.
    ///
    /// # Errors
    /// When the tokenizer refuses one, or there are none.
    pub fn captions<S: AsRef<str>>(&self, captions: &[S]) -> Result<CaptionBatch> {
        CaptionBatch::new(&self.clip, captions, self.prior.config().tokens)
    }

    /// CLIP's embeddings `(n, p)` of pictures `(n, 3, s, s)`, values from 0 to 1, of length √p.
    ///
    /// # Errors
    /// When the tensor has another shape.
    pub fn embed(&self, pictures: &Tensor) -> Result<Tensor> {
        embed_pictures(&self.clip, pictures)
    }

    /// An image embedding `(b, p)` for each caption.
    ///
    /// # Errors
    /// What the exercise reports; [`Error::Stopped`] by a notebook's stop button.
    pub fn imagine(
        &self,
        captions: &CaptionBatch,
        through: Through,
        seed: u64,
        guidance: &dyn Guidance,
    ) -> Result<Tensor> {
        match through {
            Through::Diffusion(how) => self.prior.draw(captions, &how, seed, guidance),
            Through::Autoregressive(t) => self.ar_prior.draw(captions, t, seed),
            Through::Text => Ok(captions.embedding.clone()),
        }
    }

    /// Noise to draw from, `(n, 3, s, s)`: row i comes from `seed + i`.
    ///
    /// # Errors
    /// When the tensor cannot be made.
    pub fn noise(&self, n: usize, seed: u64) -> Result<Tensor> {
        let s = self.decoder.config().size;
        gaussian_rows(seed, n, &[3, s, s])
    }

    /// `n` pictures of each caption, those of one caption after another, `(m · n, 3, s, s)`, values from 0 to 1. Each has an
    /// embedding of its own.
    ///
    /// # Errors
    /// What the exercise reports; [`Error::Stopped`] by a notebook's stop button.
    pub fn draw<S: AsRef<str>>(
        &self,
        captions: &[S],
        n: usize,
        through: Through,
        how: &DecoderDraw,
        seed: u64,
        guidance: &dyn Guidance,
    ) -> Result<Tensor> {
        let repeated: Vec<&str> =
            captions.iter().flat_map(|c| std::iter::repeat_n(c.as_ref(), n)).collect();
        let captions = self.captions(&repeated)?;
        // Embeddings and pictures begin with noise of their own.
        let image = self.imagine(&captions, through, seed ^ 0x7072_696f_7200, guidance)?;
        let by = Condition { image, caption: captions.embedding };
        self.paint(&by, &self.noise(repeated.len(), seed)?, how, seed, guidance)
    }

    /// Pictures by conditions, from noise `(b, 3, s, s)` → `(b, 3, s, s)`, values from 0 to 1.
    ///
    /// # Errors
    /// As [`draw`](Self::draw).
    pub fn paint(
        &self,
        by: &Condition,
        noise: &Tensor,
        how: &DecoderDraw,
        seed: u64,
        guidance: &dyn Guidance,
    ) -> Result<Tensor> {
        shown(&self.decoder.draw(noise, by, how, seed, guidance, &mut |_, _| Ok(()))?)
    }

    /// How pictures by conditions come out of noise: what the decoder believes they look like, at `stops` of its steps, the
    /// first and the last among them; the stops of one picture after another, `(b · stops, 3, s, s)`.
    ///
    /// # Errors
    /// As [`draw`](Self::draw).
    pub fn strip(
        &self,
        by: &Condition,
        noise: &Tensor,
        how: &DecoderDraw,
        stops: usize,
        guidance: &dyn Guidance,
    ) -> Result<Tensor> {
        let last = (how.steps.max(1) - 1) as f64 / (stops.max(2) - 1) as f64;
        let wanted: Vec<usize> = (0..stops).map(|i| (i as f64 * last).round() as usize).collect();
        let mut strip = Vec::new();
        self.decoder.draw(noise, by, how, 0, guidance, &mut |step, start| {
            if wanted.contains(&step) {
                strip.push(shown(start)?);
            }
            Ok(())
        })?;
        Ok(Tensor::stack(&strip, 1)?.flatten(0, 1)?)
    }

    /// `n` variations of a picture `(1, 3, s, s)`: what its embedding says stays, the rest is drawn anew (arXiv:2204.06125,
    /// section 3.1).
    ///
    /// # Errors
    /// As [`draw`](Self::draw).
    pub fn variations(
        &self,
        picture: &Tensor,
        n: usize,
        how: &DecoderDraw,
        seed: u64,
        guidance: &dyn Guidance,
    ) -> Result<Tensor> {
        let by = Condition::image(&self.embed(picture)?.repeat((n, 1))?)?;
        self.paint(&by, &self.noise(n, seed)?, how, seed, guidance)
    }

    /// The noise from which these pictures `(n, 3, s, s)`, values from 0 to 1, come out again, nearly, without guidance: DDIM,
    /// backwards. What the embedding does not say is in it.
    ///
    /// # Errors
    /// When the pictures have another size than the decoder's, or as [`draw`](Self::draw).
    pub fn noise_of(&self, pictures: &Tensor, steps: usize) -> Result<Tensor> {
        let (b, s) = (pictures.dim(0)?, self.decoder.config().size);
        if pictures.dims() != [b, 3, s, s] {
            let expected = format!("(n, 3, {s}, {s})");
            return Err(Error::shape("noise_of, pictures", expected, pictures.shape()));
        }
        let by = Condition::image(&self.embed(pictures)?)?;
        let predict = &mut |x: &Tensor, t: usize| self.decoder.forward(x, &vec![t; b], &by);
        self.decoder.diffusion().invert(&((pictures * 2.)? - 1.)?, steps, predict)
    }

    /// From one picture `(1, 3, s, s)` to another in `n` pictures: embeddings and noise turned on the great circle (section
    /// 3.2).
    ///
    /// # Errors
    /// As [`draw`](Self::draw).
    pub fn interpolation(
        &self,
        from: &Tensor,
        to: &Tensor,
        n: usize,
        how: &DecoderDraw,
        guidance: &dyn Guidance,
    ) -> Result<Tensor> {
        let ends = Tensor::cat(&[from, to], 0)?;
        let (image, noise) = (self.embed(&ends)?, self.noise_of(&ends, BACK)?);
        let turned = |t: &Tensor| self.turned(&t.narrow(0, 0, 1)?, &t.narrow(0, 1, 1)?, n, 1.);
        self.paint(&Condition::image(&turned(&image)?)?, &turned(&noise)?, how, 0, guidance)
    }

    /// A picture `(1, 3, s, s)` on its way from one description to another, in `n` pictures: its embedding turned towards the
    /// difference of the texts' by up to `theta`, from its own noise (section 3.3; 0.25 to 0.5 there). `words`: the old
    /// description and the new one.
    ///
    /// # Errors
    /// As [`draw`](Self::draw).
    pub fn text_diff(
        &self,
        picture: &Tensor,
        words: [&str; 2],
        n: usize,
        theta: f64,
        how: &DecoderDraw,
        guidance: &dyn Guidance,
    ) -> Result<Tensor> {
        let texts = self.captions(&words)?.embedding;
        let difference = text_difference(&texts.narrow(0, 1, 1)?, &texts.narrow(0, 0, 1)?)?;
        let image = self.turned(&self.embed(picture)?, &difference, n, theta)?;
        let noise = self.noise_of(picture, BACK)?.repeat((n, 1, 1, 1))?;
        self.paint(&Condition::image(&image)?, &noise, how, 0, guidance)
    }

    /// `a` turned towards `b`, both `(1, …)`, in `n` equal steps from 0 to `theta` → `(n, …)`
    fn turned(&self, a: &Tensor, b: &Tensor, n: usize, theta: f64) -> Result<Tensor> {
        let at = |i: usize| slerp(a, b, theta * i as f64 / (n.max(2) - 1) as f64);
        Ok(Tensor::cat(&(0..n).map(at).collect::<Result<Vec<_>>>()?, 0)?)
    }
}

/// Steps of the way back to noise.
const BACK: usize = 50;

/// Pixels in ±1 → from 0 to 1.
fn shown(pixels: &Tensor) -> Result<Tensor> {
    Ok(((pixels + 1.)? / 2.)?.clamp(0., 1.)?)
}

impl DecoderDraw {
    /// DDIM without new noise: the same noise gives the same picture.
    pub fn faithful(steps: usize, scale: f64) -> Self {
        Self { steps, sampler: Sampler::Ddim { eta: 0. }, scale }
    }
}
