//! The texts that the grader draws for `prompt_template` and `few_shot_prompt`.

use std::path::Path;

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use vision_language::Result;
use vision_language::exercise::ask::Question;
use vision_language::prelude::Shot;

use super::random;

const WORDS: [&str; 12] = [
    "harbour", "seldom", "bright", "and", "Verily", "of", "copper", "walked", "7", "its", "slow",
    "quite",
];

const SLIDE: &str = "[X] Overall, it was a [Z] movie.";

fn words(random: &mut ChaCha8Rng) -> String {
    let count = random.random_range(2..6);
    let words: Vec<&str> = (0..count).filter_map(|_| WORDS.choose(random).copied()).collect();
    words.join(" ")
}

pub(super) fn prompt_template(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("prompt_template", seed);
    let mut questions = Vec::new();
    for _ in 0..3 {
        let mut marks = ["[X]", "[Z]"];
        marks.shuffle(random);
        let [a, b, c] = [(); 3].map(|()| words(random));
        let template = format!("{a} {} {b}: {} {c}", marks[0], marks[1]);
        let question = Question::new("prompt_template", "fill").word("template", template);
        questions.push(question.word("x", words(random)));
    }
    for turn in 0..4 {
        let mut answers: Vec<String> = WORDS[2..7].iter().map(ToString::to_string).collect();
        answers.push(format!("{} {}", answers[0], answers[2]));
        answers.shuffle(random);
        let before = format!("{}:", words(random));
        let right = &answers[random.random_range(0..answers.len())];
        // Every second text has another word in the slot.
        let written = if turn % 2 == 0 { right.to_uppercase() } else { format!("{right}ness") };
        let question = Question::new("prompt_template", "read")
            .word("prompt", format!("{before} [Z], {}", words(random)))
            .word("completed", format!("{before} {written}. {}", words(random)));
        questions.push(question.list("answers", &answers));
    }
    Ok(questions)
}

pub(super) fn few_shot_prompt(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("few_shot_prompt", seed);
    let mut questions = Vec::new();
    for shots in [0, 1, 4] {
        let shot = |random: &mut ChaCha8Rng| {
            Shot::text(words(random), words(random)).with_images(random.random_range(0..4))
        };
        let all: Vec<Shot> = (0..shots).map(|_| shot(random)).collect();
        let instruction = if shots == 1 { String::new() } else { words(random) };
        let query = Shot { output: None, ..shot(random) };
        questions.push(
            Question::new("few_shot_prompt", "build")
                .word("instruction", instruction)
                .word("shots", serde_json::to_string(&all)?)
                .word("query", serde_json::to_string(&query)?),
        );
    }
    Ok(questions)
}

/// The same question with every letter exchanged for another one throughout: what was equal stays equal, small letters stay
/// small, words stay as long, and the marks [X] and [Z] stay. The slide's own template stays as it is: one check is about it alone.
pub(super) fn redrawn(seed: u64, _: &Path, q: &Question) -> Result<Option<Question>> {
    let random = &mut random(&format!("{} in other letters", q.exercise), seed);
    let mut letters: Vec<u8> = (b'a'..=b'z').collect();
    letters.shuffle(random);
    let letter = |c: char| match c {
        'a'..='z' => char::from(letters[usize::from(c as u8 - b'a')]),
        'A'..='Z' => char::from(letters[usize::from(c as u8 - b'A')].to_ascii_uppercase()),
        _ => c,
    };
    let text = |text: &str| -> String {
        let pieces = text.split_inclusive(']').map(|piece| {
            let mark = ["[X]", "[Z]"].into_iter().find(|mark| piece.ends_with(mark)).unwrap_or("");
            let words = piece.strip_suffix(mark).unwrap_or(piece);
            words.chars().map(letter).collect::<String>() + mark
        });
        pieces.collect()
    };
    let mut other = q.clone();
    for (name, word) in &mut other.words {
        *word = match name.as_str() {
            "shots" | "query" | "answers" => {
                let mut json: Value = serde_json::from_str(word)?;
                in_json(&mut json, &text);
                json.to_string()
            }
            "template" if word == SLIDE => continue,
            _ => text(word),
        };
    }
    Ok(Some(other))
}

fn in_json(json: &mut Value, text: &dyn Fn(&str) -> String) {
    match json {
        Value::String(word) => *word = text(word),
        Value::Array(all) => all.iter_mut().for_each(|one| in_json(one, text)),
        Value::Object(fields) => fields.values_mut().for_each(|one| in_json(one, text)),
        _ => {}
    }
}
