//! What a model makes of scenes that it has not seen.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use vision_language::dataset::Transform;
use vision_language::dataset::scenes::{HEIGHT, Split, WIDTH};
use vision_language::display::{GridItem, Picture, image_grid};
use vision_language::frozen::{Example, Frozen, VqaScore, caption_score, examples_as, vqa};

use crate::Result;

/// The numbers of examples before a question.
pub(super) const SHOTS: [usize; 3] = [0, 1, 4];

/// Held-out scenes with a question each, and others to take examples from.
pub(super) struct Held {
    test: Vec<Example>,
    support: Vec<Example>,
    seed: u64,
}

/// How good a model is.
pub(super) struct Scores {
    /// Of the captions, how many name the main object.
    pub named: f64,
    /// Right answers, for each number of examples.
    pub vqa: Vec<VqaScore>,
    shots: Vec<usize>,
    captions: Vec<String>,
}

impl Held {
    /// `n` scenes, their pictures as `transform` makes them.
    pub fn new(n: usize, seed: u64, transform: &Transform) -> Result<Self> {
        Ok(Self {
            test: examples_as(n, Split::Valid, None, transform, seed)?,
            support: examples_as(200, Split::Train, None, transform, seed.wrapping_add(1))?,
            seed,
        })
    }

    pub fn score(&self, model: &Frozen, shots: &[usize]) -> Result<Scores> {
        let (captions, named) = caption_score(model, &self.test)?;
        let answer = |shots: &usize| {
            Ok(vqa(model, &self.test, &self.support, *shots, self.seed.wrapping_add(2))?)
        };
        let vqa = shots.iter().map(answer).collect::<Result<Vec<_>>>()?;
        Ok(Scores { named, vqa, shots: shots.to_vec(), captions })
    }

    /// The first `n` pictures, each over what the model writes about it and its fullest true caption.
    pub fn sheet(&self, scores: &Scores, n: usize, columns: usize) -> Result<Picture> {
        let items = self.test.iter().zip(&scores.captions).take(n).map(|(example, written)| {
            let picture = example.scene.render(WIDTH, HEIGHT);
            let [truth, ..] = example.scene.captions(&mut ChaCha8Rng::seed_from_u64(0));
            GridItem::new(picture, format!("{written}\n{truth}"))
        });
        Ok(image_grid(&items.collect::<Vec<_>>(), columns)?)
    }
}

impl Scores {
    pub fn json(&self) -> Value {
        let mut answers = serde_json::Map::new();
        for (shots, found) in self.shots.iter().zip(&self.vqa) {
            let sorts: serde_json::Map<String, Value> = found
                .by_sort
                .iter()
                .map(|(sort, (right, asked))| (sort.clone(), json!(format!("{right}/{asked}"))))
                .collect();
            answers.insert(
                format!("{shots} shots"),
                json!({"accuracy": found.accuracy(), "sorts": sorts}),
            );
        }
        let some: Vec<&String> = self.captions.iter().take(5).collect();
        json!({"names_main_object": self.named, "vqa": answers, "captions": some})
    }
}
