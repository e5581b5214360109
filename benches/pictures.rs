//! Seconds a picture to read, decode, resize to 224² and normalise a folder's JPEGs in batches of 32, on WORKERS threads. The
//! peer is `pictures.py`, which makes the folder, starts this program and compares.
//!
//! `cargo bench --profile dev --bench pictures -- FOLDER WORKERS EPOCHS` prints the median of the epochs.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use vision_language::config::Config;
use vision_language::dataset::{FolderPairs, Loader, PairDataset, Transform};
use vision_language::encoder;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let [folder, workers, epochs] = &args[..] else {
        return Err("expected FOLDER WORKERS EPOCHS".into());
    };
    let folder = Path::new(folder);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let captions = vec!["a dog on the grass".to_string(); names.len()];
    let tokenizer = encoder::tokenizer(&Config::tiny())?;
    let transform = Transform::imagenet(224);
    let pairs = FolderPairs::new(&names, &captions, &tokenizer, &transform, folder, 32)?;
    let loader = Loader::new(Arc::new(pairs), 32, None, workers.parse()?, false)?;
    let mut seconds = Vec::new();
    for epoch in 0..epochs.parse::<usize>()? + 1 {
        let start = Instant::now();
        let mut pictures = 0;
        for batch in loader.epoch(epoch) {
            pictures += batch?.images.dim(0)?;
        }
        assert_eq!(pictures, names.len());
        seconds.push(start.elapsed().as_secs_f64() / pictures as f64);
    }
    let mut seconds = seconds.split_off(1);
    seconds.sort_by(f64::total_cmp);
    println!("{:.6}", seconds[seconds.len() / 2]);
    Ok(())
}
