//! `vl fetch`: brings a preset's model files from the hub, once.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use vision_language::hub::{Hub, HubFile, HubModel, PresetModels, bytes};

use crate::download::{BYTES, bar, show};
use crate::{Error, Result};

/// Fetch the model files of a preset from the model hub.
#[derive(Clone, Debug, Args)]
pub struct FetchArgs {
    /// mini or lecture (tiny needs no files)
    preset: String,
    /// Put them into this folder, a folder a model, for `--models` on machines without network [default: the hub's cache,
    /// which Python's transformers and timm share; HF_HOME, HF_ENDPOINT and HF_HUB_OFFLINE are obeyed]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The preset's causal language model instead of its encoders: SmolLM2-135M (mini), GPT-2 (lecture)
    #[arg(long)]
    language_model: bool,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    json: bool,
}

/// Does what the arguments say.
///
/// # Errors
/// When a file cannot be fetched or written; what came before stays, and the next call goes on from there.
pub fn fetch(args: &FetchArgs) -> Result<()> {
    if args.preset == "tiny" {
        println!("The preset tiny needs no files: its models travel with the library.");
        return Ok(());
    }
    let models = PresetModels::of(&args.preset).ok_or_else(|| {
        Error::Usage(format!("PRESET: expected tiny, mini or lecture, got {:?}", args.preset))
    })?;
    let hub = Hub::from_env();
    let wanted = match args.language_model {
        true => vec![&models.language],
        false => vec![&models.image, &models.text],
    };
    if !args.json {
        let place = args.out.as_deref().unwrap_or(&hub.cache).display();
        eprintln!(
            "The files of {}, about {}, go to {place}.",
            args.preset,
            bytes(wanted.iter().map(|m| m.about()).sum())
        );
    }
    let mut files = Vec::new();
    for model in wanted {
        for file in model.files {
            let path = one(&hub, model, file, args)?;
            if !args.json {
                println!("{} of {}: {}", file.name, model.repo, path.display());
            }
            files.push(path);
        }
    }
    if args.json {
        println!("{}", json!({"preset": args.preset, "files": files}));
        return Ok(());
    }
    let from = args.out.as_ref().map_or(String::new(), |f| format!(" --models {}", f.display()));
    if args.language_model {
        println!(
            "Next: cargo vl frozen --help says what reads it; in Rust it is language_model::pretrained."
        );
        return Ok(());
    }
    println!("Next: cargo vl train --preset {}{from} --data DIR", args.preset);
    Ok(())
}

fn one(hub: &Hub, model: &HubModel, file: &HubFile, args: &FetchArgs) -> Result<PathBuf> {
    let bar = bar(BYTES, args.json).with_prefix(format!("{} ", file.name));
    bar.set_length(file.about);
    let mut tell = |progress| show(&bar, progress, &|words| eprintln!("{words}"));
    let path = match &args.out {
        None => hub.fetch(model, file, &mut tell)?,
        Some(folder) => {
            let path = Path::new(folder).join(model.name()).join(file.name);
            hub.fetch_to(model, file, &path, &mut tell)?;
            path
        }
    };
    bar.finish_and_clear();
    Ok(path)
}
