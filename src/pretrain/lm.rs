//! The language model learns to write on: captions, questions with answers, contexts of several examples
//! ([`document`](super::document)).

use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::documents::END_OF_TAGS;
use super::{Cosine, PretrainConfig, document};
use crate::config::Gpt2Config;
use crate::dataset::scenes::{Split, vocabulary};
use crate::display::Interruptible;
use crate::language_model::{Gpt2, Likelihood, likelihood};
use crate::nn::{AdamW, Mode, ParamGroup, Params};
use crate::text::BpeTokenizer;
use crate::{Error, Result};

/// How the training goes, or how good the model is at its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct LmReport {
    /// The step.
    pub step: usize,
    /// How much of the training is behind, 0 to 1.
    pub progress: f64,
    /// Tokens read so far.
    pub tokens: usize,
    /// Mean cross-entropy, nats a token: in training of the last step, at the end on held-out documents.
    pub loss: f64,
}

/// How many documents the tokenizer learns from.
const TEXTS: usize = 20_000;

/// The tokenizer of `tiny`'s language model: byte-level BPE, learned from documents and from every word of captions.
///
/// # Errors
/// When the tokenizer cannot be trained.
pub fn tiny_bpe(seed: u64) -> Result<BpeTokenizer> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x0062_7065);
    let mut texts = documents(&mut rng, TEXTS, Split::Train);
    // As two words: no token reaches over the end of tags.
    texts.iter_mut().for_each(|text| *text = text.replace(END_OF_TAGS, "\n"));
    texts.extend(vocabulary().iter().map(|word| format!("a {word}")));
    BpeTokenizer::train(&texts, Gpt2Config::tiny().vocab_size)
}

fn documents(rng: &mut ChaCha8Rng, n: usize, split: Split) -> Vec<String> {
    let seeds: Vec<u64> = (0..n).map(|_| rng.random()).collect();
    seeds.par_iter().map(|s| document(&mut ChaCha8Rng::seed_from_u64(*s), split)).collect()
}

/// Rows of at most `width` tokens; each begins with a document and goes on with others as long as they fit whole. After
/// each stands the token that ends a text.
fn rows(
    rng: &mut ChaCha8Rng,
    count: usize,
    width: usize,
    split: Split,
    tokenizer: &BpeTokenizer,
) -> Result<Vec<Vec<u32>>> {
    let end = tokenizer.end_of_text()?;
    let seeds: Vec<u64> = (0..count).map(|_| rng.random()).collect();
    let row = |seed: &u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(*seed);
        let mut row = Vec::with_capacity(width);
        loop {
            let mut ids = Vec::new();
            for part in document(&mut rng, split).split(END_OF_TAGS) {
                ids.extend(tokenizer.encode(part)?);
            }
            ids.push(end);
            if !row.is_empty() && row.len() + ids.len() > width {
                break;
            }
            ids.truncate(width);
            row.extend(ids);
        }
        Ok(row)
    };
    seeds.par_iter().map(row).collect()
}

/// A batch as ids `(b, t)` and mask `(b, t)`, and the flat places `(m)` of tokens that have a next one, with that `(m)`.
struct Reading {
    ids: Tensor,
    mask: Tensor,
    places: Tensor,
    targets: Tensor,
}

fn reading(rows: &[Vec<u32>], device: &Device) -> Result<Reading> {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let (mut ids, mut mask) = (Vec::new(), Vec::new());
    let (mut places, mut targets) = (Vec::<u32>::new(), Vec::<u32>::new());
    for (number, row) in rows.iter().enumerate() {
        ids.extend(row.iter().copied().chain(std::iter::repeat_n(0, width - row.len())));
        mask.extend((0..width).map(|i| u32::from(i < row.len())));
        places.extend((0..row.len() - 1).map(|i| (number * width + i) as u32));
        targets.extend(&row[1..]);
    }
    Ok(Reading {
        ids: Tensor::from_vec(ids, (rows.len(), width), device)?,
        mask: Tensor::from_vec(mask, (rows.len(), width), device)?,
        places: Tensor::new(places, device)?,
        targets: Tensor::new(targets, device)?,
    })
}

/// Trains a language model from scratch; its parameters come back under transformers' names.
///
/// # Errors
/// When the device fails.
pub fn pretrain_lm(
    sizes: &Gpt2Config,
    how: &PretrainConfig,
    device: &Device,
    report: &mut dyn FnMut(&LmReport),
) -> Result<(Gpt2, BpeTokenizer, LmReport)> {
    let tokenizer = tiny_bpe(how.seed)?;
    let sizes = Gpt2Config { vocab_size: tokenizer.vocab_size(), ..sizes.clone() };
    let params = Params::new(device, how.seed);
    let model = Gpt2::new(&sizes, &params)?;
    if let Some(start) = &how.start {
        params.load_state_dict(start)?;
    }
    // Weight decay on what multiplies, not on biases and norms.
    let (matrices, rest) = params.trainable().into_iter().partition(|p| p.var().rank() > 1);
    let group = |name: &str, params, weight_decay| ParamGroup {
        name: name.into(),
        params,
        lr: how.lr,
        weight_decay,
    };
    let mut optimizer = AdamW::new(vec![group("matrices", matrices, 0.1), group("rest", rest, 0.)]);
    let schedule = Cosine::new(&optimizer, how.steps, how.budget);
    let mut rng = ChaCha8Rng::seed_from_u64(how.seed ^ 0x6c6d);
    let (mut step, mut tokens) = (0, 0);
    let stop = Interruptible::new("the pretraining");
    while schedule.set(&mut optimizer, step) {
        stop.check(|| format!("{step} of {} steps are done", how.steps))?;
        let rows = rows(&mut rng, how.batch_size, WIDTH, Split::Train, &tokenizer)?;
        let batch = reading(&rows, device)?;
        let hidden = model.hidden(&model.input(&batch.ids, &batch.mask)?, Mode::Train, None)?;
        let (b, t, d) = hidden.dims3()?;
        let read = hidden.reshape((b * t, d))?.index_select(&batch.places, 0)?;
        let loss = candle_nn::loss::cross_entropy(&model.predict(&read)?, &batch.targets)?;
        optimizer.backward_step(&loss)?;
        step += 1;
        tokens += batch.targets.elem_count();
        if step.is_multiple_of(20) {
            let loss = f64::from(loss.to_scalar::<f32>()?);
            report(&LmReport { step, progress: schedule.progress(step), tokens, loss });
        }
    }
    let held_out = held_out(&model, &tokenizer, how.seed)?;
    Ok((model, tokenizer, LmReport { step, progress: 1., tokens, loss: held_out.nats_per_token() }))
}

/// Tokens in a row of training: the longest documents have about that many.
const WIDTH: usize = 128;

/// The likelihood of held-out documents, four batches of 64 rows.
fn held_out(model: &Gpt2, tokenizer: &BpeTokenizer, seed: u64) -> Result<Likelihood> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x7661_6c69);
    let mut found = Likelihood::default();
    for _ in 0..4 {
        let rows = rows(&mut rng, 64, WIDTH, Split::Valid, tokenizer)?;
        let batch = reading(&rows, model.params().device())?;
        let each = likelihood(model, &batch.ids, &batch.mask)?;
        found = each.into_iter().fold(found, Likelihood::and);
    }
    if found.tokens == 0 {
        return Err(Error::value("held-out documents", "at least one", "none"));
    }
    Ok(found)
}
