//! `vl pretrain`: makes the encoders and the language model that `tiny` starts from.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;
use vision_language::candle_core::DType;
use vision_language::checkpoint::{load_safetensors, save_safetensors};
use vision_language::config::{Config, Gpt2Config};
use vision_language::measure::train_classifier;
use vision_language::nn::Params;
use vision_language::pretrain::{
    LmReport, PretrainConfig, pretrain_image, pretrain_lm, pretrain_masked, pretrain_text,
    tiny_tokenizer,
};

use super::common;
use crate::{Error, Result};

/// Make the encoders and the language model that the preset `tiny` starts from, on scenes made on the way.
#[derive(Clone, Debug, Args)]
pub struct PretrainArgs {
    /// Which of them
    which: Which,
    /// The folder of the results
    #[arg(long, default_value = "data/tiny")]
    out: PathBuf,
    /// Go on from the result of an earlier training
    #[arg(long, value_name = "FILE.safetensors")]
    start: Option<PathBuf>,
    /// Ends after this many minutes
    #[arg(long, allow_negative_numbers = true)]
    minutes: Option<f64>,
    /// Ends after this many steps
    #[arg(long, default_value_t = 10_000)]
    steps: usize,
    /// Examples in a step
    #[arg(long, default_value_t = 64)]
    batch_size: usize,
    /// The largest learning rate
    #[arg(long, default_value_t = 2e-3)]
    lr: f64,
    /// The seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Which {
    /// Names the objects of scenes
    Image,
    /// Guesses hidden words of captions
    Text,
    /// Guesses hidden words of captions and of reviews: a masked language model with its head
    Masked,
    /// Names object and ground of small pictures: the judge of generated ones
    Classifier,
    /// Writes on: captions, questions with answers, contexts of several examples
    Lm,
}

/// Does what the arguments say.
///
/// # Errors
/// When the training fails or the result cannot be written.
pub fn pretrain(args: &PretrainArgs) -> Result<()> {
    let config = Config::tiny();
    let how = PretrainConfig {
        seed: args.seed,
        batch_size: args.batch_size,
        lr: args.lr,
        steps: args.steps,
        start: args.start.as_deref().map(load_safetensors).transpose()?,
        budget: common::minutes(args.minutes)?,
    };
    std::fs::create_dir_all(&args.out).map_err(Error::io(&args.out))?;
    match args.which {
        Which::Image => {
            let (params, report) = pretrain_image(&config, &how, &mut |r| {
                eprint!("\r{:5.1} %  step {:6}  loss {:.4}", 100. * r.progress, r.step, r.loss);
                if r.named > 0. {
                    eprintln!(
                        "  named {:.3}  on the unseen style {:.3}  ground {:.3}",
                        r.named, r.named_unseen_style, r.ground
                    );
                }
            })?;
            let path = args.out.join("image_encoder.safetensors");
            save_half(&params, &path)?;
            println!(
                "{}",
                json!({"file": path, "steps": report.step, "seed": args.seed, "named": report.named, "named_unseen_style": report.named_unseen_style, "ground": report.ground})
            );
        }
        Which::Text => {
            let json_path = args.out.join("tokenizer.json");
            std::fs::write(&json_path, tiny_tokenizer()?.to_json()?)
                .map_err(Error::io(&json_path))?;
            let (params, report) = pretrain_text(&config, &how, &mut |r| {
                eprint!(
                    "\r{:5.1} %  step {:6}  loss {:.4}  right {:.3}",
                    100. * r.progress,
                    r.step,
                    r.loss,
                    r.right
                );
            })?;
            eprintln!();
            let path = args.out.join("text_encoder.safetensors");
            save_half(&params, &path)?;
            println!(
                "{}",
                json!({"file": path, "tokenizer": json_path, "steps": report.step, "seed": args.seed, "held_out_loss": report.loss, "held_out_right": report.right})
            );
        }
        Which::Masked => {
            let (model, tokenizer, report) = pretrain_masked(&config, &how, &mut |r| {
                let (done, step) = (100. * r.progress, r.step);
                eprint!("\r{done:5.1} %  step {step:6}  loss {:.4}  right {:.3}", r.loss, r.right);
            })?;
            eprintln!();
            let json_path = args.out.join("masked_tokenizer.json");
            std::fs::write(&json_path, tokenizer.to_json()?).map_err(Error::io(&json_path))?;
            let path = args.out.join("masked_lm.safetensors");
            save_half(model.params(), &path)?;
            println!(
                "{}",
                json!({"file": path, "tokenizer": json_path, "steps": report.step, "seed": args.seed, "held_out_loss": report.loss, "held_out_right": report.right})
            );
        }
        Which::Classifier => {
            let mut progress = |r: &vision_language::measure::ClassifierReport| {
                eprint!("\r{:5.1} %  step {:6}  loss {:.4}", 100. * r.progress, r.step, r.loss);
            };
            let (classifier, report) =
                train_classifier(8_000, args.steps, how.budget, args.seed, &mut progress)?;
            eprintln!();
            let path = args.out.join("classifier.safetensors");
            classifier.save(&path)?;
            println!("{}", json!({"file": path, "seed": args.seed, "report": report}));
        }
        Which::Lm => {
            let mut progress = |r: &LmReport| {
                eprint!("\r{:5.1} %  step {:6}  loss {:.4}", 100. * r.progress, r.step, r.loss);
            };
            let (model, tokenizer, report) =
                pretrain_lm(&Gpt2Config::tiny(), &how, &config.device()?, &mut progress)?;
            eprintln!();
            let json_path = args.out.join("lm_tokenizer.json");
            std::fs::write(&json_path, tokenizer.to_json()?).map_err(Error::io(&json_path))?;
            let path = args.out.join("lm.safetensors");
            save_half(model.params(), &path)?;
            println!(
                "{}",
                json!({"file": path, "tokenizer": json_path, "steps": report.step, "tokens": report.tokens, "seed": args.seed, "held_out_loss": report.loss})
            );
        }
    }
    Ok(())
}

/// Half precision halves what the library carries; the values are within a thousandth of the trained ones.
fn save_half(params: &Params, path: &Path) -> Result<()> {
    let half = |(name, tensor): (String, vision_language::prelude::Tensor)| {
        Ok((name, tensor.to_dtype(DType::F16).map_err(vision_language::Error::from)?))
    };
    let state = params.state_dict().into_iter().map(half).collect::<Result<_>>()?;
    Ok(save_safetensors(path, &state)?)
}
