//! `vl prompting`: what prompts with zero, one and a few examples get out of a model, beside fine-tuning.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use vision_language::config::Config;
use vision_language::dataset::scenes::{Asks, Split};
use vision_language::dataset::{Mind, Review, adjectives, reviews};
use vision_language::display::{Progress, Table};
use vision_language::frozen::{Frozen, examples};
use vision_language::prompting::{
    Body, CausalFiller, Classifier, Episode, InContext, MaskedFiller, Pattern, Shows, SlotFiller,
    TuneConfig, Verbalizer, accuracy, answer_chances, best, calibrate, episode_prompts,
    name_episodes, question_episodes, right_choices, right_words, silenced,
};

use super::common;
use crate::holes::Holes;
use crate::{Error, Result};

/// Measure prompting: reviews by templates and by fine-tuning, made-up names and questions after zero and more examples.
#[derive(Clone, Debug, Args)]
pub struct PromptingArgs {
    /// How often everything is drawn anew
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Reviews, and episodes of each sort
    #[arg(long, default_value_t = 200)]
    test: usize,
    /// A checkpoint of `cargo vl frozen`; without it, the model that travels with the library
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// mini or lecture: SmolLM2-135M or GPT-2 in the place of the small language model, for all that is in words; what asks
    /// the masked model or Frozen is left out
    #[arg(long, default_value = "tiny")]
    preset: String,
    /// The folder of the preset's model files, as `vl fetch --out` makes it [default: the model hub's cache]
    #[arg(long)]
    models: Option<PathBuf>,
    /// Leave the fine-tuning out
    #[arg(long)]
    no_tuning: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Figures by name, one a seed.
#[derive(Default)]
struct Figures(Vec<(String, Vec<f64>)>);

impl Figures {
    fn add(&mut self, name: impl Into<String>, value: f64) {
        let name = name.into();
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some((_, values)) => values.push(value),
            None => self.0.push((name, vec![value])),
        }
    }
}

/// Examples before a query.
const SHOTS: [usize; 4] = [0, 1, 2, 3];

/// Labelled examples of the fine-tuning.
const TUNED: [usize; 5] = [2, 4, 8, 16, 64];

/// Does what the arguments say.
///
/// # Errors
/// When an exercise fails, or the checkpoint cannot be read.
pub fn prompting(args: &PromptingArgs, holes: &Holes) -> Result<()> {
    if args.seeds == 0 || args.test == 0 {
        return Err(Error::Usage("--seeds and --test want at least 1".into()));
    }
    let config = Config { models: args.models.clone(), ..common::preset(&args.preset)? };
    let causal = CausalFiller::of(&config)?;
    let small = args.preset == "tiny";
    if !small && args.checkpoint.is_some() {
        return Err(Error::Usage("--checkpoint goes with --preset tiny alone".into()));
    }
    let frozen = match &args.checkpoint {
        Some(path) => Some(Frozen::load(path, holes.frozen)?),
        None if small => Some(Frozen::shipped()?),
        None => None,
    };
    let frozen = frozen.as_ref();
    let masked = if small { Some(MaskedFiller::tiny()?) } else { None };
    let mut figures = Figures::default();
    let mut progress = Progress::new("prompting", 4 * args.seeds as usize);
    for seed in 0..args.seeds {
        let done = 4 * seed as usize;
        sentiment(args, holes, (&causal, masked.as_ref()), seed, &mut figures)?;
        progress.update(done + 1, "fine-tuning");
        if small && !args.no_tuning {
            tuning(args, seed, &mut figures)?;
        }
        progress.update(done + 2, "made-up names");
        names(args, holes, (&causal, frozen), seed, &mut figures)?;
        progress.update(done + 3, "questions");
        questions(args, holes, (&causal, frozen), seed, &mut figures)?;
        progress.update(done + 4, "reviews");
    }
    if args.json {
        let figures: serde_json::Map<String, Value> =
            figures.0.into_iter().map(|(name, values)| (name, json!(values))).collect();
        println!("{}", json!({"seeds": args.seeds, "test": args.test, "right": figures}));
        return Ok(());
    }
    let mut table = Table::new(["right answers", "mean", "lowest", "highest"]);
    for (name, values) in &figures.0 {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let (low, high) = values.iter().fold((1f64, 0f64), |(l, h), v| (l.min(*v), h.max(*v)));
        let numbers = [mean, low, high].map(|v| format!("{v:.3}"));
        table = table.row([std::slice::from_ref(name), numbers.as_slice()].concat());
    }
    println!("{table}");
    println!("Each row is measured on {} inputs, {} times drawn anew.", args.test, args.seeds);
    Ok(())
}

