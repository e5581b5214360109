//! `vl train`: the lecture's training, from data to `best.pt`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;
use vision_language::clip::{
    ClipModel, Epoch, Event, FitOptions, ImageIndex, LinearHead, Recalls, fit, head, retrieval,
};
use vision_language::config::{Schedule, Start};
use vision_language::dataset::Loader;
use vision_language::display::{Curve, line_plot};

use super::common;
use crate::holes::Holes;
use crate::{Error, Result};

/// Train CLIP and keep the best model.
#[derive(Clone, Debug, Args)]
pub struct TrainArgs {
    /// tiny, mini or lecture
    #[arg(long, default_value = "tiny")]
    preset: String,
    /// The folder of pictures and captions
    #[arg(long)]
    data: PathBuf,
    /// The folder of the preset's model files, as `vl fetch --out` makes it [default: the model hub's cache]
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    #[command(flatten)]
    choices: common::Choices,
    /// Use this encoder as it is: trainable = False (may be given twice)
    #[arg(long, value_enum)]
    freeze: Vec<Encoder>,
    /// Where the best model goes; `last.pt`, to resume from, lies beside it
    #[arg(long, default_value = "out/best.pt")]
    out: PathBuf,
    /// Passes over the training pictures [default: the preset's]
    #[arg(long)]
    epochs: Option<usize>,
    /// Ends after this many minutes of training
    #[arg(long, allow_negative_numbers = true)]
    minutes: Option<f64>,
    /// The seed of initial weights, shuffles and dropout [default: the preset's]
    #[arg(long)]
    seed: Option<u64>,
    /// Start both encoders from random weights
    #[arg(long)]
    scratch: bool,
    /// Train with the library's LinearHead (the slide's W_i and W_t) instead of the ProjectionHead
    #[arg(long)]
    linear_head: bool,
    /// plateau (the lecture's) or cosine [default: the preset's]
    #[arg(long)]
    schedule: Option<String>,
    /// Pairs in a batch [default: the preset's]
    #[arg(long)]
    batch_size: Option<usize>,
    /// The learning rate of everything [default: the preset's, by group]
    #[arg(long)]
    lr: Option<f64>,
    /// Write the best model in half precision to this file too
    #[arg(long, value_name = "FILE")]
    half: Option<PathBuf>,
    /// After each epoch, look for 1,000 validation pictures by their fullest captions; the recall against seconds of
    /// training goes to this CSV and, as a picture, to the PNG of the same name
    #[arg(long, value_name = "FILE.csv")]
    curve: Option<PathBuf>,
    /// Go on from last.pt beside --out
    #[arg(long)]
    resume: bool,
    /// Print one JSON object a line instead of sentences
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Encoder {
    Image,
    Text,
}

/// Does what the arguments say.
///
/// # Errors
/// When the data cannot be read or the training fails; what was saved before is whole.
pub fn train(args: &TrainArgs, holes: &Holes) -> Result<()> {
    let mut config = common::preset(&args.preset)?;
    args.choices.set(&mut config)?;
    if let Some(seed) = args.seed {
        config.seed = seed;
    }
    if let Some(batch_size) = args.batch_size {
        config.batch_size = batch_size;
    }
    if let Some(lr) = args.lr {
        (config.head_lr, config.image_encoder_lr, config.text_encoder_lr) = (lr, lr, lr);
    }
    config.models = args.models.clone();
    config.image_trainable &= !args.freeze.contains(&Encoder::Image);
    config.text_trainable &= !args.freeze.contains(&Encoder::Text);
    if args.scratch {
        (config.image_start, config.text_start) = (Start::Scratch, Start::Scratch);
    }
    config.schedule = match args.schedule.as_deref() {
        None => config.schedule,
        Some("plateau") => Schedule::Plateau,
        Some("cosine") => Schedule::Cosine,
        Some(other) => {
            return Err(Error::Usage(format!(
                "--schedule: expected plateau or cosine, got {other:?}"
            )));
        }
    };
    if args.out.file_name().is_none_or(|name| name != "best.pt") {
        return Err(Error::Usage(format!(
            "--out: expected a path that ends in best.pt, got {}",
            args.out.display()
        )));
    }
    let budget = common::minutes(args.minutes)?;
    let epochs = args.epochs.unwrap_or(if budget.is_some() { usize::MAX } else { config.epochs });
    let data = common::data(&args.data)?;
    let builder = if args.linear_head { head::<LinearHead>() } else { holes.head };
    let model = ClipModel::new(&config, builder, holes.clip_loss)?;
    let workers = config.num_workers;
    let seed = Some(config.seed);
    let train_loader = Loader::new(
        data.cached(&data.splits.train, &model)?,
        config.batch_size,
        seed,
        workers,
        true,
    )?
    .one_caption_per_image();
    // The validation loss must not change from epoch to epoch: the fixed shuffle of seed 0, one caption a picture.
    let valid_loader = Loader::new(
        data.cached(&data.splits.valid, &model)?,
        config.batch_size,
        Some(0),
        workers,
        true,
    )?
    .one_caption_per_image();
    if !args.json {
        eprintln!(
            "Training CLIP ({}, {} captions) with the code of {} on {:?}.",
            config.preset,
            data.splits.train.len(),
            holes.whose,
            model.params().device()
        );
    }
    let folder = args.out.parent().unwrap_or(std::path::Path::new(".")).to_path_buf();
    let options =
        FitOptions { folder, keep_best: holes.keep_best, epochs, budget, resume: args.resume };
    let mut curve = args.curve.as_ref().map(|file| RecallCurve::new(file, &data)).transpose()?;
    let bar = common::bar(train_loader.steps_per_epoch() as u64, "epoch 1");
    let log = fit(&model, &train_loader, &valid_loader, &options, &mut |event| match event {
        Event::Step(s) => {
            bar.set_prefix(format!("epoch {}", s.epoch));
            bar.set_length(s.steps as u64);
            bar.set_position(s.step as u64);
            bar.set_message(format!("loss {:.3}, {:.0} pairs/s", s.avg, s.pairs_per_second));
        }
        Event::Epoch(Epoch { epoch, train_loss, valid_loss, best, seconds }) => {
            if let Some(Err(why)) = curve.as_mut().map(|c| c.measure(&model, seconds)) {
                bar.suspend(|| eprintln!("The recall of epoch {epoch} could not be taken: {why}"));
            }
            let r10 = curve.as_ref().and_then(|c| c.rows.last()).map(|r| r.1.r10);
            if args.json {
                println!(
                    "{}",
                    json!({"epoch": epoch, "train_loss": train_loss, "valid_loss": valid_loss, "best": best, "seconds": seconds, "recall_at_10": r10})
                );
            } else {
                let mark = if best { ", best so far" } else { "" };
                let r10 = r10.map_or(String::new(), |r| format!(", recall@10 {r:.3}"));
                bar.suspend(|| {
                    println!(
                        "epoch {epoch}: train loss {train_loss:.4}, valid loss {valid_loss:.4}{r10}{mark}"
                    )
                });
            }
        }
    })?;
    bar.finish_and_clear();
    if let Some(curve) = &curve {
        curve.save()?;
    }
    if let Some(half) = &args.half {
        ClipModel::load(&args.out, builder, holes.clip_loss)?.save_half(half)?;
    }
    let best = log.valid_losses.iter().copied().fold(f64::INFINITY, f64::min);
    if args.json {
        println!(
            "{}",
            json!({"done": true, "best_valid_loss": best, "seconds": log.seconds, "epochs": log.train_losses.len(), "checkpoint": args.out})
        );
    } else {
        println!(
            "Trained {} epochs in {:.0} s. The best model (validation loss {best:.4}) is in {}. Try it: cargo vl match --checkpoint {} --data {} \"a dog on the grass\"",
            log.train_losses.len(),
            log.seconds,
            args.out.display(),
            args.out.display(),
            args.data.display()
        );
    }
    Ok(())
}

/// Text to image recall on validation pictures against seconds of training.
struct RecallCurve {
    file: PathBuf,
    folder: PathBuf,
    names: Vec<String>,
    captions: Vec<String>,
    rows: Vec<(f64, Recalls)>,
}

impl RecallCurve {
    /// The first 1,000 validation pictures, each with its fullest caption.
    fn new(file: &Path, data: &common::Data) -> Result<Self> {
        if file.extension().is_none_or(|e| e != "csv") {
            return Err(Error::Usage(format!(
                "--curve: expected a path that ends in .csv, got {}",
                file.display()
            )));
        }
        let mut pictures = data.pictures(&data.splits.valid);
        pictures.truncate(1000);
        let first = |(name, captions): (String, Vec<String>)| {
            captions.into_iter().next().map(|caption| (name, caption))
        };
        let (names, captions) = pictures.into_iter().filter_map(first).unzip();
        let folder = data.folder.images.clone();
        Ok(Self { file: file.into(), folder, names, captions, rows: Vec::new() })
    }

