//! `vl objectives`: what is a caption good for? Three ways of learning from it, against examples seen.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::json;
use vision_language::clip::objectives::{
    Objective, ObjectiveRow, ObjectivesConfig, objective_curve, objectives_plot,
};
use vision_language::clip::suite::{Painted, Task, draw_scenes};
use vision_language::config::Start;
use vision_language::dataset::Loader;
use vision_language::dataset::scenes::Split;
use vision_language::encoder;
use vision_language::exercise::filled;

use super::common;
use super::csv::Csv;
use crate::holes::Holes;
use crate::{Error, Result};

/// Train one image encoder in three ways, predicting the caption, its bag of words, or which picture it belongs to, and see
/// which learns objects with the fewest examples: the reason for CLIP's objective.
#[derive(Clone, Debug, Args)]
pub struct ObjectivesArgs {
    /// The folder of pictures and captions, as `cargo vl data scenes` makes it
    #[arg(long)]
    data: PathBuf,
    /// Where the table goes: a row as soon as it is measured
    #[arg(long, value_name = "FILE.csv")]
    out: PathBuf,
    /// The same as a picture [default: the PNG of the same name]
    #[arg(long, value_name = "FILE.png")]
    plot: Option<PathBuf>,
    /// Which of the three
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Kind::ALL)]
    objectives: Vec<Kind>,
    /// Pairs of picture and caption that each sees
    #[arg(long, default_value_t = 128_000)]
    examples: usize,
    /// The seeds of the initial weights and of the order of the pictures
    #[arg(long, value_delimiter = ',', default_values_t = [42])]
    seeds: Vec<u64>,
    /// How often accuracy is measured on the way
    #[arg(long, default_value_t = 10)]
    measurements: usize,
    /// Held-out scenes to measure on; those with one kind of object are asked about
    #[arg(long, default_value_t = 1000)]
    test: usize,
    #[command(flatten)]
    choices: common::Choices,
    /// Start the image encoder from the one that knows objects already, not from random weights
    #[arg(long)]
    pretrained: bool,
    /// Print one JSON object a row instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Predict the caption word by word
    Caption,
    /// Predict which words it has
    Words,
    /// Find it among the captions of other pictures
    Contrastive,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Caption, Self::Words, Self::Contrastive];

    fn objective(self) -> Objective {
        match self {
            Self::Caption => Objective::Caption,
            Self::Words => Objective::Words,
            Self::Contrastive => Objective::Contrastive,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.objective().name())
    }
}

fn wanted(path: &std::path::Path, flag: &str, ending: &str) -> Result<()> {
    if path.extension().is_none_or(|e| e != ending) {
        let got = path.display();
        return Err(Error::Usage(format!(
            "{flag}: expected a path that ends in .{ending}, got {got}"
        )));
    }
    Ok(())
}

/// Does what the arguments say.
///
/// # Errors
/// When the data cannot be read, `clip_loss` is not filled in, or a file cannot be written.
pub fn objectives(args: &ObjectivesArgs, holes: &Holes) -> Result<()> {
    let plot = args.plot.clone().unwrap_or_else(|| args.out.with_extension("png"));
    wanted(&args.out, "--out", "csv")?;
    wanted(&plot, "--plot", "png")?;
    if args.measurements == 0 || args.examples < args.measurements || args.test < 100 {
        return Err(Error::Usage(format!(
            "expected --measurements of at least 1, as many --examples, --test of at least 100; got {}, {}, {}",
            args.measurements, args.examples, args.test
        )));
    }
    if args.objectives.contains(&Kind::Contrastive)
        && !filled::clip_loss(holes.clip_loss).is_filled()
    {
        let why = "your exercise `clip_loss` is not filled in yet: cargo vl hint clip_loss; or leave the contrastive objective \
            out: --objectives caption,words";
        return Err(Error::Failed(why.into()));
    }
    let mut config = ObjectivesConfig {
        examples: args.examples,
        measurements: args.measurements,
        ..ObjectivesConfig::tiny()
    };
    if args.pretrained {
        config.base.image_start = Start::Pretrained;
    }
    args.choices.set(&mut config.base)?;
    let data = common::data(&args.data)?;
    let base = &config.base;
    let tokenizer = encoder::tokenizer(base)?;
    let pairs = Arc::new(data.pairs_for(&data.splits.train, &tokenizer, base)?.cached());
    let test = Painted::at(base, draw_scenes(Split::Valid, args.test, 1))?;
    let asked = Task::Object.of_scenes(&test.scenes, usize::MAX).rows.len();
    let mut csv = Csv::new(&args.out, "objective,seed,examples,seconds,loss,accuracy")?;
    let mut rows = Vec::new();
    for seed in &args.seeds {
        let mut config = config.clone();
        config.base.seed = *seed;
        let (size, workers) = (config.base.batch_size, config.base.num_workers);
        let loader = Loader::new(pairs.clone(), size, Some(*seed), workers, true)?;
        let loader = loader.one_caption_per_image();
        for kind in &args.objectives {
            let mut failed = Ok(());
            let mut watch = |row: &ObjectiveRow| {
                if failed.is_ok() {
                    failed = csv.row(&line(row));
                }
                if args.json {
                    println!("{}", as_json(row));
                }
            };
            let loss = holes.clip_loss;
            rows.extend(objective_curve(
                kind.objective(),
                &config,
                loss,
                &loader,
                &test,
                &mut watch,
            )?);
            failed?;
        }
    }
    objectives_plot(&rows)?.save(&plot)?;
    if !args.json {
        print!("{}", table(&rows, args));
        println!(
            "Right of {asked} held-out pictures, {} objects to choose from (guessing: {:.4}). The rows are in {}, the picture in {}.",
            Task::Object.class_names().len(),
            Task::Object.chance(),
            args.out.display(),
            plot.display()
        );
    }
    Ok(())
}

fn line(row: &ObjectiveRow) -> String {
    let ObjectiveRow { objective, seed, examples, seconds, loss, accuracy } = row;
    format!("{},{seed},{examples},{seconds:.1},{loss:.4},{accuracy:.4}", objective.name())
}

fn as_json(row: &ObjectiveRow) -> serde_json::Value {
    json!({
        "objective": row.objective.name(), "seed": row.seed, "examples": row.examples, "seconds": row.seconds,
        "loss": row.loss, "accuracy": row.accuracy,
    })
}

/// A line a measurement, the objectives side by side: the mean over the seeds.
fn table(rows: &[ObjectiveRow], args: &ObjectivesArgs) -> String {
    let mean = |of: &[&ObjectiveRow], value: fn(&ObjectiveRow) -> f64| {
        of.iter().map(|row| value(row)).sum::<f64>() / of.len().max(1) as f64
    };
    let mut text = format!("{:>9}", "examples");
    for kind in &args.objectives {
        text += &format!("  {kind:>11} after");
    }
    text.push('\n');
    let mut places: Vec<usize> = rows.iter().map(|row| row.examples).collect();
    places.sort_unstable();
    places.dedup();
    for examples in places {
        text += &format!("{examples:9}");
        for kind in &args.objectives {
            let here =
                |row: &&ObjectiveRow| row.examples == examples && row.objective == kind.objective();
            let of: Vec<&ObjectiveRow> = rows.iter().filter(here).collect();
            let (accuracy, seconds) = (mean(&of, |r| r.accuracy), mean(&of, |r| r.seconds));
            text += &format!("  {accuracy:11.3} {seconds:4.0}s");
        }
        text.push('\n');
    }
    text
}
