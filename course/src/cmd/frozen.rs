//! `vl frozen`: a language model learns to see, and shows what it has learned.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use vision_language::dataset::scenes::Split;
use vision_language::dataset::{FolderPairs, Loader, PairDataset, Transform};
use vision_language::encoder;
use vision_language::frozen::{
    Frozen, FrozenConfig, FrozenLog, FrozenStep, LmStart, caption_score, examples,
    train_frozen_epoch, valid_frozen_epoch, vqa,
};

use super::common;
use crate::holes::Holes;
use crate::{Error, Result};

/// Train Frozen on pictures with captions, then score its captions and its answers on scenes that it has not seen.
#[derive(Clone, Debug, Args)]
pub struct FrozenArgs {
    /// The folder of pictures and captions
    #[arg(long)]
    data: PathBuf,
    /// Where the checkpoint goes: what was trained, and nothing else
    #[arg(long, default_value = "out/frozen.pt")]
    out: PathBuf,
    /// The same in half precision
    #[arg(long)]
    half: Option<PathBuf>,
    /// What happens to the language model
    #[arg(long, value_enum, default_value = "frozen")]
    language_model: Lm,
    /// Train on one of each picture's captions, drawn anew in each epoch, not on the first, which is the fullest in scenes
    #[arg(long)]
    any: bool,
    /// Every picture is black
    #[arg(long)]
    blind: bool,
    /// Passes over the pictures
    #[arg(long)]
    epochs: Option<usize>,
    /// Ends after this many minutes
    #[arg(long, allow_negative_numbers = true)]
    minutes: Option<f64>,
    /// The seed
    #[arg(long)]
    seed: Option<u64>,
    /// Held-out scenes to score on
    #[arg(long, default_value_t = 300)]
    score: usize,
    /// Score after every epoch too
    #[arg(long)]
    curve: bool,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Lm {
    /// Pretrained, and never changed
    Frozen,
    /// Pretrained, and trained with the rest
    FineTuned,
    /// Random, and trained with the rest
    Scratch,
}

/// The numbers of examples before a question.
const SHOTS: [usize; 3] = [0, 1, 4];

/// Does what the arguments say.
///
/// # Errors
/// When the data or an exercise fails, or a file cannot be written.
pub fn frozen(args: &FrozenArgs, holes: &Holes) -> Result<()> {
    let mut config = FrozenConfig::tiny();
    config.language_model = match args.language_model {
        Lm::Frozen => LmStart::Frozen,
        Lm::FineTuned => LmStart::FineTuned,
        Lm::Scratch => LmStart::Scratch,
    };
    config.blind = args.blind;
    config.base.seed = args.seed.unwrap_or(config.base.seed);
    config.base.epochs = args.epochs.unwrap_or(config.base.epochs);
    let data = common::data(&args.data)?;
    let tokenizer = encoder::tokenizer(&config.base)?;
    let loader = |indices: &[usize], seed: Option<u64>| -> Result<Loader> {
        let part = data.captions.select(indices);
        let pairs = FolderPairs::new(
            &part.image_filenames,
            &part.captions,
            &tokenizer,
            &Transform::imagenet(config.base.size),
            &data.folder.images,
            config.base.max_length,
        )?;
        let pairs: std::sync::Arc<dyn PairDataset> = std::sync::Arc::new(pairs.cached());
        let workers = config.base.num_workers;
        Ok(Loader::new(pairs, config.base.batch_size, seed, workers, seed.is_some())?)
    };
    let first = |indices: &[usize]| -> Vec<usize> {
        let names = &data.captions.image_filenames;
        let mut last: Option<usize> = None;
        let is_first = |i: &usize| last.replace(*i).is_none_or(|before| names[before] != names[*i]);
        indices.iter().copied().filter(is_first).collect()
    };
    let train = if args.any { data.splits.train.clone() } else { first(&data.splits.train) };
    let train = loader(&train, Some(config.base.seed))?.one_caption_per_image();
    let valid = loader(&first(&data.splits.valid), None)?;
    let model = Frozen::new(&config, holes.frozen)?;
    let mut optimizer = model.optimizer();
    let mut log = FrozenLog::new(config.base.epochs);
    if let Some(budget) = common::minutes(args.minutes)? {
        log = log.budget(budget);
    }
    let mut curve = Vec::new();
    while !log.is_over() {
        let mut watch = |step: FrozenStep| {
            if step.step.is_multiple_of(20) || step.step == step.steps {
                eprintln!("{step}");
            }
        };
        let loss = train_frozen_epoch(&model, &train, &mut optimizer, &mut log, &mut watch)?;
        let found = valid_frozen_epoch(&model, &valid, &mut log)?;
        let perplexity = found.per_token();
        eprintln!("train loss {loss:.4}, perplexity of validation captions {perplexity:.3}");
        if args.curve {
            let epoch = log.train_losses.len();
            let scores = score(&model, args.score)?;
            eprintln!("{scores}");
            curve.push(json!({"epoch": epoch, "train_perplexity": loss.exp(), "valid_perplexity": perplexity, "seconds": log.seconds, "scores": scores}));
        }
    }
    if let Some(folder) = args.out.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    model.save(&args.out)?;
    if let Some(half) = &args.half {
        model.save_half(half)?;
    }
    let scores = score(&model, args.score)?;
    let perplexity = log.valid.last().map(|found| found.per_token());
    if args.json {
        println!(
            "{}",
            json!({"checkpoint": args.out, "seconds": log.seconds, "steps": log.step_losses.len(), "valid_perplexity": perplexity, "scores": scores, "curve": curve})
        );
        return Ok(());
    }
    println!("{scores:#}");
    let what = args.out.display();
    println!("Trained for {:.0} s; what was trained is in {what}.", log.seconds);
    Ok(())
}

/// Captions and answers on `n` held-out scenes, with 0, 1 and 4 examples before a question.
fn score(model: &Frozen, n: usize) -> Result<Value> {
    let size = model.config().base.size;
    let test = examples(n, Split::Valid, None, size, 7)?;
    let support = examples(200, Split::Train, None, size, 8)?;
    let (captions, named) = caption_score(model, &test)?;
    let mut answers = serde_json::Map::new();
    for shots in SHOTS {
        let found = vqa(model, &test, &support, shots, 9)?;
        let sorts: serde_json::Map<String, Value> = found
            .by_sort
            .iter()
            .map(|(sort, (right, asked))| (sort.clone(), json!(format!("{right}/{asked}"))))
            .collect();
        answers.insert(format!("{shots} shots"), json!({"accuracy": found.accuracy(), "sorts": sorts}));
    }
    let some: Vec<&String> = captions.iter().take(5).collect();
    Ok(json!({"names_main_object": named, "vqa": answers, "captions": some}))
}
