//! What the grader draws for `quantize` and `dalle_sequence`, and how it asks again what the checks have asked.

use std::collections::BTreeMap;
use std::path::Path;

use rand::Rng;
use rand::seq::SliceRandom;
use vision_language::candle_core::{Device, Tensor};
use vision_language::dalle::SequenceLayout;
use vision_language::exercise::ask::Question;
use vision_language::{Error, Result};

use super::again::{drawn, stretched, turned};
use super::{random, tensor};

pub(super) fn quantize_questions(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("quantize", seed);
    let mut questions = Vec::new();
    for (name, noisy) in
        [("forward", false), ("forward", true), ("forward", true), ("gradients", true)]
    {
        let dims = [1, 3, 2, 2].map(|least| random.random_range(least..least + 4));
        let temperature = random.random_range(0.3..2.);
        let question = Question::new("quantize", name)
            .tensor("logits", &tensor(random, &dims)?)
            .word("temperature", temperature);
        let question = match noisy {
            true => question.tensor("noise", &tensor(random, &dims)?),
            false => question,
        };
        questions.push(match name {
            "gradients" => question.tensor("g", &tensor(random, &dims)?),
            _ => question,
        });
    }
    Ok(questions)
}

pub(super) fn sequence_questions(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("dalle_sequence", seed);
    let mut questions = Vec::new();
    for _ in 0..3 {
        let text_weight = 0.125 * f64::from(random.random_range(1..7u8));
        let layout = SequenceLayout {
            text_tokens: random.random_range(2..6),
            text_vocabulary: random.random_range(8..20),
            pad_id: random.random_range(0..3),
            rows: random.random_range(1..4),
            columns: random.random_range(1..4),
            codes: random.random_range(3..9),
            text_weight,
            image_weight: 1. - text_weight,
        };
        let b = random.random_range(1..4);
        let mut table = |columns: usize, below: usize| -> Result<Tensor> {
            let values: Vec<u32> =
                (0..b * columns).map(|_| random.random_range(0..below as u32)).collect();
            Ok(Tensor::from_vec(values, (b, columns), &Device::Cpu)?)
        };
        let text = table(layout.text_tokens, layout.text_vocabulary)?;
        let codes = table(layout.image_tokens(), layout.codes)?;
        questions.push(
            Question::new("dalle_sequence", "build")
                .tensor("text_ids", &text)
                .tensor("image_codes", &codes)
                .word("layout", serde_json::to_string(&layout)?),
        );
    }
    Ok(questions)
}

/// What text weighs in the paper and in the statement.
const STATEMENTS_WEIGHT: f64 = 1. / 8.;

/// How many drawings of a question are compared.
const DRAWINGS: u64 = 16;

/// Other numbers, and the codes in another order, so that another one is chosen at every place. At a low temperature a choice
/// between two equals would be soft: of some drawings the one with the clearest choices is taken. A temperature of 1 stays.
pub(super) fn quantize(seed: u64, _: &Path, q: &Question) -> Result<Option<Question>> {
    let mut best: Option<(f64, Question)> = None;
    for drawing in 0..DRAWINGS {
        let redrawn = stretched(seed.wrapping_add(drawing << 32), q)?;
        let clear = clearest(&redrawn)?;
        if best.as_ref().is_none_or(|(other, _)| clear > *other) {
            best = Some((clear, redrawn));
        }
    }
    let Some((_, mut redrawn)) = best else { return Ok(None) };
    for tensor in redrawn.tensors.values_mut() {
        // Drawn anew for each, so all are turned by the same.
        *tensor = turned(&mut drawn(seed, q), tensor, 1)?;
    }
    let word = &q.words["temperature"];
    let temperature: f64 =
        word.parse().map_err(|_| Error::value("temperature", "a number", word))?;
    if temperature == 1. {
        return Ok(Some(redrawn));
    }
    let cooler = temperature * drawn(seed, q).random_range(0.8..0.95);
    Ok(Some(redrawn.word("temperature", cooler)))
}

/// The smallest distance between the largest sum of logit and noise at a place and the next one.
fn clearest(q: &Question) -> Result<f64> {
    let logits = &q.tensors["logits"];
    let sum = match q.tensors.get("noise") {
        Some(noise) => (logits + noise)?,
        None => logits.clone(),
    };
    let k = sum.dim(1)?;
    let rows = sum.permute((0, 2, 3, 1))?.reshape(((), k))?.to_vec2::<f32>()?;
    let between = rows.into_iter().map(|mut row| {
        row.sort_by(|a, b| b.total_cmp(a));
        f64::from(row[0] - row[1])
    });
    Ok(between.fold(f64::INFINITY, f64::min))
}

/// Other words and codes; where the layout is not the statement's, also a larger vocabulary, more codes, other weights: who has
/// written down the statement's numbers is wrong on other layouts, and right on this one. What is padding stays padding, zeros
/// stay zeros, equal ones equal, and the tables as long as they were.
pub(super) fn sequence(seed: u64, _: &Path, q: &Question) -> Result<Option<Question>> {
    let random = &mut drawn(seed, q);
    let mut layout: SequenceLayout = serde_json::from_str(&q.words["layout"])?;
    if layout.text_weight != STATEMENTS_WEIGHT {
        layout.text_vocabulary += random.random_range(1..6);
        layout.codes += random.random_range(1..4);
        layout.text_weight *= random.random_range(0.7..1.3);
        layout.image_weight = 1. - layout.text_weight;
    }
    let mut other = |table: &Tensor, below: usize, stay: &[u32]| -> Result<Tensor> {
        let mut fresh: Vec<u32> = (0..below as u32).filter(|id| !stay.contains(id)).collect();
        fresh.shuffle(random);
        let mut names = BTreeMap::new();
        let mut ids = table.flatten_all()?.to_vec1::<u32>()?;
        for id in ids.iter_mut().filter(|id| !stay.contains(*id)) {
            let next = names.len();
            *id = *names.entry(*id).or_insert_with(|| fresh[next]);
        }
        Ok(Tensor::from_vec(ids, table.dims(), &Device::Cpu)?)
    };
    let text = other(&q.tensors["text_ids"], layout.text_vocabulary, &[0, layout.pad_id])?;
    let codes = other(&q.tensors["image_codes"], layout.codes, &[0])?;
    let redrawn = q.clone().tensor("text_ids", &text).tensor("image_codes", &codes);
    Ok(Some(redrawn.word("layout", serde_json::to_string(&layout)?)))
}
