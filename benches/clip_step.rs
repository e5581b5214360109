//! Seconds for one CLIP training step of the preset `tiny` at its own sizes: both encoders, the masters' heads and loss,
//! backward pass, AdamW. The peer is `clip_step.py`, which starts this program and compares.
//!
//! `cargo bench --profile dev -p solutions --bench clip_step [-- STEPS]` prints the median of STEPS (21) steps.

use std::time::Instant;

use solutions::{ProjectionHead, clip_loss};
use vision_language::candle_core::{DType, Tensor};
use vision_language::clip::{ClipModel, head};
use vision_language::config::{Config, Start};
use vision_language::nn::Mode;

/// Tokens of the longest caption of a batch of 64, usually.
const TOKENS: usize = 24;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let steps = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(21);
    let mut config = Config::tiny();
    (config.image_start, config.text_start) = (Start::Scratch, Start::Scratch);
    let model = ClipModel::new(&config, head::<ProjectionHead>(), clip_loss)?;
    let mut optimizer = model.optimizer();
    let device = config.device()?;
    let b = config.batch_size;
    let images = Tensor::randn(0f32, 1., (b, 3, config.size, config.size), &device)?;
    let ids = Tensor::rand(1f32, 400., (b, TOKENS), &device)?.to_dtype(DType::U32)?;
    let mask = ids.ones_like()?;
    let mut seconds = Vec::new();
    for _ in 0..steps + 2 {
        let start = Instant::now();
        optimizer.backward_step(&model.loss(&images, &ids, &mask, Mode::Train)?)?;
        model.clamp_logit_scale()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    let mut seconds = seconds.split_off(2);
    seconds.sort_by(f64::total_cmp);
    println!("{:.5}", seconds[seconds.len() / 2]);
    Ok(())
}
