//! What a model makes of scenes that it has not seen.

use serde_json::{Value, json};
use vision_language::dataset::scenes::Split;
use vision_language::frozen::{Example, Frozen, VqaScore, caption_score, examples, vqa};

use crate::Result;

/// The numbers of examples before a question.
pub(super) const SHOTS: [usize; 3] = [0, 1, 4];

/// Held-out scenes with a question each, and others to take examples from.
pub(super) struct Held {
    test: Vec<Example>,
    support: Vec<Example>,
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
    pub fn new(n: usize, size: usize) -> Result<Self> {
        Ok(Self {
            test: examples(n, Split::Valid, None, size, 7)?,
            support: examples(200, Split::Train, None, size, 8)?,
        })
    }

    pub fn score(&self, model: &Frozen, shots: &[usize]) -> Result<Scores> {
        let (captions, named) = caption_score(model, &self.test)?;
        let answer = |shots: &usize| Ok(vqa(model, &self.test, &self.support, *shots, 9)?);
        let vqa = shots.iter().map(answer).collect::<Result<Vec<_>>>()?;
        Ok(Scores { named, vqa, shots: shots.to_vec(), captions })
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
