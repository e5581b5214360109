//! `vl index`: the embeddings of a folder of pictures in an index on disk, which `vl match --index` searches.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use vision_language::clip::{ClipModel, IndexFile, Precision};
use vision_language::config::Config;

use super::common;
use crate::holes::Holes;
use crate::{Error, Result};

/// Embed the pictures of a folder, or take embeddings from a Parquet file, into an index on disk.
#[derive(Clone, Debug, Args)]
pub struct IndexArgs {
    /// A folder of JPEGs and PNGs, or a Parquet file with the columns image_filename and embedding
    from: PathBuf,
    /// The index: a folder. Pictures that it has already are left out, so that a later call adds the new ones
    #[arg(long, default_value = "out/index")]
    out: PathBuf,
    /// The checkpoint, or a folder with a published CLIP [default: the small model that travels with the library]
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// Keep values in two bytes instead of four: half the size, similarities within some 1e-4
    #[arg(long)]
    f16: bool,
    /// Write the whole index to this Parquet file, too, for a data frame or a vector database
    #[arg(long, value_name = "FILE")]
    parquet: Option<PathBuf>,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    json: bool,
}

/// The checkpoint's model, or the one that travels with the library, and what an index calls it.
pub fn model(checkpoint: Option<&Path>, holes: &Holes) -> Result<(ClipModel, String)> {
    Ok(match checkpoint {
        Some(path) => (ClipModel::open(path, holes.head, holes.clip_loss)?, mark(path)?),
        None => (ClipModel::shipped()?, "the shipped tiny model".into()),
    })
}

/// A checkpoint by the length and the sum (FNV-1a) of its weights' file: another training's embeddings cannot be added by
/// mistake.
fn mark(path: &Path) -> Result<String> {
    let path = ClipModel::weights_of(path)?;
    let bytes = std::fs::read(&path).map_err(vision_language::Error::io(&path))?;
    let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold);
    Ok(format!("checkpoint of {} bytes, {hash:016x}", bytes.len()))
}

/// Does what the arguments say.
///
/// # Errors
/// When the checkpoint, a picture or the index cannot be read or written, or the index is another model's.
pub fn index(args: &IndexArgs, holes: &Holes) -> Result<()> {
    let precision = if args.f16 { Precision::F16 } else { Precision::F32 };
    let (mut index, added) = if args.from.is_dir() {
        let names = pictures(&args.from)?;
        let (model, mark) = model(args.checkpoint.as_deref(), holes)?;
        let config: &Config = model.config();
        let mut index = IndexFile::create(&args.out, config.projection_dim, precision, &mark)?;
        let bar = common::bar(names.len() as u64, "embedding");
        let added = index.add_pictures(&model, &args.from, &names, &mut |n| {
            bar.set_position(n as u64);
        })?;
        bar.finish_and_clear();
        (index, added)
    } else {
        let p = IndexFile::length_of_parquet(&args.from)?;
        let mark = format!("embeddings of {}", args.from.display());
        let mut index = IndexFile::create(&args.out, p, precision, &mark)?;
        let added = index.add_parquet(&args.from)?;
        (index, added)
    };
    if let Some(path) = &args.parquet {
        index = IndexFile::open(index.folder())?;
        index.export(path)?;
    }
    let (rows, width) = (index.len(), index.width());
    if args.json {
        println!(
            "{}",
            json!({"index": args.out, "added": added, "rows": rows, "width": width, "parquet": args.parquet})
        );
        return Ok(());
    }
    println!(
        "{added} added; the index {} has {rows} {} of {width} values now. Search it with: cargo vl match --index {} \"a dog on the grass\"",
        args.out.display(),
        if rows == 1 { "row" } else { "rows" },
        args.out.display()
    );
    Ok(())
}

/// The JPEGs and PNGs of a folder, by name.
fn pictures(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).map_err(vision_language::Error::io(folder))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.map_err(vision_language::Error::io(folder))?.path();
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        if ["jpg", "jpeg", "png"].contains(&ending.to_lowercase().as_str())
            && let Some(name) = path.file_name().and_then(|name| name.to_str())
        {
            names.push(name.to_string());
        }
    }
    names.sort();
    if names.is_empty() {
        return Err(Error::Usage(format!(
            "{}: expected a folder with JPEGs or PNGs in it, got none (a data folder's pictures are in its Images)",
            folder.display()
        )));
    }
    Ok(names)
}
