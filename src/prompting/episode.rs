//! Tasks with examples in the prompt: made-up names for what is shown, and questions of one sort.

use std::collections::BTreeMap;

use candle_core::Tensor;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Shot;
use crate::dataset::Transform;
use crate::dataset::scenes::{HEIGHT, MADE_UP, Scene, Split, WIDTH};
use crate::frozen::Example;
use crate::{Error, Result};

/// A few examples, a query, and what may be answered.
#[derive(Clone, Debug)]
pub struct Episode {
    /// The examples, in the order in which they stand.
    pub shots: Vec<Shot>,
    /// What is asked, with the right answer as its output.
    pub query: Shot,
    /// A query that says nothing, to calibrate against.
    pub nothing: Shot,
    /// The possible answers.
    pub candidates: Vec<String>,
    /// Which of them is right.
    pub answer: usize,
    /// Each `(3, s, s)`: those of the first example first, the query's last. None where the examples are words alone.
    pub pictures: Vec<Tensor>,
}

/// What a made-up name is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// A caption.
    Words,
    /// A picture of this side.
    Pictures(usize),
}

/// The lecture's last picture, (c): few-shot classification with made-up words. `ways` objects get a name each, every name is
/// given `repeats` times with another scene, and one of the objects is asked for in yet another: `n` episodes of the split.
///
/// # Errors
/// When there are fewer than two ways or more than twelve, or a picture cannot be transformed.
pub fn name_episodes(
    n: usize,
    (ways, repeats): (usize, usize),
    shows: Shows,
    split: Split,
    seed: u64,
) -> Result<Vec<Episode>> {
    if !(2..=MADE_UP.len()).contains(&ways) {
        return Err(Error::value("name_episodes, ways", "2 to 12", ways));
    }
    let pool = pool(split, seed);
    let rich: Vec<&Vec<Scene>> = pool.values().filter(|scenes| scenes.len() > repeats).collect();
    if rich.len() < ways {
        return Err(Error::value("name_episodes, repeats", "fewer", repeats));
    }
    let one = |number: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number as u64);
        let rng = &mut rng;
        let mut names = MADE_UP;
        names.shuffle(rng);
        // Each object with as many scenes as it is shown in, all of them different.
        let scenes: Vec<Vec<&Scene>> = rich
            .choose_multiple(rng, ways)
            .map(|scenes| scenes.choose_multiple(rng, repeats + 1).collect())
            .collect();
        let mut pictures = Vec::new();
        let mut shot = |which: usize, turn: usize, rng: &mut ChaCha8Rng| -> Result<Shot> {
            let scene = scenes[which][turn];
            let output = format!("{}.", names[which]);
            Ok(match shows {
                Shows::Words => Shot::text(format!("{}.\n{NAMED}", scene.captions(rng)[2]), output),
                Shows::Pictures(size) => {
                    let picture = scene.render(WIDTH, HEIGHT);
                    pictures.push(Transform::imagenet(size).apply(&picture)?);
                    Shot::text(NAMED, output).with_images(1)
                }
            })
        };
        let mut shots = Vec::new();
        for turn in 0..repeats {
            let mut order: Vec<usize> = (0..ways).collect();
            order.shuffle(rng);
            for which in order {
                shots.push(shot(which, turn, rng)?);
            }
        }
        let answer = rng.random_range(0..ways);
        let query = shot(answer, repeats, rng)?;
        let candidates = names[..ways].iter().map(ToString::to_string).collect();
        Ok(Episode { shots, query, nothing: Shot::query(NAMED), candidates, answer, pictures })
    };
    (0..n).into_par_iter().map(one).collect()
}

/// Scenes of one kind each, by their object.
fn pool(split: Split, seed: u64) -> BTreeMap<usize, Vec<Scene>> {
    /// About twenty of each object.
    const SCENES: u64 = 6000;
    let sample = |number: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x706f_6f6c);
        rng.set_stream(number);
        Scene::sample(&mut rng, split)
    };
    let scenes: Vec<Scene> = (0..SCENES).into_par_iter().map(sample).collect();
    let mut pool: BTreeMap<usize, Vec<Scene>> = BTreeMap::new();
    for scene in scenes.into_iter().filter(|scene| scene.kinds.len() == 1) {
        pool.entry(scene.kinds[0].object).or_default().push(scene);
    }
    pool
}

