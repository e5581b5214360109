//! Seconds for the nine embeddings nearest to a query among N of 256 values, none normalised. The peer is `nearest.py`,
//! which starts this program and compares.
//!
//! `cargo bench --profile dev --bench nearest -- N TIMES` prints the median.

use std::time::Instant;

use vision_language::candle_core::{Device, Tensor};
use vision_language::clip::nearest;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1).filter(|a| !a.starts_with('-')).map(|a| a.parse());
    let n = args.next().unwrap_or(Ok(31_783))?;
    let times: usize = args.next().unwrap_or(Ok(21))?;
    let embeddings = Tensor::randn(0f32, 1., (n, 256), &Device::Cpu)?;
    let query = Tensor::randn(0f32, 1., (1, 256), &Device::Cpu)?;
    let mut seconds = Vec::new();
    for _ in 0..times + 2 {
        let start = Instant::now();
        let found = nearest(&embeddings, &query, 9)?;
        seconds.push(start.elapsed().as_secs_f64());
        assert_eq!(found.len(), 9);
    }
    let mut seconds = seconds.split_off(2);
    seconds.sort_by(f64::total_cmp);
    println!("{:.6}", seconds[seconds.len() / 2]);
    Ok(())
}
