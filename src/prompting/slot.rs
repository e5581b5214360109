//! How likely each answer is in a prompt's slot: by a causal language model, which reads what stands before \[Z], and by a
//! masked one, which reads both sides.

use candle_core::{D, Device, Tensor};
use candle_nn::ops::log_softmax;

use crate::config::Config;
use crate::encoder::MaskedLm;
use crate::language_model::{
    CausalLm, GenerateConfig, Gpt2, KvCache, Likelihood, LmInput, generate, log_probabilities_at,
    pretrained,
};
use crate::nn::{Mode, Params};
use crate::text::{BpeTokenizer, Side, Tokenizer, pad};
use crate::{Error, Result};

/// Rows that are read at once.
const ROWS: usize = 64;

/// A model that fills the slot \[Z] of a prompt.
pub trait SlotFiller {
    /// `−ln P(answer | prompt)` and the answer's tokens: for each prompt a list as long as `answers`.
    ///
    /// # Errors
    /// When a prompt has no \[Z], or a text is longer than the model reads.
    fn likelihoods(&self, prompts: &[String], answers: &[String]) -> Result<Vec<Vec<Likelihood>>>;
}

/// What stands before and after the slot. (Nothing is read back here: that is `read_answer`'s.)
fn around(prompt: &str) -> Result<[&str; 2]> {
    match prompt.split("[Z]").collect::<Vec<_>>()[..] {
        [before, after] => Ok([before, after]),
        _ => Err(Error::value("prompt", "one [Z]", prompt)),
    }
}

/// A causal language model: an answer's chance is that of its tokens after what stands before the slot.
pub struct CausalFiller {
    /// The model.
    pub model: Box<dyn CausalLm>,
    /// Its tokenizer.
    pub tokenizer: BpeTokenizer,
}

impl CausalFiller {
    /// The small GPT-2 that travels with the library.
    ///
    /// # Errors
    /// As [`Gpt2::tiny`].
    pub fn tiny() -> Result<Self> {
        let (model, tokenizer) = Gpt2::tiny()?;
        Ok(Self { model: Box::new(model), tokenizer })
    }

    /// A preset's pretrained language model: `mini`'s is SmolLM2-135M, `lecture`'s GPT-2.
    ///
    /// # Errors
    /// As [`pretrained`].
    pub fn of(config: &Config) -> Result<Self> {
        let (model, tokenizer) = pretrained(config, &Params::new(&config.device()?, 0))?;
        model.params().set_trainable(false);
        Ok(Self { model, tokenizer })
    }

    /// The ids of a prompt's beginning, after the token that stands between texts, and whether an answer brings its space along.
    fn begin(&self, prompt: &str) -> Result<(Vec<u32>, bool)> {
        let [before, _] = around(prompt)?;
        let mut ids = vec![self.tokenizer.end_of_text()?];
        // The space before a word belongs to the word's first token.
        ids.extend(self.tokenizer.encode(before.trim_end_matches(' '))?);
        Ok((ids, before.ends_with(' ')))
    }

    /// What the model writes in the slot and after it, `tokens` at most, the likeliest each time: the prompts' beginnings with
    /// what was written behind them, for `read_answer`.
    ///
    /// # Errors
    /// As [`SlotFiller::likelihoods`].
    pub fn complete(&self, prompts: &[String], tokens: usize) -> Result<Vec<String>> {
        let how = GenerateConfig::greedy(tokens, &[self.tokenizer.end_of_text()?]);
        let mut texts = Vec::new();
        for prompts in prompts.chunks(ROWS) {
            let rows = prompts.iter().map(|p| Ok(self.begin(p)?.0)).collect::<Result<Vec<_>>>()?;
            let batch = pad(&rows, Side::Left, self.model.params().device())?;
            let input = self.model.input(&batch.input_ids, &batch.attention_mask)?;
            for (prompt, new) in prompts.iter().zip(generate(&*self.model, &input, &how)?) {
                let [before, _] = around(prompt)?;
                texts
                    .push(before.trim_end_matches(' ').to_string() + &self.tokenizer.decode(&new)?);
            }
        }
        Ok(texts)
    }
}