/// What stands before a made-up name.
const NAMED: &str = "this is a";

/// Questions about scenes, each after `shots` examples of the same sort with their answers, drawn from `support` by the seed
/// ([`frozen::examples`](crate::frozen::examples)). What is asked about is shown, or told by the scene's fullest caption. The
/// candidates are all answers that a question of the sort has here.
///
/// # Errors
/// When `support` lacks examples of a sort.
pub fn question_episodes(
    test: &[Example],
    support: &[Example],
    shots: usize,
    shown: bool,
    seed: u64,
) -> Result<Vec<Episode>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let asked = |example: &Example, told: bool| {
        let question = &example.question;
        let input = format!("question: {} answer:", question.question);
        let output = format!("{}.", question.answer);
        if shown {
            return Shot::text(input, output).with_images(usize::from(told));
        }
        let captions = example.scene.captions(&mut ChaCha8Rng::seed_from_u64(seed));
        let caption = if told { format!("{}.\n", captions[0]) } else { String::new() };
        Shot::text(caption + &input, output)
    };
    let one = |example: &Example| {
        let asks = example.question.asks;
        let same = |e: &&Example| e.question.asks == asks;
        let pool: Vec<&Example> = support.iter().filter(same).collect();
        let drawn: Vec<&Example> = pool.choose_multiple(&mut rng, shots).copied().collect();
        if drawn.len() < shots {
            let expected = format!("{shots} examples of the sort {asks:?}");
            return Err(Error::value("question_episodes, support", expected, drawn.len()));
        }
        let answers = test.iter().chain(support).filter(same).map(|e| e.question.answer.clone());
        let mut candidates: Vec<String> = answers.collect();
        candidates.sort();
        candidates.dedup();
        let answer = candidates.iter().position(|c| *c == example.question.answer).unwrap_or(0);
        let all = drawn.iter().copied().chain([example]).map(|e| e.picture.clone());
        Ok(Episode {
            shots: drawn.iter().map(|e| asked(e, true)).collect(),
            nothing: Shot { output: None, ..asked(example, false) },
            query: asked(example, true),
            candidates,
            answer,
            pictures: if shown { all.collect() } else { Vec::new() },
        })
    };
    test.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::scenes::objects;
    use crate::frozen::examples;

    #[test]
    fn a_name_is_asked_for_that_was_given() {
        let episodes = name_episodes(20, (3, 2), Shows::Words, Split::Valid, 1).unwrap();
        for e in &episodes {
            assert_eq!((e.shots.len(), e.candidates.len(), e.pictures.len()), (6, 3, 0));
            let right = format!("{}.", e.candidates[e.answer]);
            assert_eq!(e.query.output.as_ref(), Some(&right));
            // The query shows the same object as the examples of its name, and the others' examples do not.
            let mut object = objects()
                .iter()
                .filter(|o| [&o.name, &o.plural].iter().any(|n| has(&e.query.input, n)));
            assert!(
                object.any(|o| e.shots.iter().all(|shot| {
                    let there = has(&shot.input, &o.name) || has(&shot.input, &o.plural);
                    there == (shot.output.as_ref() == Some(&right))
                })),
                "{e:?}"
            );
        }
        assert!(name_episodes(1, (1, 1), Shows::Words, Split::Valid, 1).is_err());
    }

    fn has(text: &str, name: &str) -> bool {
        format!(" {} ", text.replace(['.', ',', '\n'], " ")).contains(&format!(" {name} "))
    }

    #[test]
    fn questions_are_shown_or_told() {
        let test = examples(4, Split::Valid, None, 32, 1).unwrap();
        let support = examples(80, Split::Train, None, 32, 2).unwrap();
        for shown in [true, false] {
            for e in question_episodes(&test, &support, 2, shown, 3).unwrap() {
                let images: usize = e.shots.iter().chain([&e.query]).map(|s| s.images).sum();
                assert_eq!((e.shots.len(), e.pictures.len()), (2, images));
                assert_eq!(images, if shown { 3 } else { 0 });
                assert_eq!(e.query.input.contains(".\nquestion: "), !shown);
                assert_eq!(e.query.output, Some(format!("{}.", e.candidates[e.answer])));
                assert!(e.nothing.input.starts_with("question: ") && e.nothing.images == 0);
            }
        }
        assert!(question_episodes(&test, &support[..1], 2, true, 3).is_err());
    }
}
