//! Learning in context: the examples stand in the prompt, and nothing else changes.

use candle_core::{DType, Tensor};

use super::slot::after_prompts;
use super::{CausalFiller, Episode, FewShotPrompt, Length, Segment, best, calibrate, chances};
use crate::frozen::Frozen;
use crate::language_model::{GenerateConfig, Likelihood, generate};
use crate::nn::Mode;
use crate::text::{Side, pad};
use crate::{Error, Result};

/// A prompt as a model reads it: a text with `<image>` where a picture stands, and the pictures in that order.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// The text.
    pub text: String,
    /// Each `(3, s, s)`.
    pub pictures: Vec<Tensor>,
}

impl Prompt {
    /// Segments with the list that their numbers point into.
    ///
    /// # Errors
    /// When a number is not in the list.
    pub fn new(segments: &[Segment], pictures: &[Tensor]) -> Result<Self> {
        let mut prompt = Self { text: String::new(), pictures: Vec::new() };
        for segment in segments {
            match segment {
                Segment::Text(text) => prompt.text += text,
                Segment::Image(number) => {
                    let expected = format!("a number below {}", pictures.len());
                    let picture = pictures.get(*number);
                    let picture =
                        picture.ok_or_else(|| Error::value("prompt, image", expected, number))?;
                    prompt.text += Frozen::IMAGE;
                    prompt.pictures.push(picture.clone());
                }
            }
        }
        Ok(prompt)
    }
}

/// A model that goes on with prompts.
pub trait InContext {
    /// `−ln P(candidate | prompt)` for each prompt and each of its own candidates, a space before each.
    ///
    /// # Errors
    /// When a prompt is longer than the model reads, or has pictures that it cannot see.
    fn of_candidates(
        &self,
        prompts: &[Prompt],
        candidates: &[Vec<String>],
    ) -> Result<Vec<Vec<Likelihood>>>;

    /// What it writes, the likeliest token each time, up to a full stop or the line's end.
    ///
    /// # Errors
    /// As [`of_candidates`](Self::of_candidates).
    fn write(&self, prompts: &[Prompt]) -> Result<Vec<String>>;
}

/// Found likelihoods, row by row, back to the prompts that they belong to.
fn by_prompt(mut found: Vec<Likelihood>, candidates: &[Vec<String>]) -> Vec<Vec<Likelihood>> {
    candidates.iter().map(|each| found.drain(..each.len()).collect()).collect()
}

/// Texts written at once.
const ROWS: usize = 32;

/// The most tokens of an answer.
const ANSWER: usize = 16;

impl InContext for CausalFiller {
    fn of_candidates(
        &self,
        prompts: &[Prompt],
        candidates: &[Vec<String>],
    ) -> Result<Vec<Vec<Likelihood>>> {
        let mut rows = Vec::new();
        for (prompt, candidates) in prompts.iter().zip(candidates) {
            let ids = self.words(prompt)?;
            for candidate in candidates {
                rows.push((ids.clone(), self.tokenizer.encode(&format!(" {candidate}"))?));
            }
        }
        let mut read = |ids: &Tensor, mask: &Tensor| self.model.input(ids, mask);
        Ok(by_prompt(after_prompts(&*self.model, &rows, &mut read)?, candidates))
    }

    fn write(&self, prompts: &[Prompt]) -> Result<Vec<String>> {
        let mut stop = vec![self.tokenizer.end_of_text()?];
        for end in [".", "\n"] {
            stop.extend(self.tokenizer.encode(end)?.last());
        }
        let mut texts = Vec::new();
        for prompts in prompts.chunks(ROWS) {
            let rows = prompts.iter().map(|p| self.words(p)).collect::<Result<Vec<_>>>()?;
            let batch = pad(&rows, Side::Left, self.model.params().device())?;
            let input = self.model.input(&batch.input_ids, &batch.attention_mask)?;
            for new in generate(&*self.model, &input, &GenerateConfig::greedy(ANSWER, &stop))? {
                texts.push(self.tokenizer.decode(&new)?.trim().to_string());
            }
        }
        Ok(texts)
    }
}

impl CausalFiller {
    fn words(&self, prompt: &Prompt) -> Result<Vec<u32>> {
        if !prompt.pictures.is_empty() {
            let got = format!("{} pictures", prompt.pictures.len());
            return Err(Error::value("a language model's prompt", "words alone", got));
        }
        Ok([vec![self.tokenizer.end_of_text()?], self.tokenizer.encode(&prompt.text)?].concat())
    }
}

