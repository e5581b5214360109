//! What `tiny`'s language model reads: captions of scenes, questions about them with their answers, and contexts of several
//! examples, without which examples in a prompt could not help it.
//!
//! | share | a document |
//! |---|---|
//! | 38 % | a caption, mostly with others of the same scene: what stands before a caption says what comes |
//! | 25 % | a caption and one to three questions about it |
//! | 20 % | two to five captions with a question of the same sort each |
//! | 8 % | two to four captions, each with a made-up name for what it shows, and one of them again: `this is a dax.` |
//! | 5 % | what people say of a movie, half of them with a summary: `overall, it was a great movie.` |
//! | 4 % | what some objects are: `a dog is an animal.` |
//!
//! Where a caption stands, there may be *tags* instead, or in front of it: `grass two dogs`. A large language model has met
//! pictures' tags, titles and keywords in the texts that it has read, and goes on from them; one as small as this one has to be
//! told. It is what Frozen's prefix can speak to: it stands where tags stand, and the model has never seen a picture.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::dataset::review_document;
use crate::dataset::scenes::{Asks, Background, MADE_UP, Scene, Split, category, objects};

/// A question and its answer as they stand in a text.
pub fn question_and_answer(question: &str, answer: &str) -> String {
    format!("question: {question} answer: {answer}.\n")
}

/// Ends tags in a document: what follows is cut into tokens as at the beginning of a text, as behind `<image>`.
pub(super) const END_OF_TAGS: char = '\u{1f}';

/// What stands in the place of a picture: tags, a caption, or both.
fn seen(scene: &Scene, caption: &str, rng: &mut ChaCha8Rng) -> String {
    let tags = format!("{}{END_OF_TAGS}", scene.tags(rng));
    match rng.random_range(0..10) {
        0..5 => tags,
        5..8 => line(caption),
        _ => tags + &line(caption),
    }
}

/// `a dog on the grass.`, and a new line.
fn line(caption: &str) -> String {
    format!("{caption}.\n")
}

/// One document about scenes of the split.
pub fn document(rng: &mut ChaCha8Rng, split: Split) -> String {
    match rng.random_range(0..100) {
        0..38 => {
            let scene = Scene::sample(rng, split);
            let mut captions = scene.captions(rng);
            // Behind tags the fullest comes first, which says what they say.
            let tagged = rng.random_bool(0.6);
            let rest = usize::from(tagged && rng.random_bool(0.7));
            captions[rest..].shuffle(rng);
            let mut text = String::new();
            if tagged {
                text = format!("{}{END_OF_TAGS}", scene.tags(rng));
            }
            let captions = captions[..rng.random_range(1..=4)].iter();
            captions.fold(text, |text, caption| text + &line(caption))
        }
        38..63 => asked(rng, split),
        63..83 => same_sort(rng, split),
        83..91 => made_up(rng, split),
        91..96 => review_document(rng),
        _ => facts(rng),
    }
}

/// A caption that says everything, and questions.
fn asked(rng: &mut ChaCha8Rng, split: Split) -> String {
    let scene = Scene::sample(rng, split);
    let mut questions = scene.questions(rng);
    questions.shuffle(rng);
    questions.truncate(rng.random_range(1..=3));
    let caption = &scene.captions(rng)[0];
    let mut text = seen(&scene, caption, rng);
    for q in questions {
        text += &question_and_answer(&q.question, &q.answer);
    }
    text
}

fn same_sort(rng: &mut ChaCha8Rng, split: Split) -> String {
    let asks = *Asks::ALL.choose(rng).expect("seven");
    let mut text = String::new();
    for _ in 0..rng.random_range(2..=5) {
        let (scene, q) = loop {
            let scene = Scene::sample(rng, split);
            if let Some(question) = scene.question(asks, rng) {
                break (scene, question);
            }
        };
        let caption = &scene.captions(rng)[0];
        text += &seen(&scene, caption, rng);
        text += &question_and_answer(&q.question, &q.answer);
    }
    text
}

/// Scenes of one kind each; every name stands for an object, and the last scenes show one of them again, elsewhere and in
/// another number.
fn made_up(rng: &mut ChaCha8Rng, split: Split) -> String {
    let count = rng.random_range(2..=4);
    let mut names = MADE_UP;
    names.shuffle(rng);
    let mut text = String::new();
    let mut shown: Vec<(Scene, &str)> = Vec::new();
    while shown.len() < count {
        let scene = Scene::sample(rng, split);
        let known = |s: &Scene| s.kinds[0].object == scene.kinds[0].object;
        if scene.kinds.len() == 1 && !shown.iter().any(|(s, _)| known(s)) {
            let name = names[shown.len()];
            text += &named(&scene, name, rng);
            shown.push((scene, name));
        }
    }
    for _ in 0..rng.random_range(1..=2) {
        let (scene, name) = shown.choose(rng).expect("at least two");
        let mut again = scene.clone();
        again.background = *Background::ALL.choose(rng).expect("ten");
        again.kinds[0].count = rng.random_range(1..=4);
        text += &named(&again, name, rng);
    }
    text
}

/// `some dogs on the beach.` or `dog beach`, and `this is a dax.`
fn named(scene: &Scene, name: &str, rng: &mut ChaCha8Rng) -> String {
    let caption = &scene.captions(rng)[2];
    format!("{}this is a {name}.\n", seen(scene, caption, rng))
}

pub(super) fn facts(rng: &mut ChaCha8Rng) -> String {
    let known: Vec<usize> = (0..objects().len()).filter(|o| category(*o).is_some()).collect();
    let mut text = String::new();
    for _ in 0..rng.random_range(1..=4) {
        let object = *known.choose(rng).expect("most have a category");
        let info = &objects()[object];
        let category = category(object).unwrap_or_default();
        text += &format!("{} {} is {category}.\n", info.article, info.name);
    }
    text
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_sort_of_document_is_written() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let texts: Vec<String> = (0..400).map(|_| document(&mut rng, Split::Train)).collect();
        let holding = |what: &str| texts.iter().filter(|t| t.contains(what)).count();
        assert!(texts.iter().all(|t| t.ends_with(".\n")));
        assert!(holding("question: ") > 120 && holding("this is a ") > 20);
        assert!(
            holding(" is an animal.\n") > 3
                && holding("overall, it was a ") > 3
                && holding("answer: yes.\n") > 5
        );
        let again = document(&mut ChaCha8Rng::seed_from_u64(5), Split::Train);
        assert_eq!(again, texts[0]);
    }

    #[test]
    fn the_last_made_up_name_was_given_before() {
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        for _ in 0..50 {
            let text = made_up(&mut rng, Split::Train);
            let text = text.replace(END_OF_TAGS, "\n");
            let lines: Vec<&str> = text.lines().filter(|l| l.starts_with("this is a ")).collect();
            assert!(lines[..lines.len() - 1].contains(&lines[lines.len() - 1]), "{text}");
        }
    }
}
