//! How well a model that sees answers questions about pictures (VQA accuracy), and names what it sees in its captions.

use std::collections::BTreeMap;

use candle_core::Tensor;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Frozen;
use crate::dataset::Transform;
use crate::dataset::scenes::{Asks, HEIGHT, Question, Scene, Split, WIDTH, objects};
use crate::{Error, Result};

/// A picture, the scene that it shows, and a question about it.
#[derive(Clone, Debug)]
pub struct Example {
    /// `(3, s, s)`
    pub picture: Tensor,
    /// What it shows.
    pub scene: Scene,
    /// The question with its answer.
    pub question: Question,
}

/// `n` pictures of the split, each with a question; of the sort `asks` where that is given.
///
/// # Errors
/// When a picture cannot be transformed.
pub fn examples(
    n: usize,
    split: Split,
    asks: Option<Asks>,
    size: usize,
    seed: u64,
) -> Result<Vec<Example>> {
    examples_as(n, split, asks, &Transform::imagenet(size), seed)
}

/// As [`examples`], the pictures transformed as an encoder wants them: [`Transform::of`] its configuration.
///
/// # Errors
/// When a picture cannot be transformed.
pub fn examples_as(
    n: usize,
    split: Split,
    asks: Option<Asks>,
    transform: &Transform,
    seed: u64,
) -> Result<Vec<Example>> {
    let one = |number: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number as u64);
        loop {
            let scene = Scene::sample(&mut rng, split);
            let asks = asks.unwrap_or_else(|| *Asks::ALL.choose(&mut rng).expect("seven"));
            if let Some(question) = scene.question(asks, &mut rng) {
                let picture = transform.apply(&scene.render(WIDTH, HEIGHT))?;
                return Ok(Example { picture, scene, question });
            }
        }
    };
    (0..n).into_par_iter().map(one).collect()
}

/// Right answers, in all and by the sort of question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VqaScore {
    /// Questions that were asked.
    pub asked: usize,
    /// Answers that are word for word the expected one.
    pub right: usize,
    /// The same by the sort of question: right, asked.
    pub by_sort: BTreeMap<String, (usize, usize)>,
}

impl VqaScore {
    /// The share of right answers.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.asked.max(1) as f64
    }
}

/// `<image>question: how many dogs are there? answer:`, and the answer where it is known.
fn prompt(example: &Example, answered: bool) -> String {
    let Question { question, answer, .. } = &example.question;
    let end = if answered { format!(" {answer}.\n") } else { String::new() };
    format!("{}question: {question} answer:{end}", Frozen::IMAGE)
}

/// Asks every question after `shots` examples of the same sort with their answers, drawn from `support` by the seed.
///
/// # Errors
/// When `support` lacks a sort of question, or the prompts are too long.
pub fn vqa(
    model: &Frozen,
    test: &[Example],
    support: &[Example],
    shots: usize,
    seed: u64,
) -> Result<VqaScore> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut prompts, mut pictures) = (Vec::new(), Vec::new());
    for example in test {
        let asks = example.question.asks;
        let same: Vec<&Example> = support.iter().filter(|e| e.question.asks == asks).collect();
        let drawn: Vec<&&Example> = same.choose_multiple(&mut rng, shots).collect();
        if drawn.len() < shots {
            let expected = format!("{shots} examples of the sort {asks:?}");
            return Err(Error::value("vqa, support", expected, drawn.len()));
        }
        let mut text = String::new();
        for shot in drawn {
            text += &prompt(shot, true);
            pictures.push(shot.picture.clone());
        }
        prompts.push(text + &prompt(example, false));
        pictures.push(example.picture.clone());
    }
    let answers = model.answers(&prompts, &Tensor::stack(&pictures, 0)?)?;
    let mut score = VqaScore::default();
    for (example, answer) in test.iter().zip(answers) {
        let right = usize::from(answer == example.question.answer);
        let sort = format!("{:?}", example.question.asks).to_lowercase();
        let of_sort = score.by_sort.entry(sort).or_default();
        *of_sort = (of_sort.0 + right, of_sort.1 + 1);
        score.right += right;
        score.asked += 1;
    }
    Ok(score)
}

/// The captions of the examples' pictures, and the share that names the scene's main object, its first kind.
///
/// # Errors
/// As [`Frozen::captions`].
pub fn caption_score(model: &Frozen, test: &[Example]) -> Result<(Vec<String>, f64)> {
    let pictures: Vec<Tensor> = test.iter().map(|e| e.picture.clone()).collect();
    let captions = model.captions(&Tensor::stack(&pictures, 0)?)?;
    let named = test.iter().zip(&captions).filter(|(e, caption)| names_main(&e.scene, caption));
    let share = named.count() as f64 / test.len().max(1) as f64;
    Ok((captions, share))
}

/// Whether a caption holds the name of the first kind, whole words, singular or plural.
fn names_main(scene: &Scene, caption: &str) -> bool {
    let Some(kind) = scene.kinds.first() else { return false };
    let info = &objects()[kind.object];
    let words = format!(" {} ", caption.replace(',', " "));
    [&info.name, &info.plural].into_iter().any(|name| words.contains(&format!(" {name} ")))
}
