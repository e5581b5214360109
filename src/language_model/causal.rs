//! What every causal language model here can do, so that whoever reads, scores, generates or sees through one holds any.

use candle_core::{Device, Tensor};

use super::{KvCache, LmInput};
use crate::Result;
use crate::nn::{Mode, Params};

/// A causal language model: [`Gpt2`](super::Gpt2) or [`Llama`](super::Llama). `Box<dyn CausalLm>` is one nameable type for both;
/// `&model` is a `&dyn CausalLm` wherever one is asked for.
///
/// A model whose parameters are frozen spends nothing on their gradients, and passes gradients to its input embeddings.
pub trait CausalLm: Send + Sync {
    /// The parameters, to freeze, to train or to save.
    fn params(&self) -> &Params;

    /// Tokens that it knows, `v`.
    fn vocab_size(&self) -> usize;

    /// The length `d` of a token's vector.
    fn width(&self) -> usize;

    /// The longest text, tokens.
    fn longest(&self) -> usize;

    /// ids `(b, t)` → word embeddings `(b, t, d)`, without positions.
    ///
    /// # Errors
    /// When an id is not in the vocabulary.
    fn embed(&self, input_ids: &Tensor) -> Result<Tensor>;

    /// Embeddings, mask and positions → `(b, s, d)`: the last layer's vectors, normalised. With a cache, the places that
    /// were read before are not read again, and the new ones are added to it.
    ///
    /// # Errors
    /// When a text is longer than the model reads, or the shapes differ.
    fn hidden(&self, input: &LmInput, mode: Mode, cache: Option<&mut KvCache>) -> Result<Tensor>;

    /// `(…, d)` → logits `(…, v)`.
    ///
    /// # Errors
    /// When the last dimension is not the model's.
    fn predict(&self, hidden: &Tensor) -> Result<Tensor>;

    /// A copy to write with and not to train: matrices in bfloat16 ([`Params::bfloat16`]), all else and every sum in f32. A
    /// token is read from half the memory, and writing one is little else. What it writes may part from the original's
    /// where two tokens are nearly as likely as each other; a model that was published in bfloat16, as SmolLM2, loses nothing.
    ///
    /// # Errors
    /// What candle reports.
    fn bfloat16(&self) -> Result<Box<dyn CausalLm>>;

    /// Makes the vocabulary `vocab_size` tokens large, as the slide's `resize_token_embeddings(len(tokenizer))`. Each new
    /// token starts as the mean of the others: it is then as unlikely as an average token, where a random vector could be
    /// likelier than all that the model knows.
    ///
    /// # Errors
    /// When `vocab_size` is 0.
    fn resize_token_embeddings(&mut self, vocab_size: usize) -> Result<()>;

    /// The device that it lives on.
    fn device(&self) -> Device {
        self.params().device().clone()
    }

    /// ids `(b, t)`, mask `(b, t)` → what [`hidden`](Self::hidden) reads.
    ///
    /// # Errors
    /// When an id is not in the vocabulary, or the shapes differ.
    fn input(&self, input_ids: &Tensor, attention_mask: &Tensor) -> Result<LmInput> {
        LmInput::new(&self.embed(input_ids)?, attention_mask)
    }

    /// Embeddings, mask and positions → logits `(b, t, v)`.
    ///
    /// # Errors
    /// As [`hidden`](Self::hidden).
    fn forward(&self, input: &LmInput, mode: Mode) -> Result<Tensor> {
        self.predict(&self.hidden(input, mode, None)?)
    }

    /// ids `(b, t)`, mask `(b, t)` → logits `(b, t, v)`: at each place, of the token that comes next.
    ///
    /// # Errors
    /// As [`input`](Self::input) and [`hidden`](Self::hidden).
    fn logits(&self, input_ids: &Tensor, attention_mask: &Tensor, mode: Mode) -> Result<Tensor> {
        self.forward(&self.input(input_ids, attention_mask)?, mode)
    }
}

/// A table of word vectors `(v, d)` for `vocab_size` tokens: cut, or grown by the mean of its rows.
pub(super) fn resized(table: &Tensor, vocab_size: usize) -> Result<Tensor> {
    if vocab_size == 0 {
        let what = "resize_token_embeddings";
        return Err(crate::Error::value(what, "at least 1 token", 0));
    }
    let (v, d) = table.dims2()?;
    if vocab_size <= v {
        return Ok(table.narrow(0, 0, vocab_size)?);
    }
    let mean = table.mean_keepdim(0)?.broadcast_as((vocab_size - v, d))?;
    Ok(Tensor::cat(&[table, &mean], 0)?)
}

/// Checks the mask of `s` new places after those in the cache, and that no place is past the longest text.
pub(super) fn check_input(input: &LmInput, cached: usize, longest: usize) -> Result<()> {
    let (b, s, _) = input.embeddings.dims3()?;
    if input.attention_mask.dims() != [b, s + cached] {
        return Err(crate::Error::shape(
            "language model, attention_mask",
            format!("({b}, {}): {s} new places and {cached} read before", s + cached),
            input.attention_mask.shape(),
        ));
    }
    let last = input.position_ids.flatten_all()?.max(0)?.to_scalar::<u32>()?;
    if last as usize >= longest {
        let expected =
            format!("at most {longest} places; cut the text, or score it by a sliding window");
        return Err(crate::Error::value("language model, text", expected, last + 1));
    }
    Ok(())
}