impl SlotFiller for CausalFiller {
    fn likelihoods(&self, prompts: &[String], answers: &[String]) -> Result<Vec<Vec<Likelihood>>> {
        let begun = prompts.iter().map(|p| self.begin(p)).collect::<Result<Vec<_>>>()?;
        let mut asked = Vec::with_capacity(prompts.len());
        for (prompt, space) in begun {
            let answer = |answer: &String| {
                let answer = if space { format!(" {answer}") } else { answer.clone() };
                self.tokenizer.encode(&answer)
            };
            asked.push(Asked {
                prompt,
                candidates: answers.iter().map(answer).collect::<Result<_>>()?,
            });
        }
        let mut read = |ids: &Tensor, mask: &Tensor| self.model.input(ids, mask);
        after_prompts(&*self.model, &asked, &mut read)
    }
}

/// A prompt's ids, and those of the candidates that may follow it.
pub(super) struct Asked {
    pub prompt: Vec<u32>,
    pub candidates: Vec<Vec<u32>>,
}

/// The likelihood of each candidate after its prompt; `read` makes of ids and mask what the model reads. A prompt is read
/// once, whose end gives the chances of all first tokens; candidates of several tokens go on from the keys and values kept.
pub(super) fn after_prompts(
    model: &dyn CausalLm,
    asked: &[Asked],
    read: &mut dyn FnMut(&Tensor, &Tensor) -> Result<LmInput>,
) -> Result<Vec<Vec<Likelihood>>> {
    let mut found = Vec::with_capacity(asked.len());
    for asked in asked.chunks(ROWS) {
        if asked.iter().any(|a| a.prompt.is_empty()) {
            return Err(Error::value("prompt", "at least one token", "none"));
        }
        found.extend(of_batch(model, asked, read)?);
    }
    Ok(found)
}

fn of_batch(
    model: &dyn CausalLm,
    asked: &[Asked],
    read: &mut dyn FnMut(&Tensor, &Tensor) -> Result<LmInput>,
) -> Result<Vec<Vec<Likelihood>>> {
    let device = model.params().device();
    let prompts: Vec<Vec<u32>> = asked.iter().map(|a| a.prompt.clone()).collect();
    let batch = pad(&prompts, Side::Left, device)?;
    let input = read(&batch.input_ids, &batch.attention_mask)?;
    let mut cache = KvCache::new();
    let hidden = model.hidden(&input, Mode::Eval, Some(&mut cache))?.detach();
    let end = hidden.narrow(1, hidden.dim(1)? - 1, 1)?.squeeze(1)?.contiguous()?; // (b, d)

    let mut found: Vec<Vec<Likelihood>> =
        asked.iter().map(|a| vec![Likelihood::default(); a.candidates.len()]).collect();
    let all: Vec<(usize, usize)> = asked
        .iter()
        .enumerate()
        .flat_map(|(row, a)| (0..a.candidates.len()).map(move |c| (row, c)))
        .filter(|(row, c)| !asked[*row].candidates[*c].is_empty())
        .collect();
    let rows: Vec<u32> = all.iter().map(|(row, _)| *row as u32).collect();
    let first: Vec<u32> = all.iter().map(|(row, c)| asked[*row].candidates[*c][0]).collect();
    let chances = log_probabilities_at(model, &end, &rows, &first)?;
    for ((row, c), chance) in all.iter().zip(chances) {
        found[*row][*c] = Likelihood { nats: -chance, tokens: 1, words: 0 };
    }

    let longer: Vec<(usize, usize)> =
        all.into_iter().filter(|(row, c)| asked[*row].candidates[*c].len() > 1).collect();
    for part in longer.chunks(ROWS) {
        let candidate = |(row, c): &(usize, usize)| asked[*row].candidates[*c].as_slice();
        let begun: Vec<Vec<u32>> =
            part.iter().map(|p| candidate(p)[..candidate(p).len() - 1].to_vec()).collect();
        let new = pad(&begun, Side::Right, device)?;
        let rows: Vec<u32> = part.iter().map(|(row, _)| *row as u32).collect();
        let rows = Tensor::new(rows, device)?;
        let before = batch.attention_mask.index_select(&rows, 0)?;
        let (b, s) = new.input_ids.dims2()?;
        // A place of padding is not looked at: it takes the last token's number, which the model has.
        let places: Vec<u32> = part
            .iter()
            .zip(&begun)
            .flat_map(|((row, _), begun)| {
                let start = asked[*row].prompt.len();
                (0..s).map(move |i| (start + i.min(begun.len() - 1)) as u32)
            })
            .collect();
        let input = LmInput {
            embeddings: model.embed(&new.input_ids)?.detach(),
            attention_mask: Tensor::cat(&[&before, &new.attention_mask], 1)?,
            position_ids: Tensor::from_vec(places, (b, s), device)?,
        };
        let mut cache = cache.select(&rows)?;
        let hidden = model.hidden(&input, Mode::Eval, Some(&mut cache))?.detach();
        let hidden = hidden.reshape((b * s, ()))?;
        let (mut flat, mut targets, mut of) = (Vec::new(), Vec::new(), Vec::new());
        for (at, pair) in part.iter().enumerate() {
            for (i, target) in candidate(pair)[1..].iter().enumerate() {
                flat.push((at * s + i) as u32);
                targets.push(*target);
                of.push(*pair);
            }
        }
        let chances = log_probabilities_at(model, &hidden, &flat, &targets)?;
        for ((row, c), chance) in of.into_iter().zip(chances) {
            found[row][c].nats -= chance;
            found[row][c].tokens += 1;
        }
    }
    Ok(found)
}

