//! `vl eval`: how well a checkpoint finds pictures by captions, and captions by pictures.

use std::path::PathBuf;

use clap::Args;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Map, Value, json};
use vision_language::clip::{ClipModel, ImageIndex, Recalls, retrieval};

use super::common;
use crate::Result;
use crate::holes::Holes;

/// Recall of a checkpoint on the validation pictures, and on the unseen ones where there are any.
#[derive(Clone, Debug, Args)]
pub struct EvalArgs {
    /// The checkpoint, or a folder with a published CLIP
    #[arg(long, default_value = "out/best.pt")]
    checkpoint: PathBuf,
    /// The folder of pictures and captions
    #[arg(long)]
    data: PathBuf,
    /// Pictures to choose among, at most
    #[arg(long, default_value_t = 1000)]
    images: usize,
    /// The seed that draws the captions of the query `any`
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// Does what the arguments say.
///
/// # Errors
/// When the checkpoint or the data cannot be read.
pub fn eval(args: &EvalArgs, holes: &Holes) -> Result<()> {
    let model = ClipModel::open(&args.checkpoint, holes.head, holes.clip_loss)?;
    let data = common::data(&args.data)?;
    let splits = [
        ("valid", &data.splits.valid),
        ("unseen_style", &data.splits.unseen_style),
        ("unseen_pairs", &data.splits.unseen_pairs),
    ];
    let mut report = Map::new();
    for (split, indices) in splits {
        let mut pictures = data.pictures(indices);
        pictures.truncate(args.images);
        if pictures.is_empty() {
            continue;
        }
        let names: Vec<String> = pictures.iter().map(|p| p.0.clone()).collect();
        let bar = common::bar(names.len() as u64, split);
        let index = ImageIndex::build(&model, &data.folder.images, &names, &mut |n| {
            bar.set_position(n as u64)
        })?;
        bar.finish_and_clear();
        let mut rng = ChaCha8Rng::seed_from_u64(args.seed);
        let full: Vec<&String> = pictures.iter().filter_map(|p| p.1.first()).collect();
        let any: Vec<&String> = pictures.iter().filter_map(|p| p.1.choose(&mut rng)).collect();
        let mut queries = Map::new();
        for (query, captions) in [("full", full), ("any", any)] {
            let texts = common::embed_texts(&model, &captions)?;
            let found = retrieval(&index.embeddings, &texts)?;
            if !args.json {
                let line = |what: &str, r: Recalls| {
                    println!(
                        "{split:14} {query:5} {what:14} R@1 {:.3}  R@5 {:.3}  R@10 {:.3}  median rank {}",
                        r.r1, r.r5, r.r10, r.median_rank
                    );
                };
                line("text to image", found.text_to_image);
                line("image to text", found.image_to_text);
            }
            queries.insert(query.into(), serde_json::to_value(found).unwrap_or(Value::Null));
        }
        report.insert(split.into(), Value::Object(queries));
    }
    if args.json {
        println!(
            "{}",
            json!({"checkpoint": args.checkpoint, "data": args.data, "seed": args.seed, "splits": report})
        );
    } else {
        println!(
            "full: each query is the picture's fullest caption. any: one of its captions, drawn with seed {}.",
            args.seed
        );
    }
    Ok(())
}
