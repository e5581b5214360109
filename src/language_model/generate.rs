//! Writing on: token after token, each read once, thanks to the cache of keys and values.

use candle_core::{DType, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{CausalLm, Decoding, KvCache, LmInput};
use crate::nn::Mode;
use crate::{Error, Result};

/// How a text is written on.
#[derive(Clone, Debug, PartialEq)]
pub struct GenerateConfig {
    /// Tokens at most.
    pub max_new_tokens: usize,
    /// How the next token is chosen.
    pub decoding: Decoding,
    /// A text ends before any of these.
    pub stop_tokens: Vec<u32>,
    /// Of the random choices. A row's choices depend on its number in the batch, not on the other rows.
    pub seed: u64,
}

impl GenerateConfig {
    /// The likeliest token each time, until a stop token comes.
    pub fn greedy(max_new_tokens: usize, stop_tokens: &[u32]) -> Self {
        Self {
            max_new_tokens,
            decoding: Decoding::Greedy,
            stop_tokens: stop_tokens.to_vec(),
            seed: 0,
        }
    }
}

/// The new tokens of each row, without the stop token. Rows of different lengths are padded on the left, so that every row
/// ends in the last column.
///
/// # Errors
/// When a row ends in padding, or the text with its continuation is longer than the model reads.
pub fn generate(
    model: &dyn CausalLm,
    input: &LmInput,
    how: &GenerateConfig,
) -> Result<Vec<Vec<u32>>> {
    // A token is some fifty products: from outside, each would wait for a thread of the pool to wake.
    rayon::scope(|_| written(model, input, how))
}

fn written(model: &dyn CausalLm, input: &LmInput, how: &GenerateConfig) -> Result<Vec<Vec<u32>>> {
    let (b, t, _) = input.embeddings.dims3()?;
    let device = input.embeddings.device();
    let last = input.attention_mask.to_dtype(DType::U32)?.narrow(1, t - 1, 1)?.flatten_all()?;
    if let Some(row) = last.to_vec1::<u32>()?.iter().position(|one| *one == 0) {
        let got = format!("padding at the end of row {row}");
        return Err(Error::value("generate, attention_mask", "padding on the left", got));
    }
    let mut rngs: Vec<ChaCha8Rng> = (0..b)
        .map(|row| {
            let mut rng = ChaCha8Rng::seed_from_u64(how.seed);
            rng.set_stream(row as u64);
            rng
        })
        .collect();
    let mut texts = vec![Vec::new(); b];
    let mut done = vec![false; b];
    let mut cache = KvCache::new();
    let mut input = LmInput { embeddings: input.embeddings.detach(), ..input.clone() };
    for _ in 0..how.max_new_tokens {
        let hidden = model.hidden(&input, Mode::Eval, Some(&mut cache))?.detach();
        let end = hidden.narrow(1, hidden.dim(1)? - 1, 1)?.squeeze(1)?; // (b, d)
        let logits = model.predict(&end)?.to_vec2::<f32>()?;
        let mut next = vec![0u32; b];
        for (row, logits) in logits.iter().enumerate() {
            if done[row] {
                continue;
            }
            next[row] = how.decoding.choose(logits, &mut rngs[row]);
            done[row] = how.stop_tokens.contains(&next[row]);
            if !done[row] {
                texts[row].push(next[row]);
            }
        }
        if done.iter().all(|done| *done) {
            break;
        }
        let places = input.position_ids.narrow(1, input.position_ids.dim(1)? - 1, 1)?;
        let ones = Tensor::ones((b, 1), DType::U32, device)?;
        let mask = input.attention_mask.to_dtype(DType::U32)?;
        input = LmInput {
            embeddings: model.embed(&Tensor::from_vec(next, (b, 1), device)?)?.detach(),
            attention_mask: Tensor::cat(&[&mask, &ones], 1)?,
            position_ids: (places + ones)?,
        };
    }
    Ok(texts)
}