/// Zero-shot: a template, two models, with and without calibration; and what the causal one writes.
fn sentiment(
    args: &PromptingArgs,
    holes: &Holes,
    (causal, masked): (&CausalFiller, Option<&MaskedFiller>),
    seed: u64,
    figures: &mut Figures,
) -> Result<()> {
    let (good, bad) = (adjectives(0), adjectives(1));
    let good: Vec<&str> = good.iter().map(String::as_str).collect();
    let bad: Vec<&str> = bad.iter().map(String::as_str).collect();
    let verbalizer = Verbalizer::new(&[("++", good.as_slice()), ("--", bad.as_slice())]);
    let pattern =
        Pattern::new("[X] overall, it was a [Z] movie.", &verbalizer, holes.prompting.template);
    for (what, mind) in [("of one mind", Mind::One), ("of mixed mind", Mind::Mixed)] {
        let test = reviews(args.test, mind, 100 + seed);
        let inputs: Vec<String> = test.iter().map(|r| r.text.clone()).collect();
        let labels: Vec<usize> = test.iter().map(|r| r.label).collect();
        let mut models: Vec<(&str, &dyn SlotFiller)> = vec![("causal", causal)];
        models.extend(masked.map(|m| ("masked", m as &dyn SlotFiller)));
        for (name, model) in models {
            let plain = pattern.chances(model, &inputs)?;
            figures.add(format!("reviews {what}, {name}"), accuracy(&plain, &labels));
            let nothing = pattern.chances(model, &[String::new()])?;
            let calibrated = plain.iter().map(|found| calibrate(found, &nothing));
            let calibrated = calibrated.collect::<vision_language::Result<Vec<_>>>()?;
            let name = format!("reviews {what}, {name}, calibrated");
            figures.add(name, accuracy(&calibrated, &labels));
        }
        let written = causal.complete(&pattern.prompts(&inputs)?, 3)?;
        let read = pattern.read(holes.prompting.read, &inputs, &written)?;
        let right = read.iter().zip(&labels).filter(|(r, label)| **r == Some(**label)).count();
        figures.add(format!("reviews {what}, causal, written"), right as f64 / labels.len() as f64);
    }
    Ok(())
}

/// The same models fine-tuned on a few labelled reviews.
fn tuning(args: &PromptingArgs, seed: u64, figures: &mut Figures) -> Result<()> {
    let test = reviews(args.test, Mind::Mixed, 100 + seed);
    for n in TUNED {
        let train: Vec<Review> = reviews(n, Mind::Mixed, 200 + seed);
        for name in ["causal", "masked"] {
            let body = match name {
                "causal" => Body::Causal(CausalFiller::tiny()?),
                _ => Body::Masked(MaskedFiller::tiny()?),
            };
            let classifier = Classifier::new(body, 2, seed)?;
            classifier.train(&train, &TuneConfig { seed, ..TuneConfig::default() })?;
            let name = format!("reviews of mixed mind, {name}, fine-tuned on {n}");
            figures.add(name, classifier.accuracy(&test)?);
        }
    }
    Ok(())
}

/// Likelihood with and without calibration, and writing.
fn answer(
    what: &str,
    model: &dyn InContext,
    holes: &Holes,
    episodes: &[Episode],
    figures: &mut Figures,
) -> Result<()> {
    let build = holes.prompting.few_shot;
    let plain = answer_chances(model, build, "", episodes)?;
    let nothing = answer_chances(model, build, "", &silenced(episodes))?;
    let calibrated = plain.iter().zip(nothing).map(|(found, nothing)| calibrate(found, &[nothing]));
    let calibrated = calibrated.collect::<vision_language::Result<Vec<_>>>()?;
    for (name, found) in [("", plain), (", calibrated", calibrated)] {
        let chosen: Vec<usize> = found.iter().map(|each| best(each)).collect();
        figures.add(format!("{what}{name}"), right_choices(&chosen, episodes));
    }
    let written = model.write(&episode_prompts(build, "", episodes)?)?;
    figures.add(format!("{what}, written"), right_words(&written, episodes));
    Ok(())
}

/// Two made-up names, each given 0 to 3 times.
fn names(
    args: &PromptingArgs,
    holes: &Holes,
    (causal, frozen): (&CausalFiller, Option<&Frozen>),
    seed: u64,
    figures: &mut Figures,
) -> Result<()> {
    let size = frozen.map_or(64, |frozen| frozen.config().base.size);
    for repeats in SHOTS {
        let draw = |shows| name_episodes(args.test, (2, repeats), shows, Split::Valid, 300 + seed);
        let what = format!("two made-up names, {repeats} times each");
        answer(&format!("{what}, in words"), causal, holes, &draw(Shows::Words)?, figures)?;
        let Some(frozen) = frozen else { continue };
        let shown = draw(Shows::Pictures(size))?;
        answer(&format!("{what}, in pictures"), frozen, holes, &shown, figures)?;
    }
    Ok(())
}

/// Questions of all sorts, and those that a picture does not answer by itself.
fn questions(
    args: &PromptingArgs,
    holes: &Holes,
    (causal, frozen): (&CausalFiller, Option<&Frozen>),
    seed: u64,
    figures: &mut Figures,
) -> Result<()> {
    let size = frozen.map_or(64, |frozen| frozen.config().base.size);
    for (what, asks) in [("questions", None), ("what kind of thing", Some(Asks::Category))] {
        let test = examples(args.test, Split::Valid, asks, size, 400 + seed)?;
        let support = examples(args.test.max(200), Split::Train, asks, size, 500 + seed)?;
        for shots in SHOTS {
            let mut models: Vec<(&str, &dyn InContext)> = vec![("in words", causal)];
            models.extend(frozen.map(|f| ("in pictures", f as &dyn InContext)));
            for (how, model) in models {
                let shown = how == "in pictures";
                let episodes = question_episodes(&test, &support, shots, shown, 600 + seed)?;
                answer(&format!("{what}, {shots} shots, {how}"), model, holes, &episodes, figures)?;
            }
        }
    }
    Ok(())
}