impl InContext for Frozen {
    fn of_candidates(
        &self,
        prompts: &[Prompt],
        candidates: &[Vec<String>],
    ) -> Result<Vec<Vec<Likelihood>>> {
        let mut rows = Vec::new();
        let mut pictures = Vec::new();
        for (number, (prompt, candidates)) in prompts.iter().zip(candidates).enumerate() {
            let ids = self.encode(&prompt.text)?;
            for candidate in candidates {
                rows.push((ids.clone(), self.tokenizer().encode(&format!(" {candidate}"))?));
                pictures.extend((0..prompt.pictures.len()).map(|p| (number, p)));
            }
        }
        // Every picture is looked at once, however many candidates there are.
        let (mut first, mut all) = (Vec::new(), Vec::new());
        for prompt in prompts {
            first.push(all.len());
            all.extend(prompt.pictures.iter().cloned());
        }
        let d = self.language_model().width();
        let device = self.params().device();
        let n = self.config().num_visual_prefix;
        let prefixes = match all.is_empty() {
            true => Tensor::zeros((0, n, d), DType::F32, device)?,
            false => {
                let looked = all.chunks(ROWS).map(|part| {
                    Ok(self
                        .visual_prefix(&Tensor::stack(part, 0)?.to_device(device)?, Mode::Eval)?
                        .detach())
                });
                Tensor::cat(&looked.collect::<Result<Vec<_>>>()?, 0)?
            }
        };
        let order: Vec<u32> =
            pictures.iter().map(|(prompt, p)| (first[*prompt] + p) as u32).collect();
        let mut used = 0;
        let mut read = |ids: &Tensor, mask: &Tensor| {
            let tokens = ids.eq(self.image_token_id())?.to_dtype(DType::U32)?.sum_all()?;
            let here = tokens.to_scalar::<u32>()? as usize / n;
            if here == 0 {
                return self.language_model().input(ids, mask);
            }
            let expected = format!("at most {} pictures", order.len() - used);
            let these = order.get(used..used + here);
            let these = these.ok_or_else(|| Error::value("prompt, <image>", expected, here))?;
            used += here;
            let these = Tensor::new(these, device)?;
            self.in_place(ids, mask, &prefixes.index_select(&these, 0)?)
        };
        Ok(by_prompt(after_prompts(self.language_model(), &rows, &mut read)?, candidates))
    }

    fn write(&self, prompts: &[Prompt]) -> Result<Vec<String>> {
        let mut texts = Vec::new();
        let mut stop = vec![self.tokenizer().end_of_text()?];
        for end in [".", "\n"] {
            stop.extend(self.tokenizer().encode(end)?.last());
        }
        let how = GenerateConfig::greedy(ANSWER, &stop);
        for part in prompts.chunks(ROWS) {
            let pictures: Vec<Tensor> =
                part.iter().flat_map(|p| p.pictures.iter().cloned()).collect();
            let words: Vec<String> = part.iter().map(|p| p.text.clone()).collect();
            let new = self.generate(&words, &Tensor::stack(&pictures, 0)?, &how)?;
            texts.extend(new.iter().map(|text| text.trim().to_string()));
        }
        Ok(texts)
    }
}

/// The prompts of episodes.
///
/// # Errors
/// What the exercise reports.
pub fn episode_prompts(
    build: FewShotPrompt,
    instruction: &str,
    episodes: &[Episode],
) -> Result<Vec<Prompt>> {
    let one = |e: &Episode| Prompt::new(&build(instruction, &e.shots, &e.query)?, &e.pictures);
    episodes.iter().map(one).collect()
}

/// Which candidate is the likeliest in each episode, a mean a token; calibrated against the episode's query that says nothing,
/// where that is asked for.
///
/// # Errors
/// What the exercise or the model reports.
pub fn choose_answers(
    model: &dyn InContext,
    build: FewShotPrompt,
    instruction: &str,
    episodes: &[Episode],
    calibrated: bool,
) -> Result<Vec<usize>> {
    let candidates: Vec<Vec<String>> = episodes.iter().map(|e| e.candidates.clone()).collect();
    let of = |prompts: &[Prompt]| -> Result<Vec<Vec<f64>>> {
        let found = model.of_candidates(prompts, &candidates)?;
        Ok(found.iter().map(|each| chances(each, Length::PerToken)).collect())
    };
    let found = of(&episode_prompts(build, instruction, episodes)?)?;
    if !calibrated {
        return Ok(found.iter().map(|each| best(each)).collect());
    }
    let silent: Vec<Episode> =
        episodes.iter().map(|e| Episode { query: e.nothing.clone(), ..e.clone() }).collect();
    let nothing = of(&episode_prompts(build, instruction, &silent)?)?;
    let each = found.iter().zip(nothing);
    each.map(|(found, nothing)| Ok(best(&calibrate(found, &[nothing])?))).collect()
}

/// The share of episodes whose chosen candidate is the right one.
pub fn right_choices(chosen: &[usize], episodes: &[Episode]) -> f64 {
    let right = chosen.iter().zip(episodes).filter(|(c, e)| **c == e.answer).count();
    right as f64 / episodes.len().max(1) as f64
}

/// The share of episodes in which the written answer is the right one, word for word.
pub fn right_words(written: &[String], episodes: &[Episode]) -> f64 {
    let right = written.iter().zip(episodes).filter(|(w, e)| **w == e.candidates[e.answer]).count();
    right as f64 / episodes.len().max(1) as f64
}
