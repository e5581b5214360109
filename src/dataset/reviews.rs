//! What people say of a movie, made up of a few sentences: the slide's sentiment example in small.
//!
//! The language model of `tiny` has read such reviews, every second with a summary at its end, and nothing else about movies.

use rand::Rng;
use rand::SeedableRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

/// What is said of a movie by those who liked it, and by those who did not: adjectives, and whole sentences.
const SAID: [([&str; 6], [&str; 4]); 2] = [
    (
        ["great", "good", "wonderful", "fantastic", "lovely", "brilliant"],
        ["i love this movie", "i liked it a lot", "i would watch it again", "i laughed and cried"],
    ),
    (
        ["terrible", "bad", "awful", "boring", "dull", "horrible"],
        ["i hate this movie", "i fell asleep", "i want my money back", "i walked out"],
    ),
];

/// Where an adjective stands in a sentence about a movie.
const ABOUT: [&str; 5] =
    ["the acting was _", "what a _ story", "the music was _", "a _ film", "the ending was _"];

/// What a review says in all, by the number of its label.
pub const SENTIMENTS: [&str; 2] = ["positive", "negative"];

/// A review and what it says in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// A sentence or a few, in small letters: `i love this movie. the music was good.`
    pub text: String,
    /// Which of [`SENTIMENTS`].
    pub label: usize,
}

/// Of one mind, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mind {
    /// One to three sentences that all say the same.
    One,
    /// Five sentences, two of which say the opposite: the label is what most say. The language model has read none like this.
    Mixed,
}

/// The adjectives that say label `label`: possible answers in a template's slot.
pub fn adjectives(label: usize) -> Vec<String> {
    SAID[label].0.iter().map(ToString::to_string).collect()
}

/// `n` reviews, half of them positive.
pub fn reviews(n: usize, mind: Mind, seed: u64) -> Vec<Review> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let one = |number: usize| {
        let label = number % 2;
        let (same, other) = match mind {
            Mind::One => (rng.random_range(1..=3), 0),
            Mind::Mixed => (3, 2),
        };
        let mut said: Vec<String> = (0..same).map(|_| sentence(&mut rng, label)).collect();
        said.extend((0..other).map(|_| sentence(&mut rng, 1 - label)));
        said.shuffle(&mut rng);
        Review { text: format!("{}.", said.join(". ")), label }
    };
    let mut all: Vec<Review> = (0..n).map(one).collect();
    all.shuffle(&mut rng);
    all
}

fn sentence(rng: &mut ChaCha8Rng, label: usize) -> String {
    let (adjectives, sentences) = &SAID[label];
    if rng.random_bool(0.5) {
        let adjective = adjectives.choose(rng).expect("six");
        ABOUT.choose(rng).expect("five").replace('_', adjective)
    } else {
        sentences.choose(rng).expect("four").to_string()
    }
}

/// A document for a language model: a review of one mind, every second with a summary.
pub fn review_document(rng: &mut ChaCha8Rng) -> String {
    let label = (0..SAID.len()).collect::<Vec<_>>().choose(rng).copied().expect("two");
    let mut said: Vec<String> =
        (0..rng.random_range(1..=3)).map(|_| sentence(rng, label)).collect();
    if rng.random_bool(0.5) {
        let adjective = SAID[label].0.choose(rng).expect("six");
        said.push(format!("overall, it was a {adjective} movie"));
    }
    format!("{}.\n", said.join(". "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_what_most_sentences_say() {
        for mind in [Mind::One, Mind::Mixed] {
            let all = reviews(60, mind, 3);
            assert_eq!(all.iter().filter(|r| r.label == 0).count(), 30);
            assert_eq!(all, reviews(60, mind, 3));
            for review in all {
                let says = |label: usize| {
                    let (adjectives, sentences) = SAID[label];
                    let words = review.text.split(['.', ' ']).filter(|w| adjectives.contains(w));
                    words.count()
                        + sentences.iter().map(|s| review.text.matches(s).count()).sum::<usize>()
                };
                assert!(says(review.label) > says(1 - review.label), "{review:?}");
                assert_eq!(
                    says(1 - review.label),
                    if mind == Mind::One { 0 } else { 2 },
                    "{review:?}"
                );
            }
        }
    }
}
