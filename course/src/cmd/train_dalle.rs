//! `vl train-dalle`: DALL-E's two stages, whole.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use vision_language::config::Config;
use vision_language::dalle::{
    Dalle, DalleConfig, DalleData, Dvae, DvaeConfig, train_dalle as train, train_dvae,
};
use vision_language::dataset::scenes::Split;
use vision_language::dataset::scenes::single::{self, Singles};
use vision_language::encoder;
use vision_language::measure::{code_counts, code_perplexity, psnr};
use vision_language::nn::Mode;
use vision_language::prelude::Progress;

use super::common;
use crate::holes::Holes;
use crate::{Error, Result};

/// Train DALL-E on small pictures of one object: first the discrete VAE, then the transformer over words and codes.
#[derive(Clone, Debug, Args)]
pub struct TrainDalleArgs {
    /// The folder of the two checkpoints, `dvae.pt` and `dalle.pt`
    #[arg(long, default_value = "out/dalle")]
    out: PathBuf,
    /// The same in half precision into this folder
    #[arg(long, value_name = "DIR")]
    half: Option<PathBuf>,
    /// Pictures to learn from
    #[arg(long, default_value_t = 12_000)]
    pictures: usize,
    /// Go on with this dVAE, and train the transformer alone
    #[arg(long, value_name = "FILE.pt")]
    dvae: Option<PathBuf>,
    /// The dVAE's steps at most
    #[arg(long, default_value_t = 6_000)]
    dvae_steps: usize,
    /// The dVAE's training ends after this many minutes
    #[arg(long, allow_negative_numbers = true)]
    dvae_minutes: Option<f64>,
    /// The transformer's steps at most; 0 trains the dVAE alone
    #[arg(long, default_value_t = 10_000)]
    steps: usize,
    /// The transformer's training ends after this many minutes
    #[arg(long, allow_negative_numbers = true)]
    minutes: Option<f64>,
    /// Layers of the transformer
    #[arg(long)]
    layers: Option<usize>,
    /// The length of a token's vector
    #[arg(long)]
    width: Option<usize>,
    /// The transformer's largest learning rate
    #[arg(long)]
    lr: Option<f64>,
    /// The dVAE's largest learning rate
    #[arg(long)]
    dvae_lr: Option<f64>,
    /// What the KL divergence weighs in the end
    #[arg(long)]
    kl_weight: Option<f64>,
    /// The seed of pictures, weights and noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
}

/// Does what the arguments say.
///
/// # Errors
/// When an exercise fails, a loss is no number, or a file cannot be written.
pub fn train_dalle(args: &TrainDalleArgs, holes: &Holes) -> Result<()> {
    let (dvae_budget, budget) =
        (common::minutes(args.dvae_minutes)?, common::minutes(args.minutes)?);
    for folder in [Some(&args.out), args.half.as_ref()].into_iter().flatten() {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    eprintln!("drawing {} small pictures with {}", args.pictures, holes.whose);
    let pictures = single::draw(args.pictures, Split::Train, single::SIDE, args.seed)?;
    let valid = single::draw(1000, Split::Valid, single::SIDE, args.seed)?;
    let (dvae, dvae_report) = match &args.dvae {
        Some(path) => (Dvae::load(path, holes.dalle.quantize)?, json!({"file": path})),
        None => {
            let mut config = DvaeConfig { seed: args.seed, ..DvaeConfig::tiny() };
            config.lr = args.dvae_lr.unwrap_or(config.lr);
            config.kl_weight.to = args.kl_weight.unwrap_or(config.kl_weight.to);
            let dvae = Dvae::new(&config, holes.dalle.quantize)?;
            let mut bar = Progress::new("dVAE", 1000);
            let log =
                train_dvae(&dvae, &pictures.images, args.dvae_steps, dvae_budget, &mut |step| {
                    bar.update((step.progress * 1000.) as usize, &step.to_string());
                })?;
            bar.finish(&format!("{} steps in {:.0} s", log.steps.len(), log.seconds));
            dvae.save(&args.out.join("dvae.pt"), false)?;
            if let Some(folder) = &args.half {
                dvae.save(&folder.join("dvae.pt"), true)?;
            }
            let report = json!({"steps": log.steps.len(), "seconds": log.seconds,
                "reconstruction": log.steps.last().map(|s| s.reconstruction),
                "kl": log.steps.last().map(|s| s.kl)});
            (dvae, report)
        }
    };
    let quality = quality(&dvae, &valid)?;
    eprintln!("dVAE on held-out pictures: {quality}");
    let mut report = json!({"dvae": dvae_report, "held_out": quality});
    if args.steps > 0 {
        let mut config = DalleConfig { seed: args.seed, ..DalleConfig::tiny() };
        config.layers = args.layers.unwrap_or(config.layers);
        config.width = args.width.unwrap_or(config.width);
        config.lr = args.lr.unwrap_or(config.lr);
        let tokenizer = encoder::tokenizer(&Config::tiny())?;
        let model = Dalle::new(&config, dvae, tokenizer, holes.dalle.dalle_sequence)?;
        let data = DalleData::of(&model, &pictures)?;
        let mut bar = Progress::new("transformer", 1000);
        let log = train(&model, &data, args.steps, budget, &mut |step| {
            bar.update((step.progress * 1000.) as usize, &step.to_string());
        })?;
        bar.finish(&format!("{} steps in {:.0} s", log.steps.len(), log.seconds));
        model.save(&args.out.join("dalle.pt"), false)?;
        if let Some(folder) = &args.half {
            model.save(&folder.join("dalle.pt"), true)?;
        }
        let held_out = DalleData::of(&model, &valid)?;
        let found =
            model.loss(&model.sequence(&held_out.text_ids, &held_out.codes)?, Mode::Eval)?;
        let last = log.steps.last();
        report["transformer"] = json!({"steps": log.steps.len(), "seconds": log.seconds,
            "train_image": last.map(|s| s.image), "valid_image": found.image, "valid_text": found.text});
    }
    if args.json {
        println!("{report}");
        return Ok(());
    }
    println!("{report:#}");
    println!(
        "The checkpoints are in {}; `cargo vl draw` takes them with --checkpoint.",
        args.out.display()
    );
    Ok(())
}

/// Reconstructions of held-out pictures, and how much of the codebook they use.
fn quality(dvae: &Dvae, valid: &Singles) -> Result<Value> {
    let codes = dvae.codes(&valid.images)?;
    let counts = code_counts(&codes, dvae.config().codes)?;
    Ok(json!({
        "psnr": psnr(&dvae.pictures(&codes)?, &valid.images)?,
        "codebook_perplexity": code_perplexity(&counts),
        "codes_in_use": counts.iter().filter(|count| **count > 0).count(),
        "codes": counts.len(),
    }))
}
