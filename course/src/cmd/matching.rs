//! `vl match`: the pictures of a folder that fit a sentence.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use vision_language::clip::{ClipModel, ImageIndex};
use vision_language::dataset::load_image;
use vision_language::display::{GridItem, image_grid};

use super::common;
use crate::holes::Holes;
use crate::{Error, Result};

/// Find the pictures that fit a sentence.
#[derive(Clone, Debug, Args)]
pub struct MatchArgs {
    /// What to look for: "a dog on the grass"
    query: String,
    /// The checkpoint
    #[arg(long, default_value = "out/best.pt")]
    checkpoint: PathBuf,
    /// The folder of pictures and captions
    #[arg(long)]
    data: PathBuf,
    /// How many pictures
    #[arg(long, default_value_t = 9)]
    n: usize,
    /// Search all pictures, not only those that validate
    #[arg(long)]
    all: bool,
    /// Where the picture of the matches goes
    #[arg(long, default_value = "matches.png")]
    out: PathBuf,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    json: bool,
}

/// Does what the arguments say.
///
/// # Errors
/// When the checkpoint, the data or a picture cannot be read, or the result cannot be written.
pub fn matching(args: &MatchArgs, holes: &Holes) -> Result<()> {
    if args.query.trim().is_empty() {
        return Err(Error::Usage(
            "the query is empty: say what to look for, as in \"a dog on the grass\"".into(),
        ));
    }
    if args.n == 0 {
        return Err(Error::Usage("--n: expected at least 1, got 0".into()));
    }
    let model = ClipModel::load(&args.checkpoint, holes.head, holes.clip_loss)?;
    let data = common::data(&args.data)?;
    let all: Vec<usize> = (0..data.captions.len()).collect();
    let indices = if args.all { &all } else { &data.splits.valid };
    let names: Vec<String> = data.pictures(indices).into_iter().map(|p| p.0).collect();
    let bar = common::bar(names.len() as u64, "embedding");
    let cache = ImageIndex::cache_of(&args.checkpoint);
    let index = ImageIndex::cached(
        &model,
        &args.checkpoint,
        &data.folder.images,
        &names,
        &cache,
        &mut |n| {
            bar.set_position(n as u64);
        },
    )?;
    bar.finish_and_clear();
    let query = model.encode_texts(&[&args.query])?;
    let matches = (holes.find_matches)(&index.embeddings, &query, &index.image_filenames, args.n)?;
    let items = matches
        .iter()
        .enumerate()
        .map(|(i, m)| {
            let image = load_image(&data.folder.images.join(&m.image_filename), i)?;
            Ok(GridItem::new(image, format!("{:.3}", m.similarity)))
        })
        .collect::<Result<Vec<_>>>()?;
    image_grid(&items, 3)?.save(&args.out)?;
    if args.json {
        let found: Vec<_> = matches
            .iter()
            .map(|m| json!({"image": m.image_filename, "similarity": m.similarity}))
            .collect();
        println!("{}", json!({"query": args.query, "matches": found, "picture": args.out}));
    } else {
        for m in &matches {
            println!("{:.3}  {}", m.similarity, m.image_filename);
        }
        println!(
            "The {} best of {} pictures for {:?} are drawn in {}.",
            matches.len(),
            names.len(),
            args.query,
            args.out.display()
        );
    }
    Ok(())
}
