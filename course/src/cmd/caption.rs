//! `vl caption` and `vl ask`: what Frozen writes about a picture.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use vision_language::candle_core::Tensor;
use vision_language::dataset::Transform;
use vision_language::dataset::scenes::{Asks, Split};
use vision_language::frozen::{Frozen, examples_as};

use crate::holes::Holes;
use crate::{Error, Result};

/// Describe a picture in a sentence.
#[derive(Clone, Debug, Args)]
pub struct CaptionArgs {
    /// The picture
    image: PathBuf,
    #[command(flatten)]
    pub(crate) model: Which,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Answer a question about a picture.
#[derive(Clone, Debug, Args)]
pub struct AskArgs {
    /// The picture
    image: PathBuf,
    /// The question: "how many dogs are there?"
    question: String,
    /// Examples with their answers before the question
    #[arg(long, default_value_t = 0)]
    shots: usize,
    /// The seed of the examples
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    pub(crate) model: Which,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Which Frozen writes.
#[derive(Clone, Debug, Args)]
pub struct Which {
    /// A checkpoint of `cargo vl frozen`; without it, the model that travels with the library
    #[arg(long)]
    pub checkpoint: Option<PathBuf>,
    /// The folder of its preset's model files, as `vl fetch --out` makes it [default: the model hub's cache]
    #[arg(long, requires = "checkpoint")]
    pub models: Option<PathBuf>,
}

impl Which {
    fn open(&self, holes: Option<&Holes>) -> Result<Frozen> {
        match (&self.checkpoint, holes) {
            (Some(path), Some(holes)) => {
                Ok(Frozen::load_with(path, self.models.as_deref(), holes.frozen)?)
            }
            _ => Ok(Frozen::shipped()?),
        }
    }
}

fn picture(model: &Frozen, path: &Path) -> Result<Tensor> {
    Ok(Transform::of(&model.config().base).load(path, 0)?)
}

/// Does what the arguments say. A checkpoint wants the exercises' code, `holes`.
///
/// # Errors
/// When the picture or the checkpoint cannot be read.
pub fn caption(args: &CaptionArgs, holes: Option<&Holes>) -> Result<()> {
    let model = args.model.open(holes)?;
    let pictures = picture(&model, &args.image)?.unsqueeze(0);
    let captions = model.captions(&pictures.map_err(vision_language::Error::from)?)?;
    if args.json {
        println!("{}", json!({"image": args.image, "caption": captions[0]}));
    } else {
        println!("{}", captions[0]);
    }
    Ok(())
}

/// Does what the arguments say. A checkpoint wants the exercises' code, `holes`.
///
/// # Errors
/// When the picture or the checkpoint cannot be read, or the examples are too many for the language model.
pub fn ask(args: &AskArgs, holes: Option<&Holes>) -> Result<()> {
    let question = args.question.trim().to_lowercase();
    if question.is_empty() {
        return Err(Error::Usage(
            "the question is empty: ask, as in \"how many dogs are there?\"".into(),
        ));
    }
    let question = format!("{}?", question.trim_end_matches('?'));
    let model = args.model.open(holes)?;
    let sort = sort_of(&question);
    let shots = examples_as(
        args.shots,
        Split::Train,
        Some(sort),
        &Transform::of(&model.config().base),
        args.seed,
    )?;
    let mut prompt = String::new();
    let mut pictures = Vec::new();
    for shot in &shots {
        let (question, answer) = (&shot.question.question, &shot.question.answer);
        prompt += &format!("{}question: {question} answer: {answer}.\n", Frozen::IMAGE);
        pictures.push(shot.picture.clone());
    }
    prompt += &format!("{}question: {question} answer:", Frozen::IMAGE);
    pictures.push(picture(&model, &args.image)?);
    let pictures = Tensor::stack(&pictures, 0).map_err(vision_language::Error::from)?;
    let answer = model.answers(&[prompt], &pictures)?.remove(0);
    if args.json {
        println!(
            "{}",
            json!({"image": args.image, "question": question, "answer": answer, "shots": args.shots})
        );
    } else {
        println!("{answer}");
    }
    Ok(())
}

/// Of which sort examples should be that go before a question.
fn sort_of(question: &str) -> Asks {
    let has = |words: &[&str]| words.iter().any(|word| question.contains(word));
    match () {
        () if has(&["how many"]) => Asks::Count,
        () if has(&["where"]) => Asks::Place,
        () if has(&["is there", "are there"]) => Asks::Presence,
        () if has(&["colour", "color"]) => Asks::Colour,
        () if has(&["left of", "right of", "above", "below"]) => Asks::Side,
        () if has(&["kind of thing"]) => Asks::Category,
        () => Asks::Things,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_of_the_questions_sort() {
        assert_eq!(sort_of("how many dogs are there?"), Asks::Count);
        assert_eq!(sort_of("is there a dog?"), Asks::Presence);
        assert_eq!(sort_of("what is left of the dog?"), Asks::Side);
        assert_eq!(sort_of("what is in the picture?"), Asks::Things);
    }
}
