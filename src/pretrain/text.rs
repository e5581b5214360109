//! The text encoder learns to guess hidden words of scene captions: BERT's masked language modelling
//! (arXiv:1810.04805, section 3.1).

use candle_core::{DType, Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{Cosine, PretrainConfig};
use crate::config::{Config, DistilBertConfig, TextEncoderConfig};
use crate::dataset::scenes::{self, Scene, Split};
use crate::display::Interruptible;
use crate::encoder::DistilBert;
use crate::nn::{AdamW, LayerNorm, Linear, Mode, ParamGroup, Params, ops};
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

struct Guesser {
    encoder: DistilBert,
    transform: Linear,
    layer_norm: LayerNorm,
}

impl Guesser {
    /// ids `(b, t)`, mask `(b, t)` → logits `(b·t, v)`, by the tied table of word vectors.
    fn forward(&self, ids: &Tensor, mask: &Tensor, mode: Mode) -> Result<Tensor> {
        let hidden = self.encoder.hidden(ids, mask, mode)?;
        let (b, t, d) = hidden.dims3()?;
        let hidden = ops::gelu(&self.transform.forward(&hidden.reshape((b * t, d))?)?)?;
        let hidden = self.layer_norm.forward(&hidden)?;
        Ok(hidden.matmul(&self.encoder.word_embeddings().t()?)?)
    }
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
    config: &Config,
    rng: &mut ChaCha8Rng,
    device: &Device,
) -> Result<Puzzle> {
    let encoded = tokenizer.encode_batch(captions, config.max_length, device)?;
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

fn captions(rng: &mut ChaCha8Rng, n: usize, split: Split) -> Vec<String> {
    let seeds: Vec<u64> = (0..n).map(|_| rng.random()).collect();
    let one = |seed: &u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(*seed);
        let five = Scene::sample(&mut rng, split).captions(&mut rng);
        let which = rng.random_range(0..five.len());
        five.into_iter().nth(which).unwrap_or_default()
    };
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
    let TextEncoderConfig::DistilBert(sizes) = &config.text_encoder else {
        return Err(Error::value(
            "pretrain_text, config.text_encoder",
            "a DistilBERT",
            "another encoder",
        ));
    };
    let sizes = DistilBertConfig { vocab_size: tokenizer.vocab_size(), ..sizes.clone() };
    let params = Params::new(&device, how.seed);
    let extra = Params::new(&device, how.seed + 1);
    let guesser = Guesser {
        encoder: DistilBert::new(&sizes, &params)?,
        transform: Linear::bert(sizes.dim, sizes.dim, &extra.pp("transform"))?,
        layer_norm: LayerNorm::new(sizes.dim, 1e-12, &extra.pp("layer_norm"))?,
    };
    if let Some(start) = &how.start {
        params.load_state_dict(start)?;
    }
    let mut all = params.trainable();
    all.extend(extra.trainable());
    let group = ParamGroup { name: "all".into(), params: all, lr: how.lr, weight_decay: 0.01 };
    let mut optimizer = AdamW::new(vec![group]);
    let schedule = Cosine::new(&optimizer, how.steps, how.budget);
    let mut rng = ChaCha8Rng::seed_from_u64(how.seed ^ 0x7465_7874);
    let answer = |puzzle: &Puzzle, mode: Mode| -> Result<(Tensor, f64)> {
        let logits =
            guesser.forward(&puzzle.ids, &puzzle.mask, mode)?.index_select(&puzzle.hidden, 0)?;
        let right =
            logits.detach().argmax(1)?.eq(&puzzle.words)?.to_dtype(DType::F32)?.mean_all()?;
        let loss = candle_nn::loss::cross_entropy(&logits, &puzzle.words)?;
        Ok((loss, f64::from(right.to_scalar::<f32>()?)))
    };
    let mut step = 0;
    let stop = Interruptible::new("the pretraining");
    while schedule.set(&mut optimizer, step) {
        stop.check(|| format!("{step} of {} steps are done", how.steps))?;
        let captions = captions(&mut rng, how.batch_size, Split::Train);
        let puzzle = puzzle(&captions, &tokenizer, config, &mut rng, &device)?;
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
        let captions = captions(&mut rng, 128, Split::Valid);
        let (l, r) =
            answer(&puzzle(&captions, &tokenizer, config, &mut rng, &device)?, Mode::Eval)?;
        loss += f64::from(l.to_scalar::<f32>()?) / ROUNDS as f64;
        right += r / ROUNDS as f64;
    }
    Ok((params, TextReport { step, progress: 1., loss, right }))
}
