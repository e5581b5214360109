//! Seconds to write 32 tokens after 16, greedily, by a GPT-2 of 124 million random parameters, for B texts at once. The peer is
//! `generate.py`, which starts this program and compares.
//!
//! `cargo bench --profile dev --bench generate -- B TIMES [bfloat16]` prints the median; with weights in bfloat16.

use std::time::Instant;

use vision_language::candle_core::{Device, Tensor};
use vision_language::config::Gpt2Config;
use vision_language::language_model::{CausalLm, GenerateConfig, Gpt2, generate};
use vision_language::nn::Params;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let short = args.iter().position(|a| a == "bfloat16").map(|at| args.remove(at)).is_some();
    let mut args = args.iter().map(|a| a.parse());
    let b: usize = args.next().unwrap_or(Ok(1))?;
    let times: usize = args.next().unwrap_or(Ok(5))?;
    let params = Params::new(&Device::Cpu, 0);
    let model = Gpt2::new(&Gpt2Config::gpt2(), &params)?;
    params.set_trainable(false);
    let model: Box<dyn CausalLm> = if short { model.bfloat16()? } else { Box::new(model) };
    drop(params);
    let ids: Vec<u32> = (0..b * 16).map(|i| (i as u32 * 7919 + 11) % 50_000).collect();
    let ids = Tensor::from_vec(ids, (b, 16), &Device::Cpu)?;
    let input = model.input(&ids, &ids.ones_like()?)?;
    let how = GenerateConfig::greedy(32, &[]);
    let mut seconds = Vec::new();
    for _ in 0..times + 1 {
        let start = Instant::now();
        let new = generate(&*model, &input, &how)?;
        seconds.push(start.elapsed().as_secs_f64());
        assert!(new.iter().all(|text| text.len() == 32));
    }
    let mut seconds = seconds.split_off(1);
    seconds.sort_by(f64::total_cmp);
    println!("{:.6}", seconds[seconds.len() / 2]);
    Ok(())
}
