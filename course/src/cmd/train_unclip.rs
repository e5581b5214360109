//! `vl train-unclip`: DALL-E 2's decoder and priors, whole.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use vision_language::clip::ClipModel;
use vision_language::dataset::scenes::Split;
use vision_language::prelude::Progress;
use vision_language::unclip::{Part, Unclip, UnclipTraining};

use super::common;
use crate::holes::Holes;
use crate::{Error, Result};

/// Train DALL-E 2 on small pictures of one object: the decoder, the diffusion prior, the autoregressive prior.
#[derive(Clone, Debug, Args)]
pub struct TrainUnclipArgs {
    /// Where the checkpoint goes
    #[arg(long, default_value = "out/unclip.pt")]
    out: PathBuf,
    /// The same in half precision
    #[arg(long, value_name = "FILE.pt")]
    half: Option<PathBuf>,
    /// Go on from a checkpoint
    #[arg(long, value_name = "FILE.pt")]
    start: Option<PathBuf>,
    /// Which parts are trained; the others stay as they are
    #[arg(long, value_enum, value_delimiter = ',', default_value = "decoder,prior,ar-prior")]
    parts: Vec<Which>,
    /// Pictures to learn from
    #[arg(long, default_value_t = 8192)]
    pictures: usize,
    /// Steps of each part at most
    #[arg(long, default_value_t = 4000)]
    steps: usize,
    /// The training of all parts together ends after this many minutes; drawing and embedding come before
    #[arg(long, allow_negative_numbers = true)]
    minutes: Option<f64>,
    /// Examples in a step
    #[arg(long, default_value_t = 32)]
    batch_size: usize,
    /// The largest learning rate; without it 2e-3 for the decoder, 1e-3 for the priors
    #[arg(long)]
    lr: Option<f64>,
    /// The seed of pictures, weights and noise
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Which {
    /// Embeddings to pictures
    Decoder,
    /// Captions to embeddings, by diffusion
    Prior,
    /// Captions to embeddings, by codes
    ArPrior,
}

impl Which {
    fn part(self) -> Part {
        match self {
            Self::Decoder => Part::Decoder,
            Self::Prior => Part::Prior,
            Self::ArPrior => Part::ArPrior,
        }
    }
}

/// Does what the arguments say.
///
/// # Errors
/// When the exercise fails, a loss is no number, or a file cannot be written.
pub fn train_unclip(args: &TrainUnclipArgs, holes: &Holes) -> Result<()> {
    let budget = common::minutes(args.minutes)?;
    let lr = args.lr.unwrap_or(1.);
    if args.pictures < 64 || args.batch_size == 0 || !(lr > 0. && lr.is_finite()) {
        return Err(Error::Usage(format!(
            "expected at least 64 pictures, 1 example a step and a learning rate above 0, got {}, {} and {lr}",
            args.pictures, args.batch_size
        )));
    }
    for path in [Some(&args.out), args.half.as_ref()].into_iter().flatten() {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
    }
    eprintln!("drawing and embedding {} small pictures; {} train", args.pictures, holes.whose);
    let clip = ClipModel::shipped()?;
    let examples = Unclip::examples(&clip, args.pictures, Split::Train, args.seed)?;
    let model = match &args.start {
        Some(path) => Unclip::load(path)?,
        None => Unclip::tiny(clip, &examples, args.seed)?,
    };
    let parts: Vec<Part> = args.parts.iter().map(|which| which.part()).collect();
    let whole: f64 = parts.iter().map(|part| part.share()).sum();
    let mut report = json!({"checkpoint": args.out, "seed": args.seed, "pictures": args.pictures});
    for part in parts {
        let how = UnclipTraining {
            seed: args.seed,
            batch_size: args.batch_size,
            lr: args.lr.unwrap_or(part.lr()),
            steps: args.steps,
            budget: budget.map(|budget| budget.mul_f64(part.share() / whole)),
            ..UnclipTraining::default()
        };
        let mut bar = Progress::new(part.name(), 1000);
        let (mut last, mut kept, mut trouble) = (0., 0., None);
        let losses = model.train(part, &examples, holes.guidance, &how, &mut |step| {
            let note = format!("step {}, loss {:.4}", step.step, step.loss);
            bar.update((step.progress * 1000.) as usize, &note);
            last = step.seconds;
            // Who stops the training keeps what it was a minute ago.
            if last - kept >= 60. && trouble.is_none() {
                (kept, trouble) = (last, model.save(&args.out, false).err());
            }
        })?;
        let tail = &losses[losses.len().saturating_sub(100)..];
        let mean = tail.iter().sum::<f64>() / tail.len().max(1) as f64;
        bar.finish(&format!("{} steps in {last:.0} s, loss {mean:.4}", losses.len()));
        if let Some(error) = trouble {
            eprintln!("{error}");
        }
        // What is trained is kept, whatever becomes of the next part.
        model.save(&args.out, false)?;
        if let Some(half) = &args.half {
            model.save(half, true)?;
        }
        report[part.name()] =
            json!({"steps": losses.len(), "seconds": last, "loss_of_the_last_100": mean});
    }
    if args.json {
        println!("{report}");
        return Ok(());
    }
    println!("{report:#}");
    println!(
        "The checkpoint is {}; `cargo vl draw --model unclip` takes it with --checkpoint.",
        args.out.display()
    );
    Ok(())
}
