//! `vl match`: the pictures of a folder that fit a sentence.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use vision_language::candle_core::Tensor;
use vision_language::clip::{ClipModel, ImageIndex, IndexFile, Match, mixed_query};
use vision_language::dataset::{Transform, load_image};
use vision_language::display::{GridItem, image_grid};
use vision_language::nn::Mode;

use super::common;
use crate::holes::Holes;
use crate::{Error, Result};

/// Find the pictures that fit a sentence.
#[derive(Clone, Debug, Args)]
pub struct MatchArgs {
    /// What to look for: "a dog on the grass"; with --index and --image it may be left out
    query: Option<String>,
    /// The checkpoint, or a folder with a published CLIP [default: out/best.pt; with --index the one that it was made with, or
    /// the shipped model]
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// The folder of pictures and captions; with --index, the folder of its pictures, if they are to be drawn
    #[arg(long, required_unless_present = "index")]
    data: Option<PathBuf>,
    /// Search an index that `vl index` made, and not a folder
    #[arg(long, value_name = "DIR")]
    index: Option<PathBuf>,
    /// With --index: look for what is like this picture (and like the text, if both are given)
    #[arg(long, value_name = "FILE", requires = "index")]
    image: Option<PathBuf>,
    /// How many pictures
    #[arg(long, default_value_t = 9)]
    n: usize,
    /// Search all pictures, not only those that validate
    #[arg(long)]
    all: bool,
    /// Where the picture of the matches goes [default: matches.png]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    json: bool,
}

/// Does what the arguments say.
///
/// # Errors
/// When the checkpoint, the data or a picture cannot be read, or the result cannot be written.
pub fn matching(args: &MatchArgs, holes: &Holes) -> Result<()> {
    let text = args.query.as_deref().map(str::trim).unwrap_or_default();
    if text.is_empty() && args.image.is_none() {
        return Err(Error::Usage(
            "the query is empty: say what to look for, as in \"a dog on the grass\"".into(),
        ));
    }
    if args.n == 0 {
        return Err(Error::Usage("--n: expected at least 1, got 0".into()));
    }
    if args.index.is_some() && args.out.is_some() && args.data.is_none() {
        let why = "--out: an index holds no pictures to draw: give their folder, too, with --data";
        return Err(Error::Usage(why.into()));
    }
    let out = args.out.as_deref().unwrap_or(Path::new("matches.png"));
    if let Some(index) = &args.index {
        return in_index(args, index, text, out, holes);
    }
    let checkpoint = args.checkpoint.clone().unwrap_or_else(|| "out/best.pt".into());
    let model = ClipModel::open(&checkpoint, holes.head, holes.clip_loss)?;
    let folder = args.data.as_deref().unwrap_or(Path::new("."));
    let data = common::data(folder)?;
    let all: Vec<usize> = (0..data.captions.len()).collect();
    let indices = if args.all { &all } else { &data.splits.valid };
    let names: Vec<String> = data.pictures(indices).into_iter().map(|p| p.0).collect();
    let bar = common::bar(names.len() as u64, "embedding");
    let cache = ImageIndex::cache_of(&checkpoint);
    let index =
        ImageIndex::cached(&model, &checkpoint, &data.folder.images, &names, &cache, &mut |n| {
            bar.set_position(n as u64);
        })?;
    bar.finish_and_clear();
    let query = model.encode_texts(&[text])?;
    let matches = (holes.find_matches)(&index.embeddings, &query, &index.image_filenames, args.n)?;
    draw(&matches, &data.folder.images, out)?;
    report(args, &matches, text, names.len(), Some(out));
    Ok(())
}

/// The matches as a picture.
fn draw(matches: &[Match], images: &Path, out: &Path) -> Result<()> {
    let item = |(i, m): (usize, &Match)| -> Result<GridItem> {
        let image = load_image(&images.join(&m.image_filename), i)?;
        Ok(GridItem::new(image, format!("{:.3}", m.similarity)))
    };
    let items = matches.iter().enumerate().map(item).collect::<Result<Vec<_>>>()?;
    image_grid(&items, 3)?.save(out)?;
    Ok(())
}

fn report(args: &MatchArgs, matches: &[Match], query: &str, among: usize, out: Option<&Path>) {
    if args.json {
        let found: Vec<_> = matches
            .iter()
            .map(|m| json!({"image": m.image_filename, "similarity": m.similarity}))
            .collect();
        let (image, picture) = (&args.image, out);
        println!(
            "{}",
            json!({"query": query, "image": image, "matches": found, "picture": picture})
        );
        return;
    }
    for m in matches {
        println!("{:.3}  {}", m.similarity, m.image_filename);
    }
    let what = match (&args.image, query) {
        (None, text) => format!("{text:?}"),
        (Some(image), "") => format!("the picture {}", image.display()),
        (Some(image), text) => format!("{text:?} and the picture {}", image.display()),
    };
    let found = format!("The {} best of {among} pictures for {what}", matches.len());
    match out {
        Some(out) => println!("{found} are drawn in {}.", out.display()),
        None => {
            println!("{found}; with --data DIR, the folder of the pictures, they are drawn, too.")
        }
    }
}

/// A search in an index on disk: a text, a picture, or both.
fn in_index(args: &MatchArgs, folder: &Path, text: &str, out: &Path, holes: &Holes) -> Result<()> {
    let index = IndexFile::open(folder)?;
    let (model, mark) = super::index::model(args.checkpoint.as_deref(), holes)?;
    if index.model() != mark {
        return Err(Error::Failed(format!(
            "the index {} holds embeddings of another model ({}): give --checkpoint the file that it was made with",
            folder.display(),
            index.model()
        )));
    }
    let mut parts = Vec::new();
    if !text.is_empty() {
        parts.push(model.encode_texts(&[text])?);
    }
    if let Some(path) = &args.image {
        let picture = Transform::of(model.config()).load(path, 0)?;
        let picture = picture.unsqueeze(0).map_err(vision_language::Error::from)?;
        parts.push(model.encode_image(&picture, Mode::Eval)?);
    }
    let parts: Vec<(&Tensor, f64)> = parts.iter().map(|part| (part, 1.)).collect();
    let found = index.search(&mixed_query(&parts)?, args.n)?;
    let matches = found.into_iter().next().unwrap_or_default();
    if let Some(images) = &args.data {
        draw(&matches, images, out)?;
    }
    report(args, &matches, text, index.len(), args.data.is_some().then_some(out));
    Ok(())
}
