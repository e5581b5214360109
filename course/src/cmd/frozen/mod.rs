//! `vl frozen`: a language model learns to see, and shows what it has learned.

mod run;
mod score;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use vision_language::dataset::Transform;
use vision_language::display::{Curve, line_plot};
use vision_language::frozen::{Frozen, FrozenConfig, LmStart};

use self::run::Practice;
use self::score::Held;
use super::csv::Csv;
use crate::holes::Holes;
use crate::{Error, Result};

/// Train Frozen on pictures with captions, then score its captions and its answers on scenes that it has not seen; or score a
/// checkpoint.
#[derive(Clone, Debug, Args)]
pub struct FrozenArgs {
    /// The folder of pictures and captions
    #[arg(long, required_unless_present = "checkpoint")]
    data: Option<PathBuf>,
    /// Score this checkpoint, and train nothing
    #[arg(long, conflicts_with_all = ["data", "compare", "curve", "plot", "half"])]
    checkpoint: Option<PathBuf>,
    /// Where the checkpoint goes: what was trained, and nothing else
    #[arg(long, default_value = "out/frozen.pt")]
    out: PathBuf,
    /// The same in half precision
    #[arg(long)]
    half: Option<PathBuf>,
    /// tiny, or mini: EfficientNet-Lite0, whose weights stay, and SmolLM2-135M
    #[arg(long, default_value = "tiny")]
    preset: String,
    /// The folder of the preset's model files, as `vl fetch --out` makes it [default: the model hub's cache]
    #[arg(long)]
    models: Option<PathBuf>,
    /// Which model
    #[arg(long, value_enum, default_value = "frozen")]
    language_model: Kind,
    /// The same with a picture that is always black
    #[arg(long)]
    blind: bool,
    /// Start the vision encoder from the one in this checkpoint of CLIP, or of another Frozen, not from the one that has learned
    /// to name objects
    #[arg(long)]
    from_clip: Option<PathBuf>,
    /// Train on one of each picture's captions, drawn anew in each epoch, not on the first, which is the fullest in scenes
    #[arg(long)]
    any: bool,
    /// Train on so many pictures only
    #[arg(long)]
    images: Option<usize>,
    /// Measure perplexity after every epoch on so many validation pictures [default: all]
    #[arg(long)]
    valid: Option<usize>,
    /// Passes over the pictures
    #[arg(long)]
    epochs: Option<usize>,
    /// Passes at the beginning in which the vision encoder stays as it is
    #[arg(long)]
    projection_epochs: Option<usize>,
    /// How many vectors stand for a picture: the slide's `num_visual_prefix`
    #[arg(long)]
    prefix: Option<usize>,
    /// The most pictures with captions in one training text
    #[arg(long)]
    pictures_per_text: Option<usize>,
    /// Learning rate of `vision_proj_m`
    #[arg(long)]
    projection_lr: Option<f64>,
    /// Learning rate of the vision encoder
    #[arg(long)]
    image_lr: Option<f64>,
    /// Ends after this many minutes
    #[arg(long, allow_negative_numbers = true)]
    minutes: Option<f64>,
    /// The seed
    #[arg(long)]
    seed: Option<u64>,
    /// Held-out scenes to score on
    #[arg(long, default_value_t = 300)]
    score: usize,
    /// The seed of those scenes; the examples before their questions have the next ones
    #[arg(long, default_value_t = 7)]
    score_seed: u64,
    /// Score after every epoch too, and write a CSV of it
    #[arg(long)]
    curve: Option<PathBuf>,
    /// Draw the loss of every step
    #[arg(long)]
    plot: Option<PathBuf>,
    /// Draw twenty held-out pictures over what the model writes about them and what they show
    #[arg(long)]
    sheet: Option<PathBuf>,
    /// Train every sort of model of `--kinds` with every seed of `--seeds` in turn, and write a CSV of their scores, a row as
    /// soon as it is known; no checkpoint
    #[arg(long)]
    compare: Option<PathBuf>,
    /// The models to compare
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::ALL)]
    kinds: Vec<Kind>,
    /// Their seeds
    #[arg(long, value_delimiter = ',', default_values_t = [42, 43, 44])]
    seeds: Vec<u64>,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
}

/// What is trained, beside the vision encoder and its projection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// A pretrained language model that never changes
    Frozen,
    /// The same, and every picture is black
    Blind,
    /// A pretrained one that trains with the rest
    FineTuned,
    /// A random one that trains with the rest
    Scratch,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Frozen, Self::Blind, Self::FineTuned, Self::Scratch];

    fn set(self, config: &mut FrozenConfig) {
        config.blind = self == Self::Blind;
        config.language_model = match self {
            Self::Frozen | Self::Blind => LmStart::Frozen,
            Self::FineTuned => LmStart::FineTuned,
            Self::Scratch => LmStart::Scratch,
        };
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.to_possible_value().map_or(String::new(), |v| v.get_name().to_string());
        f.pad(&name)
    }
}

