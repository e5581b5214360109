//! `vl draw` and `vl gallery`: pictures from captions, and how good they are.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};
use vision_language::candle_core::Tensor;
use vision_language::clip::ClipModel;
use vision_language::dalle::{Dalle, DalleHoles, DrawConfig, Drawing, small_grid};
use vision_language::dataset::scenes::single;
use vision_language::language_model::Decoding;
use vision_language::measure::{
    Moments, PictureClassifier, PictureReport, clip_scores, picture_report,
};
use vision_language::prelude::Progress;

use super::draw_unclip::{self, UnclipArgs};
use crate::{Error, Result};

/// Which model draws.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Model {
    /// DALL-E: codes one after the other, ranked by CLIP
    Dalle,
    /// DALL-E 2: an embedding from the caption, a picture from the embedding, both out of noise
    Unclip,
}

/// Draw pictures of a sentence.
#[derive(Clone, Debug, Args)]
pub struct DrawArgs {
    /// The sentence: "a dog on the grass"
    caption: String,
    /// Which model draws
    #[arg(long, value_enum, default_value = "dalle")]
    model: Model,
    /// How many pictures
    #[arg(short, default_value_t = 9)]
    n: usize,
    /// DALL-E: how many are drawn, of which CLIP picks the best; as many as pictures: no ranking
    #[arg(long, default_value_t = 36)]
    candidates: usize,
    /// DALL-E: divides the logits
    #[arg(long, default_value_t = 0.9)]
    temperature: f64,
    /// DALL-E: only among this many of the likeliest codes
    #[arg(long, default_value_t = 32)]
    top_k: usize,
    #[command(flatten)]
    unclip: UnclipArgs,
    /// The seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// A folder of `cargo vl train-dalle` or a file of `cargo vl train-unclip`; without it, the model that travels with the
    /// library
    #[arg(long, value_name = "PATH")]
    checkpoint: Option<PathBuf>,
    /// Where the pictures go, in one PNG
    #[arg(long, default_value = "out/grid.png")]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Draw many pictures of held-out captions, and measure them.
#[derive(Clone, Debug, Args)]
pub struct GalleryArgs {
    /// Which model draws
    #[arg(long, value_enum, default_value = "dalle")]
    model: Model,
    /// Captions, half of them of pairs of object and ground that no training has seen
    #[arg(long, default_value_t = 20)]
    captions: usize,
    /// Pictures of each
    #[arg(long, default_value_t = 9)]
    each: usize,
    /// DALL-E: how many are drawn of each, of which CLIP picks the best
    #[arg(long, default_value_t = 36)]
    candidates: usize,
    /// DALL-E: divides the logits
    #[arg(long, default_value_t = 0.9)]
    temperature: f64,
    /// DALL-E: only among this many of the likeliest codes
    #[arg(long, default_value_t = 32)]
    top_k: usize,
    #[command(flatten)]
    unclip: UnclipArgs,
    /// The seed of captions and pictures
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// A folder of `cargo vl train-dalle` or a file of `cargo vl train-unclip`; without it, the model that travels with the
    /// library
    #[arg(long, value_name = "PATH")]
    checkpoint: Option<PathBuf>,
    /// DALL-E 2: measure these drawings alone, not other guidance scales and priors
    #[arg(long)]
    quick: bool,
    /// A contact sheet: two captions a row
    #[arg(long, value_name = "FILE.png")]
    sheet: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn dalle(checkpoint: Option<&Path>) -> Result<Dalle> {
    Ok(match checkpoint {
        // Drawing needs no exercise.
        Some(dir) => Dalle::load(&dir.join("dalle.pt"), &dir.join("dvae.pt"), DalleHoles::NOT_YET)?,
        None => Dalle::shipped()?,
    })
}

fn how(temperature: f64, top_k: usize, seed: u64) -> Result<DrawConfig> {
    if !(temperature > 0. && temperature.is_finite()) || top_k == 0 {
        let got = format!("{temperature} and {top_k}");
        return Err(Error::Usage(format!(
            "--temperature and --top-k: expected more than 0, got {got}"
        )));
    }
    let decoding = Decoding::Sample { temperature, top_k: Some(top_k), top_p: None };
    Ok(DrawConfig { decoding, seed })
}

fn counts(n: usize, candidates: usize) -> Result<()> {
    if n == 0 || n > 1000 || candidates > 4096 {
        let got = format!("{n} and {candidates}");
        return Err(Error::Usage(format!(
            "expected 1 to 1000 pictures of at most 4096 candidates, got {got}"
        )));
    }
    Ok(())
}

/// Does what the arguments say.
///
/// # Errors
/// When a checkpoint cannot be read or the picture not be written.
pub fn draw(args: &DrawArgs) -> Result<()> {
    counts(args.n, args.candidates)?;
    let caption = args.caption.trim().to_lowercase();
    if caption.is_empty() {
        return Err(Error::Usage(
            "the sentence is empty: say what to draw, as in \"a dog on the grass\"".into(),
        ));
    }
    let how = how(args.temperature, args.top_k, args.seed)?;
    args.unclip.checked()?;
    if single::classes(&caption).is_none() {
        let grounds: Vec<&str> = single::GROUNDS.iter().map(|g| g.name()).collect();
        eprintln!(
            "note: the model has seen one of these objects: {}; on one of these grounds: {}; others it has never drawn",
            single::OBJECTS.join(", "),
            grounds.join(", ")
        );
    }
    let checkpoint = args.checkpoint.as_deref();
    let (images, scores) = match args.model {
        Model::Dalle => {
            let drawn = drawn(&dalle(checkpoint)?, &[caption], args.n, args.candidates, &how)?;
            (drawn.images, drawn.scores)
        }
        Model::Unclip => {
            let model = draw_unclip::model(checkpoint)?;
            let images =
                args.unclip.drawn(&model, std::slice::from_ref(&caption), args.n, args.seed)?;
            let scores = clip_scores(&model.clip, &images, &vec![caption; args.n])?;
            (images, Some(scores))
        }
    };
    if let Some(folder) = args.out.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    let columns = (args.n as f64).sqrt().ceil() as usize;
    small_grid(&images, columns, 4, &format!("{} drawings", args.n))?.save(&args.out)?;
    if args.json {
        println!("{}", json!({"out": args.out, "caption": args.caption, "scores": scores}));
    } else {
        println!("{} drawings of \"{}\" are in {}.", args.n, args.caption, args.out.display());
    }
    Ok(())
}

/// `n` of `candidates` drawings of each caption, the best by CLIP first.
fn drawn(
    model: &Dalle,
    captions: &[String],
    n: usize,
    candidates: usize,
    how: &DrawConfig,
) -> Result<Drawing> {
    let candidates = candidates.max(n);
    let all: Vec<String> =
        captions.iter().flat_map(|c| std::iter::repeat_n(c.clone(), candidates)).collect();
    let total = all.len() * model.layout().image_tokens();
    let mut bar = Progress::new("drawing", total);
    let drawing = model.draw_on(&all, None, how, &mut |done| bar.update(done, "codes"))?;
    bar.finish("");
    if candidates == n {
        return Ok(drawing);
    }
    Ok(drawing.best_of_each(n, &ClipModel::shipped()?)?)
}

/// Does what the arguments say.
///
/// # Errors
/// When a checkpoint cannot be read or the sheet not be written.
pub fn gallery(args: &GalleryArgs) -> Result<()> {
    counts(args.each, args.candidates)?;
    if args.captions < 2 {
        return Err(Error::Usage(format!(
            "--captions: expected at least 2, got {}",
            args.captions
        )));
    }
    let how = how(args.temperature, args.top_k, args.seed)?;
    let captions = single::held_out_captions(args.captions, args.seed);
    let unseen = captions.len() / 2;
    let (classifier, clip) = (PictureClassifier::shipped()?, ClipModel::shipped()?);
    let real = |each: usize, seed: u64| -> Result<(Tensor, Vec<String>)> {
        let pairs: Vec<(usize, usize)> = captions
            .iter()
            .filter_map(|c| single::classes(c))
            .flat_map(|pair| std::iter::repeat_n(pair, each))
            .collect();
        let names = captions.iter().flat_map(|c| std::iter::repeat_n(c.clone(), each)).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Ok((single::draw_pairs(&pairs, single::SIDE, &mut rng)?, names))
    };
    let (reference, _) = real(50, args.seed ^ 0x5265_616c)?;
    let reference = Moments::of(&classifier.features(&reference)?)?;
    let measure = |images: &Tensor, captions: &[String]| -> Result<PictureReport> {
        Ok(picture_report(&classifier, &clip, images, captions, &reference)?)
    };
    let (held_out, names) = real(args.each, args.seed ^ 0x686f_6c64)?;
    let checkpoint = args.checkpoint.as_deref();
    let mut report = json!({
        "captions": captions, "unseen_pairs": unseen, "each": args.each,
        "chance": {"object": 1. / single::OBJECTS.len() as f64, "ground": 1. / single::GROUNDS.len() as f64},
        "real": measure(&held_out, &names)?,
    });
    let images = match args.model {
        Model::Dalle => {
            let model = dalle(checkpoint)?;
            let plain = drawn(&model, &captions, args.each, args.each, &how)?;
            let best = drawn(&model, &captions, args.each, args.candidates, &how)?;
            let half = unseen * args.each;
            let part = |from: usize, count: usize| -> Result<PictureReport> {
                let images =
                    best.images.narrow(0, from, count).map_err(vision_language::Error::from)?;
                measure(&images, &best.captions[from..from + count])
            };
            report["candidates"] = json!(args.candidates);
            report["reconstructions"] =
                json!(measure(&model.dvae().reconstruct(&held_out)?, &names)?);
            report["drawings"] = json!(measure(&plain.images, &plain.captions)?);
            report["best_by_clip"] = json!(measure(&best.images, &best.captions)?);
            report["best_by_clip_unseen_pairs"] = json!(part(0, half)?);
            report["best_by_clip_seen_pairs"] = json!(part(half, best.captions.len() - half)?);
            best.images
        }
        Model::Unclip => {
            let model = draw_unclip::model(checkpoint)?;
            let of = (captions.as_slice(), args.each, args.seed);
            let (images, more) =
                draw_unclip::gallery(&args.unclip, &model, of, &held_out, &measure, args.quick)?;
            if let Some(report) = report.as_object_mut() {
                report.extend(more);
            }
            images
        }
    };
    if let Some(path) = &args.sheet {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        small_grid(&images, args.each * 2, 2, "drawings of held-out captions")?.save(path)?;
    }
    if args.json {
        println!("{report}");
        return Ok(());
    }
    for (name, of) in report.as_object().into_iter().flatten() {
        let number = |key: &str| of.get(key).and_then(Value::as_f64);
        if let (Some(object), Some(ground)) = (number("object"), number("ground")) {
            let more: String = ["frechet", "diversity", "clip_score"]
                .into_iter()
                .filter_map(|key| {
                    number(key).map(|x| format!(", {} {x:.3}", key.replace('_', " ")))
                })
                .collect();
            let (object, ground) = (100. * object, 100. * ground);
            println!("{name}: object right in {object:.1} %, ground in {ground:.1} %{more}");
        }
    }
    for (name, of) in report.get("cosines").and_then(Value::as_object).into_iter().flatten() {
        let number = |key: &str| of.get(key).and_then(Value::as_f64);
        if let (Some(picture), Some(caption)) = (number("to_the_picture"), number("to_the_caption"))
        {
            println!(
                "{name}: cosine to the true embedding {picture:.3}, to the caption's {caption:.3}"
            );
        }
    }
    println!(
        "The classifier that says so has learned on real pictures alone; {} captions, {} drawings each.",
        captions.len(),
        args.each
    );
    Ok(())
}