/// A masked language model: as many `[MASK]` in the slot as the answer has tokens; its chance is the product of theirs.
pub struct MaskedFiller {
    /// The model.
    pub model: MaskedLm,
    /// Its tokenizer.
    pub tokenizer: Tokenizer,
}

impl MaskedFiller {
    /// The small DistilBERT with its head that travels with the library.
    ///
    /// # Errors
    /// As [`MaskedLm::tiny`].
    pub fn tiny() -> Result<Self> {
        let (model, tokenizer) = MaskedLm::tiny()?;
        Ok(Self { model, tokenizer })
    }

    /// A text's ids without `[CLS]` and `[SEP]`.
    fn bare(&self, text: &str) -> Result<Vec<u32>> {
        let ids = self.tokenizer.encode(text, usize::MAX)?;
        Ok(ids.get(1..ids.len().max(2) - 1).unwrap_or_default().to_vec())
    }

    fn special(&self, token: &str) -> Result<u32> {
        let none = || Error::value("the tokenizer", format!("a token {token}"), "none");
        self.tokenizer.token_to_id(token).ok_or_else(none)
    }

    /// Prompts with `masks` hidden tokens in the slot → `(rows, masks, v)` log-probabilities.
    fn hidden_words(&self, prompts: &[String], masks: usize) -> Result<Tensor> {
        let [cls, sep, mask] =
            [self.special("[CLS]")?, self.special("[SEP]")?, self.special("[MASK]")?];
        let (mut rows, mut places) = (Vec::new(), Vec::new());
        for prompt in prompts {
            let [before, after] = around(prompt)?;
            let mut row = vec![cls];
            row.extend(self.bare(before)?);
            places.push(row.len());
            row.extend(std::iter::repeat_n(mask, masks));
            row.extend(self.bare(after)?);
            row.push(sep);
            rows.push(row);
        }
        let batch = pad(&rows, Side::Right, self.model.params().device())?;
        let (b, t) = batch.input_ids.dims2()?;
        let hidden =
            self.model.hidden(&batch.input_ids, &batch.attention_mask, Mode::Eval)?.detach();
        let mut flat: Vec<u32> = Vec::new();
        for (row, place) in places.iter().enumerate() {
            flat.extend((0..masks).map(|k| (row * t + place + k) as u32));
        }
        let flat = Tensor::new(flat, self.model.params().device())?;
        let hidden = hidden.reshape((b * t, ()))?.index_select(&flat, 0)?;
        let logits = self.model.predict(&hidden)?.detach();
        Ok(log_softmax(&logits, D::Minus1)?.reshape((b, masks, ()))?)
    }
}

