//! What the model writes about pictures: captions, and answers to prompts.

use candle_core::Tensor;

use super::Frozen;
use crate::language_model::{GenerateConfig, generate};
use crate::nn::Mode;
use crate::text::{Side, pad};
use crate::{Error, Result};

/// How many texts are written at once.
const BATCH: usize = 32;

impl Frozen {
    /// What the model writes after prompts with `<image>` in them, of which each takes the next of `pictures`
    /// `(m, 3, s, s)`: the slide's `generate`.
    ///
    /// # Errors
    /// When the number of pictures is not that of `<image>`s, or a prompt is longer than the language model reads.
    pub fn generate(
        &self,
        prompts: &[String],
        pictures: &Tensor,
        how: &GenerateConfig,
    ) -> Result<Vec<String>> {
        let rows = prompts.iter().map(|p| self.encode(p)).collect::<Result<Vec<_>>>()?;
        let batch = pad(&rows, Side::Left, self.params().device())?;
        let prefix = self.visual_prefix(pictures, Mode::Eval)?.detach();
        let input = self.in_place(&batch.input_ids, &batch.attention_mask, &prefix)?;
        let new = generate(self.language_model(), &input, how)?;
        new.iter().map(|ids| self.tokenizer().decode(ids)).collect()
    }

    /// A sentence for each of the pictures `(m, 3, s, s)`, the likeliest word each time.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn captions(&self, pictures: &Tensor) -> Result<Vec<String>> {
        let how = GenerateConfig::greedy(self.config().max_length, &self.ends("\n")?);
        self.in_batches(pictures, 1, &mut |pictures| {
            let prompts = vec![Self::IMAGE.to_string(); pictures.dim(0)?];
            self.generate(&prompts, pictures, &how)
        })
    }

    /// The answers to prompts that end in `answer:`, each about `images` pictures.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    pub fn answers(&self, prompts: &[String], pictures: &Tensor) -> Result<Vec<String>> {
        let images = pictures.dim(0)?.checked_div(prompts.len()).unwrap_or(0);
        if images * prompts.len() != pictures.dim(0)? || prompts.is_empty() {
            let got = format!("{} pictures for {} prompts", pictures.dim(0)?, prompts.len());
            return Err(Error::value("answers", "as many pictures for each prompt", got));
        }
        let mut stop = self.ends(".")?;
        stop.extend(self.ends("\n")?);
        let how = GenerateConfig::greedy(16, &stop);
        let mut prompts = prompts.chunks(BATCH);
        self.in_batches(pictures, images, &mut |pictures| {
            self.generate(prompts.next().unwrap_or_default(), pictures, &how)
        })
    }

    /// The end of a text, and another token that ends one here.
    fn ends(&self, other: &str) -> Result<Vec<u32>> {
        let mut ends = vec![self.tokenizer().end_of_text()?];
        ends.extend(self.tokenizer().encode(other)?.last());
        Ok(ends)
    }

    fn in_batches(
        &self,
        pictures: &Tensor,
        each: usize,
        write: &mut dyn FnMut(&Tensor) -> Result<Vec<String>>,
    ) -> Result<Vec<String>> {
        let m = pictures.dim(0)?;
        let mut texts = Vec::new();
        for start in (0..m).step_by((BATCH * each).max(1)) {
            let length = (BATCH * each).min(m - start);
            texts.extend(write(&pictures.narrow(0, start, length)?)?);
        }
        let tidy = |text: &String| text.trim().trim_end_matches('.').to_string();
        Ok(texts.iter().map(tidy).collect())
    }
}
