//! How likely a text is: log-likelihood and perplexity.
//!
//! `ln P(W) = Σ ln P(wᵢ | w₁ … wᵢ₋₁)`, `PP(W) = P(W)^(−1/N) = exp(−ln P(W) / N)`. The slide's product of probabilities is
//! below the smallest f64 after some hundred tokens, and its root then is infinite; the sum of logarithms is not.

use candle_core::{D, DType, Device, Tensor};
use candle_nn::ops::log_softmax;
use rayon::prelude::*;

use super::{CausalLm, LmInput};
use crate::nn::Mode;
use crate::text::BpeTokenizer;
use crate::{Error, Result};

/// How likely a text is to a model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Likelihood {
    /// `−ln P`, nats: the sum over the predicted tokens.
    pub nats: f64,
    /// The predicted tokens: all but the first, which nothing predicts.
    pub tokens: usize,
    /// The words they spell, by the spaces between them.
    pub words: usize,
}

impl Likelihood {
    /// Nats a token: the mean cross-entropy, the training loss.
    pub fn nats_per_token(&self) -> f64 {
        self.nats / self.tokens.max(1) as f64
    }

    /// Bits a token.
    pub fn bits_per_token(&self) -> f64 {
        self.nats_per_token() / std::f64::consts::LN_2
    }

    /// Perplexity a token: among how many equally likely tokens the model might as well choose. Models with different
    /// tokenizers cannot be compared by it.
    pub fn per_token(&self) -> f64 {
        self.nats_per_token().exp()
    }

    /// Perplexity a word: comparable between tokenizers.
    pub fn per_word(&self) -> f64 {
        (self.nats / self.words.max(1) as f64).exp()
    }

    /// Both texts together.
    pub fn and(self, other: Self) -> Self {
        Self {
            nats: self.nats + other.nats,
            tokens: self.tokens + other.tokens,
            words: self.words + other.words,
        }
    }
}

/// `ln P` of each token given those before it: logits `(b, t, v)`, ids `(b, t)` → `(b, t − 1)`. What stands at padding means
/// nothing.
///
/// # Errors
/// When the shapes differ, or there is no second token.
pub fn token_log_probabilities(logits: &Tensor, input_ids: &Tensor) -> Result<Tensor> {
    let (b, t, _) = logits.dims3()?;
    check_ids(input_ids, b, t)?;
    let chances = log_softmax(&logits.narrow(1, 0, t - 1)?, D::Minus1)?;
    let next = input_ids.narrow(1, 1, t - 1)?.contiguous()?.unsqueeze(2)?;
    Ok(chances.contiguous()?.gather(&next, 2)?.squeeze(2)?)
}

/// Nothing predicts a text's first token: one alone has no likelihood.
fn check_ids(input_ids: &Tensor, b: usize, t: usize) -> Result<()> {
    if input_ids.dims() == [b, t] && t >= 2 {
        return Ok(());
    }
    let expected = format!("({b}, {t}) as the logits, at least two tokens");
    Err(Error::shape("log-probabilities, input_ids", expected, input_ids.shape()))
}

/// The likelihood of each row of a padded batch: ids `(b, t)`, mask `(b, t)`. `words` is not known here, and 0.
///
/// # Errors
/// As [`CausalLm::logits`] and [`token_log_probabilities`].
pub fn likelihood(
    model: &dyn CausalLm,
    input_ids: &Tensor,
    mask: &Tensor,
) -> Result<Vec<Likelihood>> {
    of_input(model, &model.input(input_ids, mask)?, input_ids, mask)
}

/// As [`likelihood`], where some embeddings are not those of the ids. A target counts where `counted` `(b, t)` is 1 and a
/// token stands before it.
pub(crate) fn of_input(
    model: &dyn CausalLm,
    input: &LmInput,
    input_ids: &Tensor,
    counted: &Tensor,
) -> Result<Vec<Likelihood>> {
    let hidden = model.hidden(input, Mode::Eval, None)?.detach();
    let (b, t, d) = hidden.dims3()?;
    check_ids(input_ids, b, t)?;
    let ids = input_ids.to_dtype(DType::U32)?.to_vec2::<u32>()?;
    let read = input.attention_mask.to_dtype(DType::U32)?.to_vec2::<u32>()?;
    let counted = counted.to_dtype(DType::U32)?.to_vec2::<u32>()?;
    let counts = |row: usize, i: usize| read[row][i] == 1 && counted[row][i + 1] == 1;
    let places: Vec<(usize, usize)> = (0..b)
        .flat_map(|row| (0..t.saturating_sub(1)).map(move |i| (row, i)))
        .filter(|(row, i)| counts(*row, *i))
        .collect();
    let flat: Vec<u32> = places.iter().map(|(row, i)| (row * t + i) as u32).collect();
    let targets: Vec<u32> = places.iter().map(|(row, i)| ids[*row][i + 1]).collect();
    let hidden = hidden.reshape((b * t, d))?;
    let chances = log_probabilities_at(model, &hidden, &flat, &targets)?;
    let mut found = vec![Likelihood::default(); b];
    for ((row, _), chance) in places.into_iter().zip(chances) {
        found[row].nats -= chance;
        found[row].tokens += 1;
    }
    Ok(found)
}

/// Places whose logits are held at once: with fifty thousand tokens, 50 MB.
const PLACES: usize = 256;

