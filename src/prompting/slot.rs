//! How likely each answer is in a prompt's slot: by a causal language model, which reads what stands before \[Z], and by a
//! masked one, which reads both sides.

use candle_core::{D, Device, Tensor};
use candle_nn::ops::log_softmax;

use crate::config::Config;
use crate::encoder::MaskedLm;
use crate::language_model::{
    CausalLm, GenerateConfig, Gpt2, Likelihood, LmInput, generate, likelihood_of, pretrained,
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
        let mut rows = Vec::with_capacity(prompts.len() * answers.len());
        for (prompt, space) in &begun {
            for answer in answers {
                let answer = if *space { format!(" {answer}") } else { answer.clone() };
                rows.push((prompt.clone(), self.tokenizer.encode(&answer)?));
            }
        }
        let mut read = |ids: &Tensor, mask: &Tensor| self.model.input(ids, mask);
        let found = after_prompts(&*self.model, &rows, &mut read)?;
        Ok(found.chunks(answers.len().max(1)).map(<[_]>::to_vec).collect())
    }
}

/// The likelihood of each row's second part after its first; `read` makes of ids and mask what the model reads.
pub(super) fn after_prompts(
    model: &dyn CausalLm,
    rows: &[(Vec<u32>, Vec<u32>)],
    read: &mut dyn FnMut(&Tensor, &Tensor) -> Result<LmInput>,
) -> Result<Vec<Likelihood>> {
    let device = model.params().device();
    let mut found = Vec::with_capacity(rows.len());
    for rows in rows.chunks(ROWS) {
        let whole: Vec<Vec<u32>> = rows.iter().map(|(a, b)| [a.as_slice(), b].concat()).collect();
        let counts: Vec<Vec<u32>> =
            rows.iter().map(|(a, b)| [vec![0; a.len()], vec![1; b.len()]].concat()).collect();
        let batch = pad(&whole, Side::Right, device)?;
        let counted = pad(&counts, Side::Right, device)?.input_ids;
        let input = read(&batch.input_ids, &batch.attention_mask)?;
        found.extend(likelihood_of(model, &input, &batch.input_ids, &counted)?);
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
