//! Questions about a scene, with the answer that its ground truth gives: for text that a language model learns from, and to
//! measure how well one answers about pictures.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::captions::{NUMBERS, at, counted, list};
use super::{Kind, Relation, Scene, objects};

/// What a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asks {
    /// How many of a kind there are: `two`.
    Count,
    /// Where a kind is: `on the grass`.
    Place,
    /// Whether a kind is there: `yes` as often as `no`.
    Presence,
    /// Which colour a kind has: `red`.
    Colour,
    /// What stands on a side of a kind: `two cats`.
    Side,
    /// What there is: `a dog and two cats`.
    Things,
    /// What sort of thing the only kind is: `an animal`. The picture does not say that: it must be known.
    Category,
}

impl Asks {
    /// All seven.
    pub const ALL: [Self; 7] = [
        Self::Count,
        Self::Place,
        Self::Presence,
        Self::Colour,
        Self::Side,
        Self::Things,
        Self::Category,
    ];
}

/// A question in plain English, lower case, and its answer, a word or a few.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What it asks for.
    pub asks: Asks,
    /// `how many dogs are there?`
    pub question: String,
    /// `two`
    pub answer: String,
}

impl Scene {
    /// One question of each sort that the scene has an answer to, in the order of [`Asks::ALL`].
    pub fn questions(&self, rng: &mut ChaCha8Rng) -> Vec<Question> {
        Asks::ALL.into_iter().filter_map(|asks| self.question(asks, rng)).collect()
    }

    /// A question of this sort, if the scene has an answer to one.
    pub fn question(&self, asks: Asks, rng: &mut ChaCha8Rng) -> Option<Question> {
        let kind = *self.kinds.choose(rng)?;
        let info = &objects()[kind.object];
        let be = |kind: Kind| if kind.count == 1 { "is" } else { "are" };
        let (question, answer) = match asks {
            Asks::Count => {
                (format!("how many {} are there?", info.plural), NUMBERS[kind.count].to_string())
            }
            Asks::Place => {
                // What flies over a place is not in it.
                let stands = |k: &&Kind| !objects()[k.object].flies_over(self.background);
                let kind = *self.kinds.iter().find(stands)?;
                let question = format!("where {} the {}?", be(kind), name(kind));
                (question, at(self.background).to_string())
            }
            Asks::Presence => {
                let there = rng.random_bool(0.5);
                let object = if there {
                    kind.object
                } else {
                    let others: Vec<usize> = (0..objects().len())
                        .filter(|o| self.kinds.iter().all(|k| k.object != *o))
                        .collect();
                    *others.choose(rng)?
                };
                let info = &objects()[object];
                let answer = if there { "yes" } else { "no" };
                (format!("is there {} {}?", info.article, info.name), answer.to_string())
            }
            Asks::Colour => {
                (format!("what colour {} the {}?", be(kind), name(kind)), info.colour.clone()?)
            }
            Asks::Side => {
                let [first, second] = self.kinds.as_slice() else { return None };
                let relation = self.relation?;
                let (answer, of, relation) = match rng.random_bool(0.5) {
                    true => (first, second, relation),
                    false => (second, first, relation.inverse()),
                };
                let words = match relation {
                    Relation::LeftOf => "left of",
                    Relation::RightOf => "right of",
                    Relation::Above => "above",
                    Relation::Below => "below",
                };
                let of = name(*of);
                (format!("what is {words} the {of}?"), counted(*answer))
            }
            Asks::Things => {
                let nouns: Vec<String> = self.kinds.iter().map(|k| counted(*k)).collect();
                ("what is in the picture?".to_string(), list(&nouns))
            }
            Asks::Category => {
                let [only] = self.kinds.as_slice() else { return None };
                let answer = category(only.object)?;
                ("what kind of thing is this?".to_string(), answer.to_string())
            }
        };
        Some(Question { asks, question, answer })
    }
}

/// `dog`, `dogs`.
fn name(kind: Kind) -> &'static str {
    let info = &objects()[kind.object];
    if kind.count == 1 { &info.name } else { &info.plural }
}

/// `an animal`: what sort of thing an object is, in words that fit every object of its category.
pub fn category(object: usize) -> Option<&'static str> {
    Some(match objects()[object].category.as_str() {
        "animal" => "an animal",
        "food" => "food",
        "vehicle" => "a vehicle",
        "plant" => "a plant",
        "clothing" => "clothing",
        "music" => "an instrument",
        "toy" => "a toy",
        "building" => "a building",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::super::{Background, Placed, Split, Style};
    use super::*;

    fn scene(kinds: &[(&str, usize)], relation: Option<Relation>) -> Scene {
        let kind = |(name, count): &(&str, usize)| Kind {
            object: objects().iter().position(|o| o.name == *name).expect(name),
            count: *count,
        };
        Scene {
            style: Style::Noto,
            background: Background::Grass,
            kinds: kinds.iter().map(kind).collect(),
            relation,
            objects: Vec::<Placed>::new(),
            horizon: 100.,
            light: 1.,
            paint: 0,
        }
    }

    fn ask(scene: &Scene, asks: Asks, seed: u64) -> Option<(String, String)> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        scene.question(asks, &mut rng).map(|q| (q.question, q.answer))
    }

    fn says(question: &str, answer: &str) -> Option<(String, String)> {
        Some((question.into(), answer.into()))
    }

    #[test]
    fn answers_are_those_of_the_scene() {
        let dogs = scene(&[("dog", 2)], None);
        assert_eq!(ask(&dogs, Asks::Count, 0), says("how many dogs are there?", "two"));
        assert_eq!(ask(&dogs, Asks::Place, 0), says("where are the dogs?", "on the grass"));
        assert_eq!(ask(&dogs, Asks::Things, 0), says("what is in the picture?", "two dogs"));
        assert_eq!(ask(&dogs, Asks::Category, 0), says("what kind of thing is this?", "an animal"));
        assert_eq!(ask(&dogs, Asks::Side, 0), None);
        let pair = scene(&[("dog", 1), ("cat", 2)], Some(Relation::LeftOf));
        let both = [says("what is left of the cats?", "a dog"), says("what is right of the dog?", "two cats")];
        for seed in 0..8 {
            assert!(both.contains(&ask(&pair, Asks::Side, seed)));
        }
        assert_eq!(ask(&pair, Asks::Category, 0), None);
    }

    #[test]
    fn half_of_the_answers_are_yes() {
        let dogs = scene(&[("dog", 2)], None);
        let answers: Vec<_> = (0..400).filter_map(|seed| ask(&dogs, Asks::Presence, seed)).collect();
        let yes = answers.iter().filter(|(question, answer)| {
            assert_eq!(question == "is there a dog?", answer == "yes", "{question}");
            answer == "yes"
        });
        assert!((150..250).contains(&yes.count()));
    }

    #[test]
    fn every_sort_of_question_is_asked() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut counts = std::collections::HashMap::new();
        for _ in 0..300 {
            for question in Scene::sample(&mut rng, Split::Train).questions(&mut rng) {
                *counts.entry(question.asks).or_insert(0) += 1;
                assert!(question.question.ends_with('?') && !question.answer.is_empty());
            }
        }
        assert!(Asks::ALL.iter().all(|asks| counts[asks] >= 20), "{counts:?}");
    }
}