    fn measure(&mut self, model: &ClipModel, seconds: f64) -> Result<()> {
        let index = ImageIndex::build(model, &self.folder, &self.names, &mut |_| {})?;
        let captions: Vec<&String> = self.captions.iter().collect();
        let texts = common::embed_texts(model, &captions)?;
        self.rows.push((seconds, retrieval(&index.embeddings, &texts)?.text_to_image));
        Ok(())
    }

    fn save(&self) -> Result<()> {
        let mut csv = String::from("seconds,recall_at_1,recall_at_5,recall_at_10,median_rank\n");
        for (seconds, r) in &self.rows {
            csv += &format!("{seconds:.1},{},{},{},{}\n", r.r1, r.r5, r.r10, r.median_rank);
        }
        std::fs::write(&self.file, csv).map_err(Error::io(&self.file))?;
        let curve = |name: &str, of: &dyn Fn(&Recalls) -> f64| {
            Curve::new(name, self.rows.iter().map(|(s, r)| (*s, of(r))).collect())
        };
        let curves = [curve("R@10", &|r| r.r10), curve("R@5", &|r| r.r5), curve("R@1", &|r| r.r1)];
        let title = format!("Captions that find their picture among {}", self.names.len());
        let png = self.file.with_extension("png");
        Ok(line_plot(&title, "seconds of training", "recall", &curves)?.save(&png)?)
    }
}
