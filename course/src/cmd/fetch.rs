//! `vl fetch`: brings a preset's model files from the hub, once.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use vision_language::hub::{Hub, HubFile, HubModel, PresetModels, Progress, bytes};

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
        println!("The preset tiny needs no files: its encoders travel with the library.");
        return Ok(());
    }
    let models = PresetModels::of(&args.preset).ok_or_else(|| {
        Error::Usage(format!("PRESET: expected tiny, mini or lecture, got {:?}", args.preset))
    })?;
    let hub = Hub::from_env();
    if !args.json {
        let place = args.out.as_deref().unwrap_or(&hub.cache).display();
        eprintln!("The files of {}, about {}, go to {place}.", args.preset, bytes(models.about()));
    }
    let mut files = Vec::new();
    for model in [&models.image, &models.text] {
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
    println!("Next: cargo vl train --preset {}{from} --data DIR", args.preset);
    Ok(())
}

fn one(hub: &Hub, model: &HubModel, file: &HubFile, args: &FetchArgs) -> Result<PathBuf> {
    let bar = if args.json { ProgressBar::hidden() } else { bar(file) };
    let mut tell = |progress: Progress| match progress {
        Progress::Bytes(done, total) => {
            bar.set_length(total.unwrap_or(done));
            bar.set_position(done);
        }
        Progress::Waiting(wait, why) => {
            let seconds = wait.as_secs_f64();
            bar.suspend(|| eprintln!("{why}: trying again in {seconds:.0} s."));
        }
    };
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

/// A bar on stderr, where that is a terminal.
fn bar(file: &HubFile) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{prefix} {bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
    )
    .expect("a template of indicatif's");
    let bar = ProgressBar::new(file.about).with_style(style).with_prefix(file.name);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
