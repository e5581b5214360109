//! Seconds for the nine nearest of N embeddings of 256 values in an index on disk: one query, and a query of 64 at once. The peer is
//! `index.py`, which starts this program and compares.
//!
//! `cargo bench --profile dev --bench index -- N f16|f32 FOLDER TIMES` makes the index in FOLDER where it is not there yet, and prints
//! the seconds to open it, the two medians, and the memory that the process has of its own and altogether, MB.

use std::path::Path;
use std::time::Instant;

use vision_language::candle_core::{Device, Tensor};
use vision_language::clip::{IndexFile, Precision};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let [n, precision, folder, times] = &args[..] else {
        return Err("expected N f16|f32 FOLDER TIMES".into());
    };
    let (n, times): (usize, usize) = (n.parse()?, times.parse()?);
    let precision = if precision == "f16" { Precision::F16 } else { Precision::F32 };
    let folder = Path::new(folder).join(format!("{n}_{precision:?}"));
    let mut index = IndexFile::create(&folder, 256, precision, "noise")?;
    while index.len() < n {
        let rows = (n - index.len()).min(50_000);
        let names: Vec<String> =
            (index.len()..index.len() + rows).map(|i| format!("{i}.jpg")).collect();
        index.append(&names, &Tensor::randn(0f32, 1., (rows, 256), &Device::Cpu)?)?;
    }
    drop(index);
    let start = Instant::now();
    let index = IndexFile::open(&folder)?;
    let open = start.elapsed().as_secs_f64();
    let mut medians = Vec::new();
    for q in [1, 64] {
        let queries = Tensor::randn(0f32, 1., (q, 256), &Device::Cpu)?;
        let mut seconds = Vec::new();
        for _ in 0..times + 1 {
            let start = Instant::now();
            assert_eq!(index.search(&queries, 9)?.len(), q);
            seconds.push(start.elapsed().as_secs_f64());
        }
        let mut seconds = seconds.split_off(1);
        seconds.sort_by(f64::total_cmp);
        medians.push(seconds[seconds.len() / 2]);
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let megabytes = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("0");
        line.trim().split(' ').next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.) / 1024.
    };
    let [own, all] = ["RssAnon:", "VmRSS:"].map(megabytes);
    println!("{open:.6} {:.6} {:.6} {own:.0} {all:.0}", medians[0], medians[1]);
    Ok(())
}