impl SlotFiller for MaskedFiller {
    fn likelihoods(&self, prompts: &[String], answers: &[String]) -> Result<Vec<Vec<Likelihood>>> {
        let ids = answers.iter().map(|a| self.bare(a)).collect::<Result<Vec<_>>>()?;
        if let Some(empty) = ids.iter().position(Vec::is_empty) {
            return Err(Error::value("answers", "words", format!("{:?}", answers[empty])));
        }
        let mut lengths: Vec<usize> = ids.iter().map(Vec::len).collect();
        lengths.sort_unstable();
        lengths.dedup();
        let mut found = vec![vec![Likelihood::default(); answers.len()]; prompts.len()];
        for length in lengths {
            for (part, prompts) in prompts.chunks(ROWS).enumerate() {
                let chances = self.hidden_words(prompts, length)?.to_device(&Device::Cpu)?;
                for (row, chances) in chances.to_vec3::<f32>()?.iter().enumerate() {
                    for (answer, ids) in
                        ids.iter().enumerate().filter(|(_, ids)| ids.len() == length)
                    {
                        let ln_p: f32 =
                            ids.iter().zip(chances).map(|(id, c)| c[*id as usize]).sum();
                        found[part * ROWS + row][answer] =
                            Likelihood { nats: -f64::from(ln_p), tokens: length, words: 1 };
                    }
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Gpt2Config, LlamaConfig};
    use crate::language_model::{Llama, likelihood_of};

    /// What was read once for all candidates gives each the likelihood that it has in a text of its own.
    fn agrees(model: &dyn CausalLm) {
        let asked = [
            (vec![1u32, 2, 3, 4, 5], vec![vec![7], vec![8, 9, 2], vec![3, 3]]),
            (vec![6], vec![vec![5, 4, 3, 2], vec![1]]),
            (vec![9, 8], vec![vec![1, 1], vec![]]),
        ];
        let asked = asked.map(|(prompt, candidates)| Asked { prompt, candidates });
        let mut read = |ids: &Tensor, mask: &Tensor| model.input(ids, mask);
        let found = after_prompts(model, &asked, &mut read).unwrap();
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2, 2]);
        for (asked, found) in asked.iter().zip(&found) {
            for (candidate, found) in asked.candidates.iter().zip(found) {
                assert_eq!(found.tokens, candidate.len());
                let whole = [asked.prompt.as_slice(), candidate].concat();
                let mut counted = vec![0u32; asked.prompt.len()];
                counted.resize(whole.len(), 1);
                let row = |values: &[u32]| Tensor::new(values, &Device::Cpu)?.unsqueeze(0);
                let (ids, counted) = (row(&whole).unwrap(), row(&counted).unwrap());
                let input = model.input(&ids, &ids.ones_like().unwrap()).unwrap();
                let alone = likelihood_of(model, &input, &ids, &counted).unwrap()[0];
                // Sums in another order: float32's 6e-8 a value of some nats, over a dozen operations.
                assert!(
                    (alone.nats - found.nats).abs() < 1e-5,
                    "{candidate:?}: {alone:?} {found:?}"
                );
            }
        }
        let empty = [Asked { prompt: vec![], candidates: vec![vec![1]] }];
        assert!(after_prompts(model, &empty, &mut read).is_err());
        let unknown = [Asked { prompt: vec![1], candidates: vec![vec![10_000]] }];
        assert!(after_prompts(model, &unknown, &mut read).is_err());
    }

    #[test]
    fn a_prompt_is_read_once_for_all_its_candidates() {
        let config = Gpt2Config {
            vocab_size: 11,
            n_positions: 8,
            n_embd: 8,
            n_layer: 2,
            n_head: 2,
            ..Gpt2Config::tiny()
        };
        agrees(&Gpt2::new(&config, &Params::new(&Device::Cpu, 3)).unwrap());
        let config = LlamaConfig {
            vocab_size: 11,
            hidden_size: 8,
            intermediate_size: 16,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            num_key_value_heads: 2,
            max_position_embeddings: 8,
            ..LlamaConfig::smollm2_135m()
        };
        agrees(&Llama::new(&config, &Params::new(&Device::Cpu, 4)).unwrap());
    }
}