/// `ln P` of a target at each of some rows of `hidden` `(n, d)`. The output layer, most of a small model's work, reads these
/// rows alone, and the sums are in f64.
///
/// # Errors
/// When a row is not there, or a target is not in the vocabulary.
pub(crate) fn log_probabilities_at(
    model: &dyn CausalLm,
    hidden: &Tensor,
    rows: &[u32],
    targets: &[u32],
) -> Result<Vec<f64>> {
    let v = model.vocab_size();
    if let Some(id) = targets.iter().find(|id| **id as usize >= v) {
        return Err(Error::value("log-probabilities, target", format!("below {v}"), id));
    }
    let mut found = Vec::with_capacity(rows.len());
    for (rows, targets) in rows.chunks(PLACES).zip(targets.chunks(PLACES)) {
        let hidden = hidden.index_select(&Tensor::new(rows, hidden.device())?, 0)?;
        let logits = model.predict(&hidden)?.detach().to_device(&Device::Cpu)?;
        let logits = logits.flatten_all()?.to_vec1::<f32>()?;
        let each = logits.par_chunks(v).zip(targets).map(|(logits, target)| {
            let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = logits.iter().map(|l| f64::from((l - largest).exp())).sum();
            f64::from(logits[*target as usize] - largest) - sum.ln()
        });
        found.extend(each.collect::<Vec<_>>());
    }
    Ok(found)
}

/// Tokens that [`score`] reads at once, where the model could read more: their logits take `window · v` values.
const LONGEST_WINDOW: usize = 1024;

/// The likelihood of a text of any length, after the token that stands between documents.
///
/// # Errors
/// When the tokenizer or the model refuses the text.
pub fn score(model: &dyn CausalLm, tokenizer: &BpeTokenizer, text: &str) -> Result<Likelihood> {
    let mut ids = vec![tokenizer.end_of_text()?];
    ids.extend(tokenizer.encode(text)?);
    let window = model.longest().min(LONGEST_WINDOW);
    let found = score_long(model, &ids, window, window.div_ceil(2))?;
    Ok(Likelihood { words: text.split_whitespace().count(), ..found })
}

/// The likelihood of ids of any length: windows of `window` tokens, `stride` apart. The first predicts all its tokens but the
/// first; each of the others those that no window before it has predicted, with the rest as their context.
///
/// # Errors
/// When `stride` is 0 or larger than `window`, or there is no second token.
pub fn score_long(
    model: &dyn CausalLm,
    ids: &[u32],
    window: usize,
    stride: usize,
) -> Result<Likelihood> {
    if stride == 0 || stride > window || window < 2 {
        let got = format!("{stride} of {window}");
        return Err(Error::value("score_long, stride", "1 to the window, of at least 2", got));
    }
    if ids.len() < 2 {
        return Err(Error::value("score_long, ids", "at least two tokens", ids.len()));
    }
    let device = model.params().device();
    let (mut found, mut predicted) = (Likelihood::default(), 1);
    for start in (0..ids.len()).step_by(stride) {
        let end = (start + window).min(ids.len());
        let piece = Tensor::new(&ids[start..end], device)?.unsqueeze(0)?;
        let mask = piece.ones_like()?;
        let fresh: Vec<u32> = (start..end).map(|i| u32::from(i >= predicted)).collect();
        let fresh = Tensor::from_vec(fresh, (1, end - start), device)?;
        let input = model.input(&piece, &mask)?;
        found = of_input(model, &input, &piece, &fresh)?.into_iter().fold(found, Likelihood::and);
        predicted = end;
        if end == ids.len() {
            break;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::config::Gpt2Config;
    use crate::language_model::Gpt2;
    use crate::nn::Params;

    /// The slide's formula as it stands fails where the sum of logarithms does not.
    #[test]
    fn the_product_underflows_and_the_sum_does_not() {
        let p: f64 = 0.001;
        let product = (0..200).fold(1., |product, _| product * p);
        assert_eq!(product, 0.);
        assert!((1. / product).powf(1. / 200.).is_infinite());
        let text = Likelihood { nats: -200. * p.ln(), tokens: 200, words: 100 };
        assert!((text.per_token() - 1000.).abs() < 1e-9);
        assert!((text.bits_per_token() - 1000f64.log2()).abs() < 1e-12);
        assert!((text.per_word() / 1e6 - 1.).abs() < 1e-9);
    }

    #[test]
    fn a_window_that_holds_everything_is_the_plain_likelihood() {
        let config = Gpt2Config {
            vocab_size: 11,
            n_positions: 16,
            n_embd: 8,
            n_layer: 1,
            n_head: 2,
            ..Gpt2Config::tiny()
        };
        let model = Gpt2::new(&config, &Params::new(&Device::Cpu, 3)).unwrap();
        let ids: Vec<u32> = (0..12).map(|i| (i * 7) % 11).collect();
        let whole = score_long(&model, &ids, 16, 8).unwrap();
        let row = Tensor::new(ids.as_slice(), &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let plain = likelihood(&model, &row, &row.ones_like().unwrap()).unwrap()[0];
        assert_eq!((whole.tokens, plain.tokens), (11, 11));
        assert!((whole.nats - plain.nats).abs() < 1e-9);
        // Windows side by side: nothing predicts the first token of each but the first.
        assert_eq!(score_long(&model, &ids, 4, 4).unwrap().tokens, 9);
        assert!(score_long(&model, &ids, 4, 0).is_err());
        assert!(score_long(&model, &ids[..1], 4, 2).is_err());
        let alone = row.narrow(1, 0, 1).unwrap();
        assert!(likelihood(&model, &alone, &alone.ones_like().unwrap()).is_err());
    }
}
