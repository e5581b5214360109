//! Drawing: codes one after the other, from a caption; then CLIP's ranking (section 2.6).

use candle_core::{Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::Dalle;
use crate::clip::ClipModel;
use crate::display::Interruptible;
use crate::language_model::{Decoding, KvCache};
use crate::measure::clip_scores;
use crate::{Error, Result};

/// How pictures are drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawConfig {
    /// How a code is chosen.
    pub decoding: Decoding,
    /// The seed. A drawing's choices depend on its number, not on how many there are.
    pub seed: u64,
}

impl Default for DrawConfig {
    fn default() -> Self {
        let decoding = Decoding::Sample { temperature: 0.9, top_k: Some(32), top_p: None };
        Self { decoding, seed: 0 }
    }
}

/// Drawings of captions, one after the other.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// `(n, 3, s, s)`, values from 0 to 1.
    pub images: Tensor,
    /// `(n, h·w)` u32, in reading order.
    pub codes: Tensor,
    /// The caption of each.
    pub captions: Vec<String>,
    /// The cosine of picture and caption by CLIP, where they were ranked.
    pub scores: Option<Vec<f32>>,
}

/// Rows that are drawn at once.
const BATCH: usize = 72;

impl Dalle {
    /// A picture of each caption; a caption may come many times.
    ///
    /// # Errors
    /// When there is no caption; [`Error::Stopped`].
    pub fn draw(&self, captions: &[String], how: &DrawConfig) -> Result<Drawing> {
        self.draw_on(captions, None, how, &mut |_| {})
    }

    /// As [`draw`](Self::draw); where there are codes `given (m)`, these are every picture's first ones. `watch` gets how many
    /// codes of all are there.
    ///
    /// # Errors
    /// As [`draw`](Self::draw), or when more codes are given than a picture has.
    pub fn draw_on(
        &self,
        captions: &[String],
        given: Option<&[u32]>,
        how: &DrawConfig,
        watch: &mut dyn FnMut(usize),
    ) -> Result<Drawing> {
        let (given, places) = (given.unwrap_or_default(), self.layout().image_tokens());
        if captions.is_empty() {
            return Err(Error::value("draw, captions", "at least one", "none"));
        }
        if given.len() > places || given.iter().any(|c| *c as usize >= self.layout().codes) {
            let expected = format!("at most {places} codes below {}", self.layout().codes);
            return Err(Error::value("draw, given", expected, format!("{given:?}")));
        }
        let stop = Interruptible::new("the drawing");
        let mut all = Vec::new();
        for (i, captions) in captions.chunks(BATCH).enumerate() {
            let mut rngs: Vec<ChaCha8Rng> = (0..captions.len())
                .map(|row| {
                    let mut rng = ChaCha8Rng::seed_from_u64(how.seed);
                    rng.set_stream((i * BATCH + row) as u64);
                    rng
                })
                .collect();
            let mut cache = KvCache::new();
            let mut logits = self.read_text(&self.text_ids(captions)?, &mut cache)?;
            let mut rows = vec![Vec::with_capacity(places); captions.len()];
            for place in 0..places {
                stop.check(|| format!("{place} of {places} codes are there"))?;
                let choices = logits.to_vec2::<f32>()?;
                for ((row, logits), rng) in rows.iter_mut().zip(&choices).zip(&mut rngs) {
                    let own = given.get(place).copied();
                    row.push(own.unwrap_or_else(|| how.decoding.choose(logits, rng)));
                }
                watch(i * BATCH * places + (place + 1) * captions.len());
                if place + 1 < places {
                    let last: Vec<u32> = rows.iter().map(|row| row[place]).collect();
                    logits = self.read_code(&last, place, &mut cache)?;
                }
            }
            all.extend(rows.into_iter().flatten());
        }
        let codes = Tensor::from_vec(all, (captions.len(), places), &Device::Cpu)?;
        let images = self.dvae().pictures(&codes)?;
        Ok(Drawing { images, codes, captions: captions.to_vec(), scores: None })
    }

    /// The `n` of `candidates` drawings of one caption that CLIP finds fit it best, best first.
    ///
    /// # Errors
    /// When `n` is 0; [`Error::Stopped`].
    pub fn draw_best(
        &self,
        caption: &str,
        n: usize,
        candidates: usize,
        clip: &ClipModel,
        how: &DrawConfig,
    ) -> Result<Drawing> {
        let captions = vec![caption.to_string(); candidates.max(n)];
        self.draw(&captions, how)?.ranked(clip)?.first(n)
    }
}

impl Drawing {
    /// The same, best first by CLIP.
    ///
    /// # Errors
    /// When CLIP's tokenizer refuses a caption.
    pub fn ranked(&self, clip: &ClipModel) -> Result<Self> {
        let scores = clip_scores(clip, &self.images, &self.captions)?;
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        order.sort_by(|a, b| scores[*b as usize].total_cmp(&scores[*a as usize]));
        Self { scores: Some(scores), ..self.clone() }.rows(&order)
    }

    /// The best `n` of each caption by CLIP, captions in their order: drawings of one caption stand together.
    ///
    /// # Errors
    /// When `n` is 0.
    pub fn best_of_each(&self, n: usize, clip: &ClipModel) -> Result<Self> {
        if n == 0 {
            return Err(Error::value("Drawing::best_of_each", "at least one", 0));
        }
        let scores = clip_scores(clip, &self.images, &self.captions)?;
        let mut rows: Vec<u32> = Vec::new();
        let mut at = 0;
        while at < scores.len() {
            let same = self.captions[at..].iter().take_while(|c| **c == self.captions[at]).count();
            let mut order: Vec<u32> = (at as u32..(at + same) as u32).collect();
            order.sort_by(|a, b| scores[*b as usize].total_cmp(&scores[*a as usize]));
            rows.extend(&order[..n.min(same)]);
            at += same;
        }
        Self { scores: Some(scores), ..self.clone() }.rows(&rows)
    }

    /// The first `n`.
    ///
    /// # Errors
    /// When `n` is 0.
    pub fn first(&self, n: usize) -> Result<Self> {
        if n == 0 {
            return Err(Error::value("Drawing::first", "at least one", 0));
        }
        self.rows(&(0..n.min(self.captions.len()) as u32).collect::<Vec<_>>())
    }

    fn rows(&self, rows: &[u32]) -> Result<Self> {
        let at = Tensor::new(rows, &Device::Cpu)?;
        let pick = |i: &u32| *i as usize;
        Ok(Self {
            images: self.images.index_select(&at, 0)?,
            codes: self.codes.index_select(&at, 0)?,
            captions: rows.iter().map(|i| self.captions[pick(i)].clone()).collect(),
            scores: self
                .scores
                .as_ref()
                .map(|scores| rows.iter().map(|i| scores[pick(i)]).collect()),
        })
    }
}
