//! `vl data`: fetches or makes a folder of pictures with captions.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use vision_language::dataset::scenes::{ScenesConfig, generate};
use vision_language::dataset::{BadRows, DataFolder};
use vision_language::hub::{Credentials, Kaggle, KaggleDataset, beside, bytes, unzip};

use crate::download::{BYTES, bar, show};
use crate::{Error, Result};

/// Fetch or make pictures with captions.
#[derive(Clone, Debug, Args)]
pub struct DataArgs {
    #[command(subcommand)]
    which: Which,
}

#[derive(Clone, Debug, Subcommand)]
enum Which {
    /// Scenes composed from emoji drawings, offline: pictures with five captions each, and what is in them.
    Scenes(ScenesArgs),
    /// Flickr8k from Kaggle: 8,091 photographs with five captions each, about 1 GB.
    Flickr8k(KaggleArgs),
    /// Flickr30k from Kaggle: 31,783 photographs with five captions each, about 9 GB.
    Flickr30k(KaggleArgs),
}

#[derive(Clone, Debug, Args)]
struct ScenesArgs {
    /// The folder to put them in; earlier scenes there are replaced
    #[arg(long, value_name = "DIR", default_value = "out/scenes")]
    out: PathBuf,
    /// Pictures to train and validate on, 80 to 20
    #[arg(long, default_value_t = ScenesConfig::default().images)]
    images: usize,
    /// Pictures in a style that is never trained on, besides
    #[arg(long, default_value_t = ScenesConfig::default().unseen_style)]
    unseen_style: usize,
    /// Pictures of objects on grounds that are never trained on together, besides
    #[arg(long, default_value_t = ScenesConfig::default().unseen_pairs)]
    unseen_pairs: usize,
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug, Args)]
struct KaggleArgs {
    /// The folder to put it in [default: out/flickr8k or out/flickr30k]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keep the archive, DIR.zip
    #[arg(long)]
    keep_zip: bool,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    json: bool,
    /// Another address than Kaggle's
    #[arg(long, hide = true, default_value = vision_language::hub::kaggle::API)]
    url: String,
}

/// Does what the arguments say.
///
/// # Errors
/// When the files cannot be fetched, unpacked, read or written.
pub fn data(args: &DataArgs) -> Result<()> {
    match &args.which {
        Which::Scenes(args) => scenes(args),
        Which::Flickr8k(args) => kaggle(KaggleDataset::Flickr8k, args),
        Which::Flickr30k(args) => kaggle(KaggleDataset::Flickr30k, args),
    }
}

/// What there is now, for `--json`.
#[derive(Debug, Serialize)]
struct Summary {
    dataset: &'static str,
    folder: PathBuf,
    pictures: usize,
    captions: usize,
    /// Rows of the captions file that break its layout.
    skipped: usize,
    /// Rows with Flickr30k's known missing separator, read as meant.
    repaired: usize,
}

fn scenes(args: &ScenesArgs) -> Result<()> {
    let &ScenesArgs { images, unseen_style, unseen_pairs, seed, .. } = args;
    let config = ScenesConfig { images, unseen_style, unseen_pairs, seed, ..Default::default() };
    let folder = args.out.display();
    if !args.json {
        eprintln!("Painting {} scenes to {folder}.", images + unseen_style + unseen_pairs);
    }
    let bar = bar("{bar:30} {pos}/{len} pictures, {eta} left", args.json);
    let summary = generate(&config, &args.out, &mut |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    if args.json {
        println!("{}", serde_json::to_string(&summary)?);
        return Ok(());
    }
    println!(
        "The scenes are in {folder}: {} pictures to train on, {} to validate on, {} in an unseen style, {} of unseen \
         pairs; {} captions, {}.",
        summary.train,
        summary.valid,
        summary.unseen_style,
        summary.unseen_pairs,
        summary.captions,
        bytes(summary.bytes),
    );
    println!("Next: cargo vl train --data {folder}");
    Ok(())
}

fn kaggle(dataset: KaggleDataset, args: &KaggleArgs) -> Result<()> {
    let (name, folder) = match dataset {
        KaggleDataset::Flickr8k => ("Flickr8k", "out/flickr8k"),
        KaggleDataset::Flickr30k => ("Flickr30k", "out/flickr30k"),
    };
    let out = args.out.clone().unwrap_or_else(|| folder.into());
    let say = |sentence: String| {
        if !args.json {
            eprintln!("{sentence}");
        }
    };
    if DataFolder::find(&out).is_err() {
        fetch(dataset, args, &out, &say)?;
    }
    let found = DataFolder::find(&out)?;
    let captions = found.captions(BadRows::Skip)?;
    let summary = Summary {
        dataset: name,
        folder: out,
        pictures: captions.image_filenames.iter().collect::<HashSet<_>>().len(),
        captions: captions.len(),
        skipped: captions.skipped.len(),
        repaired: captions.repaired.len(),
    };
    if args.json {
        println!("{}", serde_json::to_string(&summary)?);
        return Ok(());
    }
    for row in &captions.skipped {
        println!("Left out {}:{}: {}", found.captions.display(), row.line, row.reason);
    }
    let Summary { folder, pictures, captions, .. } = &summary;
    let folder = folder.display();
    println!("{name} is in {folder}: {pictures} pictures with {captions} captions.");
    println!("Next: cargo vl train --data {folder}");
    Ok(())
}

/// Downloads the archive beside `out` and unpacks it there.
fn fetch(
    dataset: KaggleDataset,
    args: &KaggleArgs,
    out: &Path,
    say: &dyn Fn(String),
) -> Result<()> {
    if out.exists() && std::fs::read_dir(out).map_err(Error::io(out))?.next().is_some() {
        let out = out.display();
        return Err(Error::Usage(format!("--out {out}: expected an empty or new folder")));
    }
    let archive = beside(out, ".zip")?;
    if archive.exists() {
        say(format!("Using {}, which is there already.", archive.display()));
    } else {
        let credentials = Credentials::find()?;
        if let Some(warning) = &credentials.warning {
            say(format!("Warning: {warning}"));
        }
        let (slug, to) = (dataset.slug(), archive.display());
        say(format!("Downloading {slug} from Kaggle to {to}; stop and start again as you like."));
        let kaggle = Kaggle { url: args.url.clone(), ..Kaggle::new(credentials) };
        let bar = bar(BYTES, args.json);
        kaggle.download(dataset, &archive, &mut |progress| show(&bar, progress, say))?;
        bar.finish_and_clear();
    }
    say(format!("Unpacking to {}.", out.display()));
    let bar = bar(BYTES, args.json);
    unzip(&archive, out, dataset.limits(), &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    if !args.keep_zip {
        std::fs::remove_file(&archive).map_err(Error::io(&archive))?;
    }
    Ok(())
}
