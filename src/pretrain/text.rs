//! The text encoder learns to guess hidden words of scene captions: BERT's masked language modelling
//! (arXiv:1810.04805, section 3.1).

use candle_core::{DType, Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::documents::facts;
use super::{Cosine, PretrainConfig};
use crate::config::{Config, DistilBertConfig, TextEncoderConfig};
use crate::dataset::review_document;
use crate::dataset::scenes::{self, Scene, Split};
use crate::display::Interruptible;
use crate::encoder::MaskedLm;
use crate::nn::{AdamW, Mode, Param, ParamGroup, Params};
use crate::text::Tokenizer;
use crate::{Error, Result};

/// How the training goes, or how good the encoder is at its end.
#[derive(Clone, Copy, Debug, Default)]
pub struct TextReport {
    /// The step.
    pub step: usize,
    /// How much of the training is behind, 0 to 1.
    pub progress: f64,
    /// Mean cross-entropy of the hidden words, nats.
    pub loss: f64,
    /// The share of hidden words that are guessed right: in training of the last step, at the end on held-out scenes.
    pub right: f64,
}

/// The tokenizer of `tiny`: every word of scene captions whole, other words by their letters.
///
/// # Errors
/// Never for the vocabulary of scenes.
pub fn tiny_tokenizer() -> Result<Tokenizer> {
    Tokenizer::from_words(&scenes::vocabulary())
}

/// Captions with hidden words: ids as the encoder sees them, mask, the flat positions of hidden words, and the words.
struct Puzzle {
    ids: Tensor,
    mask: Tensor,
    hidden: Tensor,
    words: Tensor,
}

fn puzzle(
    captions: &[String],
    tokenizer: &Tokenizer,
    max_length: usize,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Result<Puzzle> {
    let encoded = tokenizer.encode_batch(captions, max_length, device)?;
    let (b, t) = encoded.input_ids.dims2()?;
    let special = Tokenizer::SPECIAL.len() as u32;
    let mask_id = tokenizer
        .token_to_id("[MASK]")
        .ok_or_else(|| Error::value("the tokenizer", "a token [MASK]", "none"))?;
    let mut ids = encoded.input_ids.flatten_all()?.to_vec1::<u32>()?;
    let (mut hidden, mut words) = (Vec::new(), Vec::new());
    for (at, id) in ids.iter_mut().enumerate() {
        if *id >= special && rng.random_bool(0.2) {
            hidden.push(at as u32);
            words.push(*id);
            // Of ten hidden words eight become [MASK], one another word, and one stays.
            *id = match rng.random_range(0..10) {
                0 => *id,
                1 => rng.random_range(special..tokenizer.vocab_size() as u32),
                _ => mask_id,
            };
        }
    }
    Ok(Puzzle {
        ids: Tensor::from_vec(ids, (b, t), device)?,
        mask: encoded.attention_mask,
        hidden: Tensor::new(hidden, device)?,
        words: Tensor::new(words, device)?,
    })
}

/// One of a scene's five captions.
fn caption(rng: &mut ChaCha8Rng, split: Split) -> String {
    let five = Scene::sample(rng, split).captions(rng);
    let which = rng.random_range(0..five.len());
    five.into_iter().nth(which).unwrap_or_default()
}

/// What a masked language model of `tiny` reads, besides captions: reviews of movies, and what some objects are.
fn sentences(rng: &mut ChaCha8Rng, split: Split) -> String {
    match rng.random_range(0..10) {
        0..3 => caption(rng, split),
        3..9 => review_document(rng),
        _ => facts(rng),
    }
}

/// Something to read, of a split.
type Draw = fn(&mut ChaCha8Rng, Split) -> String;

fn texts(draw: Draw, rng: &mut ChaCha8Rng, n: usize, split: Split) -> Vec<String> {
    let seeds: Vec<u64> = (0..n).map(|_| rng.random()).collect();
    let one = |seed: &u64| draw(&mut ChaCha8Rng::seed_from_u64(*seed), split);
    seeds.par_iter().map(one).collect()
}

/// Trains a text encoder of `config` from scratch; its parameters come back under the encoder's own names.
///
/// # Errors
/// When the device fails.
pub fn pretrain_text(
    config: &Config,
    how: &PretrainConfig,
    report: &mut dyn FnMut(&TextReport),
) -> Result<(Params, TextReport)> {
    let device = config.device()?;
    let tokenizer = tiny_tokenizer()?;
    let params = Params::new(&device, how.seed);
    let extra = Params::new(&device, how.seed + 1);
    let sizes = sizes(config, &tokenizer)?;
    let guesser = MaskedLm::in_places(&sizes, &params, &extra)?;
    if let Some(start) = &how.start {
        params.load_state_dict(start)?;
    }
    let mut all = params.trainable();
    all.extend(extra.trainable());
    let report = guess(&guesser, all, &tokenizer, config.max_length, caption, how, report)?;
    Ok((params, report))
}

/// The tokenizer of `tiny`'s masked language model: every word of captions, facts and reviews whole.
///
/// # Errors
/// Never for these words.
pub fn masked_tokenizer() -> Result<Tokenizer> {
    let mut words = scenes::vocabulary();
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for _ in 0..4000 {
        let texts = [review_document(&mut rng), facts(&mut rng)].join(" ");
        let fresh = texts.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
        words.extend(fresh.map(str::to_string));
    }
    words.sort();
    words.dedup();
    Tokenizer::from_words(&words)
}

/// Trains a masked language model with its head, on captions, facts and reviews, from scratch or from an earlier one.
///
/// # Errors
/// When the device fails.
pub fn pretrain_masked(
    config: &Config,
    how: &PretrainConfig,
    report: &mut dyn FnMut(&TextReport),
) -> Result<(MaskedLm, Tokenizer, TextReport)> {
    let tokenizer = masked_tokenizer()?;
    let params = Params::new(&config.device()?, how.seed);
    let model = MaskedLm::new(&sizes(config, &tokenizer)?, &params)?;
    if let Some(start) = &how.start {
        params.load_state_dict(start)?;
    }
    // The longest review has forty tokens.
    let report = guess(&model, params.trainable(), &tokenizer, 48, sentences, how, report)?;
    Ok((model, tokenizer, report))
}

fn sizes(config: &Config, tokenizer: &Tokenizer) -> Result<DistilBertConfig> {
    let TextEncoderConfig::DistilBert(sizes) = &config.text_encoder else {
        let what = "pretraining on hidden words, config.text_encoder";
        return Err(Error::value(what, "a DistilBERT", "another encoder"));
    };
    Ok(DistilBertConfig { vocab_size: tokenizer.vocab_size(), ..sizes.clone() })
}

fn guess(
    guesser: &MaskedLm,
    params: Vec<Param>,
    tokenizer: &Tokenizer,
    max_length: usize,
    draw: Draw,
    how: &PretrainConfig,
    report: &mut dyn FnMut(&TextReport),
) -> Result<TextReport> {
    let device = guesser.params().device().clone();
    let group = ParamGroup { name: "all".into(), params, lr: how.lr, weight_decay: 0.01 };
    let mut optimizer = AdamW::new(vec![group]);
    let schedule = Cosine::new(&optimizer, how.steps, how.budget);
    let mut rng = ChaCha8Rng::seed_from_u64(how.seed ^ 0x7465_7874);
    let answer = |puzzle: &Puzzle, mode: Mode| -> Result<(Tensor, f64)> {
        let hidden = guesser.hidden(&puzzle.ids, &puzzle.mask, mode)?;
        let (b, t, d) = hidden.dims3()?;
        let hidden = hidden.reshape((b * t, d))?.index_select(&puzzle.hidden, 0)?;
        let logits = guesser.predict(&hidden)?;
        let right =
            logits.detach().argmax(1)?.eq(&puzzle.words)?.to_dtype(DType::F32)?.mean_all()?;
        let loss = candle_nn::loss::cross_entropy(&logits, &puzzle.words)?;
        Ok((loss, f64::from(right.to_scalar::<f32>()?)))
    };
    let mut step = 0;
    let stop = Interruptible::new("the pretraining");
    while schedule.set(&mut optimizer, step) {
        stop.check(|| format!("{step} of {} steps are done", how.steps))?;
        let texts = texts(draw, &mut rng, how.batch_size, Split::Train);
        let puzzle = puzzle(&texts, tokenizer, max_length, &mut rng, &device)?;
        let (loss, right) = answer(&puzzle, Mode::Train)?;
        optimizer.backward_step(&loss)?;
        step += 1;
        if step.is_multiple_of(50) {
            let loss = f64::from(loss.to_scalar::<f32>()?);
            report(&TextReport { step, progress: schedule.progress(step), loss, right });
        }
    }
    let mut rng = ChaCha8Rng::seed_from_u64(how.seed ^ 0x7661_6c69);
    let (mut loss, mut right) = (0., 0.);
    const ROUNDS: usize = 8;
    for _ in 0..ROUNDS {
        let texts = texts(draw, &mut rng, 128, Split::Valid);
        let (l, r) =
            answer(&puzzle(&texts, tokenizer, max_length, &mut rng, &device)?, Mode::Eval)?;
        loss += f64::from(l.to_scalar::<f32>()?) / ROUNDS as f64;
        right += r / ROUNDS as f64;
    }
    Ok(TextReport { step, progress: 1., loss, right })
}
