//! The hidden questions of Frozen's exercises.

use std::path::Path;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use vision_language::Result;
use vision_language::candle_core::{Device, Tensor};
use vision_language::exercise::ask::Question;

use super::{random, tensor};

/// A language model of other sizes than the one that students see.
pub(super) fn freeze_lm(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("freeze_lm", seed);
    let mut questions = Vec::new();
    for (layers, times) in [(1, 1), (3, 2)] {
        let (v, d) = (random.random_range(8..12), 2 * random.random_range(3..5));
        let config = json!({
            "vocab_size": v, "n_positions": 10, "n_embd": d, "n_layer": layers, "n_head": 2,
            "layer_norm_epsilon": 1e-5, "dropout": 0.0
        });
        let question = Question::new("freeze_lm", "trainable").seed(random.random());
        let ids = ids(random, 1, 4, v)?;
        questions.push(
            question
                .word("config", config)
                .word("times", times)
                .tensor("prefix", &tensor(random, &[1, 2, d])?)
                .tensor("input_ids", &ids),
        );
    }
    Ok(questions)
}

fn ids(random: &mut ChaCha8Rng, b: usize, t: usize, v: usize) -> Result<Tensor> {
    let ids: Vec<u32> = (0..b * t).map(|_| random.random_range(0..v as u32)).collect();
    Ok(Tensor::from_vec(ids, (b, t), &Device::Cpu)?)
}

pub(super) fn visual_prefix(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("visual_prefix", seed);
    let mut questions = Vec::new();
    for name in ["forward", "forward", "gradients"] {
        let (b, f) = (random.random_range(2..6), random.random_range(4..9));
        let (n, d) = (random.random_range(2..5), random.random_range(5..9));
        let question = Question::new("visual_prefix", name)
            .word("n", n)
            .tensor("features", &tensor(random, &[b, f])?)
            .tensor("weight", &tensor(random, &[n * d, f])?)
            .tensor("bias", &tensor(random, &[n * d])?);
        questions.push(match name {
            "gradients" => question.tensor("g", &tensor(random, &[b, n, d])?),
            _ => question,
        });
    }
    Ok(questions)
}

/// Texts of different lengths, each with some image tokens before or among its words.
pub(super) fn caption_loss(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("caption_loss", seed);
    let mut questions = Vec::new();
    for name in ["forward", "forward", "gradients"] {
        let (b, t) = (random.random_range(2..5), random.random_range(7..10));
        let v = random.random_range(7..13);
        let image = v as u32 - 1;
        let (mut ids, mut mask) = (Vec::new(), Vec::new());
        for _ in 0..b {
            let (pictures, start) = (random.random_range(1..3), random.random_range(0..3));
            let length = random.random_range(5..=t);
            for place in 0..t {
                let picture = (start..start + pictures).contains(&place);
                ids.push(if picture { image } else { random.random_range(0..image) });
                mask.push(u32::from(place < length));
            }
        }
        let logits = (tensor(random, &[b, t, v])? * 3.)?;
        questions.push(
            Question::new("caption_loss", name)
                .tensor("logits", &logits)
                .tensor("input_ids", &Tensor::from_vec(ids, (b, t), &Device::Cpu)?)
                .tensor("attention_mask", &Tensor::from_vec(mask, (b, t), &Device::Cpu)?)
                .word("image_token_id", image),
        );
    }
    Ok(questions)
}

/// Texts of some tokens, and one whose product of probabilities is no number any more.
pub(super) fn perplexity(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("perplexity", seed);
    let mut questions = Vec::new();
    for tokens in [random.random_range(4..9), random.random_range(9..30), 1500] {
        let logs: Vec<f32> = (0..tokens).map(|_| random.random_range(-6f32..-0.1)).collect();
        let logs = Tensor::from_vec(logs, tokens, &Device::Cpu)?;
        questions.push(Question::new("perplexity", "value").tensor("log_probabilities", &logs));
    }
    Ok(questions)
}