/// Does what the arguments say.
///
/// # Errors
/// When the data or an exercise fails, or a file cannot be written.
pub fn frozen(args: &FrozenArgs, holes: &Holes) -> Result<()> {
    if let Some(checkpoint) = &args.checkpoint {
        let model = Frozen::load_with(checkpoint, args.models.as_deref(), holes.frozen)?;
        let held = Held::new(args.score, args.score_seed, &Transform::of(&model.config().base))?;
        let scores = report(args, &held, &model)?;
        if args.json {
            println!("{}", json!({"checkpoint": checkpoint, "scores": scores}));
        } else {
            println!("{scores:#}");
        }
        return Ok(());
    }
    let mut config = match args.preset.as_str() {
        "tiny" => FrozenConfig::tiny(),
        "mini" => FrozenConfig::mini(),
        other => {
            let why = format!("--preset: expected tiny or mini, got {other:?}");
            return Err(Error::Usage(why));
        }
    };
    config.base.models = args.models.clone();
    args.language_model.set(&mut config);
    config.blind |= args.blind;
    let base = &mut config.base;
    base.seed = args.seed.unwrap_or(base.seed);
    base.epochs = args.epochs.unwrap_or(base.epochs);
    base.image_encoder_lr = args.image_lr.unwrap_or(base.image_encoder_lr);
    config.num_visual_prefix = args.prefix.unwrap_or(config.num_visual_prefix);
    if config.num_visual_prefix == 0 {
        return Err(Error::Usage("--prefix: expected at least 1 vector, got 0".into()));
    }
    config.projection_lr = args.projection_lr.unwrap_or(config.projection_lr);
    config.projection_epochs = args.projection_epochs.unwrap_or(config.projection_epochs);
    config.pictures_per_text = args.pictures_per_text.unwrap_or(config.pictures_per_text);
    let practice = Practice::new(args, &config, holes)?;
    let held = Held::new(args.score, args.score_seed, &Transform::of(&config.base))?;
    if let Some(file) = &args.compare {
        return compare(args, &practice, &config, &held, file);
    }
    let mut curve = Csv::maybe(
        args.curve.as_deref(),
        "epoch,train_perplexity,valid_perplexity,main_object,vqa",
    )?;
    let (model, log) = practice.train(&config, &mut |model, log| {
        let Some(curve) = &mut curve else { return Ok(()) };
        let scores = held.score(model, &[0])?;
        let epoch = log.train_losses.len();
        let train = log.train_losses[epoch - 1].exp();
        let valid = log.valid[epoch - 1].per_token();
        let (named, vqa) = (scores.named, scores.vqa[0].accuracy());
        eprintln!("main object named {named:.3}, questions answered {vqa:.3}");
        curve.row(&format!("{epoch},{train:.4},{valid:.4},{named:.4},{vqa:.4}"))
    })?;
    if let Some(folder) = args.out.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    model.save(&args.out)?;
    if let Some(half) = &args.half {
        model.save_half(half)?;
    }
    if let Some(path) = &args.plot {
        let points = log.step_losses.iter().enumerate().map(|(i, loss)| (i as f64 + 1., *loss));
        let curves = [Curve::new("a step's captions", points.collect())];
        line_plot("Frozen learns to see", "step", "loss, nats a token", &curves)?.save(path)?;
    }
    let scores = report(args, &held, &model)?;
    let perplexity = log.valid.last().map(|found| found.per_token());
    if args.json {
        let all: Value = json!({"checkpoint": args.out, "seconds": log.seconds, "steps": log.step_losses.len(), "valid_perplexity": perplexity, "scores": scores});
        println!("{all}");
        return Ok(());
    }
    println!("{scores:#}");
    let (steps, what) = (log.step_losses.len(), args.out.display());
    let models =
        args.models.as_ref().map_or(String::new(), |m| format!(" --models {}", m.display()));
    println!(
        "Trained for {:.0} s, {steps} steps; what was trained is in {what}.\nNext: cargo vl caption PICTURE --checkpoint {what}{models}",
        log.seconds
    );
    Ok(())
}

/// Scores a model, and draws what it writes where that is wanted.
fn report(args: &FrozenArgs, held: &Held, model: &Frozen) -> Result<Value> {
    let scores = held.score(model, &score::SHOTS)?;
    if let Some(path) = &args.sheet {
        held.sheet(&scores, 20, 5)?.save(path)?;
    }
    Ok(scores.json())
}

/// The table of the paper (arXiv:2106.13884, table 1) with our own numbers.
fn compare(
    args: &FrozenArgs,
    practice: &Practice<'_>,
    config: &FrozenConfig,
    held: &Held,
    file: &Path,
) -> Result<()> {
    let head = "model,seed,steps,valid_perplexity,main_object,vqa_0,vqa_1,vqa_4";
    let mut table = Csv::new(file, head)?;
    for kind in &args.kinds {
        for seed in &args.seeds {
            eprintln!("{kind}, seed {seed}");
            let mut config = config.clone();
            kind.set(&mut config);
            config.base.seed = *seed;
            let (model, log) = practice.train(&config, &mut |_, _| Ok(()))?;
            let scores = held.score(&model, &score::SHOTS)?;
            let perplexity = log.valid.last().map_or(f64::NAN, |found| found.per_token());
            let answers: Vec<String> =
                scores.vqa.iter().map(|s| format!("{:.4}", s.accuracy())).collect();
            let (steps, named, answers) = (log.step_losses.len(), scores.named, answers.join(","));
            table.row(&format!("{kind},{seed},{steps},{perplexity:.4},{named:.4},{answers}"))?;
        }
    }
    println!("{}", std::fs::read_to_string(file).map_err(Error::io(file))?);
    println!(
        "The table is in {}: captions that name the main object, and right answers after 0, 1 and 4 examples, of {} held-out scenes.",
        file.display(),
        args.score
    );
    Ok(())
}
