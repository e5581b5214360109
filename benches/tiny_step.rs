//! Seconds for one training step (forward, backward, AdamW) of the tiny encoders; the peer is `tiny_step.py`.
//!
//! `cargo bench --profile dev --bench tiny_step [-- PART]`: the one profile, so that nothing is built twice; PART is a
//! part of the names that are wanted.

use std::time::Instant;

use vision_language::config::{Config, DistilBertConfig, ResNetConfig, Stem};
use vision_language::encoder::{DistilBert, ImageEncoder, ResNet, TextEncoder};
use vision_language::nn::{AdamW, ParamGroup, Params};
use vision_language::prelude::*;

fn time(name: &str, mut f: impl FnMut() -> Result<()>) -> Result<()> {
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    if !name.contains(&wanted) {
        return Ok(());
    }
    f()?;
    let mut seconds: Vec<f64> = Vec::new();
    for _ in 0..9 {
        let start = Instant::now();
        f()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    println!("{name:40} median {:.4} s (min {:.4}, max {:.4})", seconds[4], seconds[0], seconds[8]);
    Ok(())
}

fn step(params: &Params) -> impl FnMut(Tensor) -> Result<()> {
    let group = ParamGroup { name: "all".into(), params: params.all(), lr: 1e-3, weight_decay: 0. };
    let mut adam = AdamW::new(vec![group]);
    move |y| adam.backward_step(&y.sqr()?.mean_all()?)
}

fn main() -> Result<()> {
    let device = Config::tiny().device()?;
    for (name, stem, batch, sizes) in [
        ("image, large stem, batch 32", Stem::Large, 32, vec![32, 64, 128, 256]),
        ("image, large stem, batch 64", Stem::Large, 64, vec![32, 64, 128, 256]),
        ("image, small stem, batch 64", Stem::Small, 64, vec![32, 64, 128, 256]),
        ("image, small stem 24.., batch 64", Stem::Small, 64, vec![24, 48, 96, 192]),
    ] {
        let params = Params::new(&device, 0);
        let config = ResNetConfig {
            stem,
            embedding_size: sizes[0],
            hidden_sizes: sizes,
            ..ResNetConfig::tiny()
        };
        let encoder = ResNet::new(&config, &params)?;
        let mut train = step(&params);
        let images = Tensor::randn(0f32, 1., (batch, 3, 64, 64), &device)?;
        time(name, || train(encoder.forward(&images, Mode::Train)?))?;
        time(&format!("    forward alone, {name}"), || {
            encoder.forward(&images, Mode::Train).map(|_| ())
        })?;
    }
    let config = DistilBertConfig { vocab_size: 600, ..DistilBertConfig::tiny() };
    for batch in [32, 64] {
        let params = Params::new(&device, 0);
        let encoder = DistilBert::new(&config, &params)?;
        let mut train = step(&params);
        let ids = Tensor::zeros((batch, 24), DType::U32, &device)?;
        time(&format!("text, batch {batch} of 24 tokens"), || {
            train(encoder.forward(&ids, &ids.ones_like()?, Mode::Train)?)
        })?;
    }
    Ok(())
}
