//! Seconds and peak memory of one CLIP training step (both encoders, the masters' heads and loss, backward pass, AdamW,
//! everything trainable), or of an encoder's forward pass. The peer is `clip_step.py`, which starts this program and compares.
//!
//! `cargo bench --profile dev -p solutions --bench clip_step -- PRESET WORK STEPS`: PRESET is `tiny` (64 pairs, 64², 24
//! tokens) or `lecture` (ResNet-50 and DistilBERT, 8 pairs, 224², 32 tokens), WORK `step`, `image` or `text`. Prints the median
//! of STEPS in seconds, and the most memory that the process ever held, MB.

use std::time::Instant;

use solutions::{ProjectionHead, clip_loss};
use vision_language::candle_core::{DType, Tensor};
use vision_language::clip::{ClipModel, head};
use vision_language::config::Config;
use vision_language::encoder;
use vision_language::nn::Mode;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let arg = |i: usize, default: &'static str| args.get(i).map_or(default, |a| a).to_string();
    let (preset, work, steps) = (arg(0, "tiny"), arg(1, "step"), arg(2, "21").parse::<usize>()?);
    let (mut config, tokens) = match preset.as_str() {
        "tiny" => (Config::tiny(), 24),
        "lecture" => (Config { batch_size: 8, ..Config::lecture() }, 32),
        other => return Err(format!("a preset `tiny` or `lecture`, got `{other}`").into()),
    };
    config.device = "cpu".into();
    let tokenizer = encoder::tokenizer(&Config::tiny())?;
    let model = ClipModel::bare(&config, tokenizer, head::<ProjectionHead>(), clip_loss)?;
    let mut optimizer = model.optimizer();
    let (b, device) = (config.batch_size, config.device()?);
    let images = Tensor::randn(0f32, 1., (b, 3, config.size, config.size), &device)?;
    let ids = Tensor::rand(1f32, 400., (b, tokens), &device)?.to_dtype(DType::U32)?;
    let mask = ids.ones_like()?;
    model.params().set_trainable(work == "step");
    let mut seconds = Vec::new();
    for _ in 0..steps + 2 {
        let start = Instant::now();
        match work.as_str() {
            "step" => {
                optimizer.backward_step(&model.loss(&images, &ids, &mask, Mode::Train)?)?;
                model.clamp_logit_scale()?;
            }
            "image" => drop(model.encode_image(&images, Mode::Eval)?),
            "text" => drop(model.encode_text(&ids, &mask, Mode::Eval)?),
            other => return Err(format!("`step`, `image` or `text`, got `{other}`").into()),
        }
        seconds.push(start.elapsed().as_secs_f64());
    }
    let mut seconds = seconds.split_off(2);
    seconds.sort_by(f64::total_cmp);
    println!("{:.5} {:.0}", seconds[seconds.len() / 2], peak_memory());
    Ok(())
}

/// MB; not known outside Linux.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
    kilobytes.map_or(f64::NAN, |kilobytes: f64| kilobytes / 1024.)
}
