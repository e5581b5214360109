//! Learning in context: the examples stand in the prompt, and nothing else changes.

use candle_core::{DType, Tensor};

use super::slot::{Asked, after_prompts};
use super::{CausalFiller, Episode, FewShotPrompt, Length, Segment, best, calibrate, chances};
use crate::frozen::Frozen;
use crate::language_model::{GenerateConfig, Likelihood, generate};
use crate::nn::Mode;
use crate::text::{BpeTokenizer, Side, pad};
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

/// Candidates' ids, a space before each: it belongs to the word's first token.
fn behind_a_space(tokenizer: &BpeTokenizer, candidates: &[String]) -> Result<Vec<Vec<u32>>> {
    candidates.iter().map(|candidate| tokenizer.encode(&format!(" {candidate}"))).collect()
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
        let asked = prompts.iter().zip(candidates).map(|(prompt, candidates)| {
            let candidates = behind_a_space(&self.tokenizer, candidates)?;
            Ok(Asked { prompt: self.words(prompt)?, candidates })
        });
        let asked = asked.collect::<Result<Vec<_>>>()?;
        let mut read = |ids: &Tensor, mask: &Tensor| self.model.input(ids, mask);
        after_prompts(&*self.model, &asked, &mut read)
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
        let asked = prompts.iter().zip(candidates).map(|(prompt, candidates)| {
            let candidates = behind_a_space(self.tokenizer(), candidates)?;
            Ok(Asked { prompt: self.encode(&prompt.text)?, candidates })
        });
        let asked = asked.collect::<Result<Vec<_>>>()?;
        let all: Vec<Tensor> = prompts.iter().flat_map(|p| p.pictures.iter().cloned()).collect();
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
        let mut used = 0;
        let mut read = |ids: &Tensor, mask: &Tensor| {
            let tokens = ids.eq(self.image_token_id())?.to_dtype(DType::U32)?.sum_all()?;
            let here = tokens.to_scalar::<u32>()? as usize / n;
            if here == 0 {
                return self.language_model().input(ids, mask);
            }
            if used + here > all.len() {
                let expected = format!("at most {} pictures", all.len() - used);
                return Err(Error::value("prompt, <image>", expected, here));
            }
            used += here;
            self.in_place(ids, mask, &prefixes.narrow(0, used - here, here)?)
        };
        after_prompts(self.language_model(), &asked, &mut read)
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

/// The chances of each episode's candidates among themselves, a mean a token.
///
/// # Errors
/// What the exercise or the model reports.
pub fn answer_chances(
    model: &dyn InContext,
    build: FewShotPrompt,
    instruction: &str,
    episodes: &[Episode],
) -> Result<Vec<Vec<f64>>> {
    let candidates: Vec<Vec<String>> = episodes.iter().map(|e| e.candidates.clone()).collect();
    let prompts = episode_prompts(build, instruction, episodes)?;
    let found = model.of_candidates(&prompts, &candidates)?;
    Ok(found.iter().map(|each| chances(each, Length::PerToken)).collect())
}

/// The same episodes with the query that says nothing, to calibrate against.
pub fn silenced(episodes: &[Episode]) -> Vec<Episode> {
    episodes.iter().map(|e| Episode { query: e.nothing.clone(), ..e.clone() }).collect()
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
    let found = answer_chances(model, build, instruction, episodes)?;
    if !calibrated {
        return Ok(found.iter().map(|each| best(each)).collect());
    }
    let nothing = answer_chances(model, build, instruction, &silenced(episodes))?;
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

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::dataset::scenes::Split;
    use crate::frozen::examples;
    use crate::language_model::likelihood_of;

    /// Prompts of one and of three pictures in one batch: each gets its own, and what was read once for all candidates says the
    /// same as each text alone.
    #[test]
    fn candidates_behind_pictures() {
        let model = Frozen::shipped().unwrap();
        let size = model.config().base.size;
        let shown = examples(4, Split::Valid, None, size, 5).unwrap();
        let pictures: Vec<Tensor> = shown.into_iter().map(|e| e.picture).collect();
        let image = Frozen::IMAGE;
        let prompts = [
            Prompt {
                text: format!("{image}this is a dax.\n{image}this is a blicket.\n{image}this is a"),
                pictures: pictures[..3].to_vec(),
            },
            Prompt {
                text: format!("{image}question: what is in the picture? answer:"),
                pictures: pictures[3..].to_vec(),
            },
        ];
        let candidates = [["dax", "blicket"], ["two dogs and a cat", "yes"]];
        let candidates = candidates.map(|each| each.map(String::from).to_vec());
        let found = model.of_candidates(&prompts, &candidates).unwrap();
        for ((prompt, candidates), found) in prompts.iter().zip(&candidates).zip(&found) {
            let shown = Tensor::stack(&prompt.pictures, 0).unwrap();
            let prefix = model.visual_prefix(&shown, Mode::Eval).unwrap().detach();
            for (candidate, found) in candidates.iter().zip(found) {
                let before = model.encode(&prompt.text).unwrap();
                let after = model.tokenizer().encode(&format!(" {candidate}")).unwrap();
                let row = |values: Vec<u32>| {
                    Tensor::new(values, &Device::Cpu).unwrap().unsqueeze(0).unwrap()
                };
                let counted = row([vec![0; before.len()], vec![1; after.len()]].concat());
                let ids = row([before, after.clone()].concat());
                let input = model.in_place(&ids, &ids.ones_like().unwrap(), &prefix).unwrap();
                let alone = likelihood_of(model.language_model(), &input, &ids, &counted).unwrap();
                assert_eq!(found.tokens, after.len());
                // Sums in another order, over the layers of the small model and some nats.
                assert!((alone[0].nats - found.nats).abs() < 1e-3, "{alone:?} {found:?}");
            }
        }
        // A text that asks for a picture that it does not have.
        let without = Prompt { text: prompts[1].text.clone(), pictures: Vec::new() };
        assert!(model.of_candidates(&[without], &candidates[1..]).is_err());
    }
}
