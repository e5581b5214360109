//! BLEU, ROUGE-L and CIDEr-D against pycocoevalcap's: `tests/golden/metrics.py`.

use serde::Deserialize;
use vision_language::language_model::metrics::{Judged, bleu, caption_scores, cider_d, rouge_l};

#[derive(Deserialize)]
struct Set {
    candidates: Vec<String>,
    references: Vec<Vec<String>>,
    bleu: Vec<f64>,
    rouge_l: f64,
    rouge_l_each: Vec<f64>,
    cider_d: f64,
    cider_d_each: Vec<f64>,
}

/// Both sides are f64; sums run in another order.
const TOLERANCE: f64 = 1e-12;

fn near(what: &str, got: &[f64], right: &[f64]) {
    assert_eq!(got.len(), right.len(), "{what}");
    for (got, right) in got.iter().zip(right) {
        assert!((got - right).abs() <= TOLERANCE * (1. + right.abs()), "{what}: {got} {right}");
    }
}

#[test]
fn the_figures_are_pycocoevalcaps() {
    let sets: std::collections::BTreeMap<String, Set> =
        serde_json::from_str(include_str!("golden/metrics.json")).unwrap();
    assert!(sets.len() >= 5);
    for (name, set) in sets {
        let pairs = set.candidates.iter().zip(&set.references);
        let all: Vec<Judged> = pairs.map(|(c, r)| Judged::new(c, r)).collect();
        near(&format!("{name}: BLEU"), &bleu(&all).unwrap(), &set.bleu);
        let (mean, each) = rouge_l(&all).unwrap();
        near(&format!("{name}: ROUGE-L"), &each, &set.rouge_l_each);
        near(&format!("{name}: ROUGE-L"), &[mean], &[set.rouge_l]);
        let (mean, each) = cider_d(&all).unwrap();
        near(&format!("{name}: CIDEr-D"), &each, &set.cider_d_each);
        near(&format!("{name}: CIDEr-D"), &[mean], &[set.cider_d]);
        let scores = caption_scores(&all).unwrap();
        assert_eq!((scores.bleu_4, scores.cider_d), (bleu(&all).unwrap()[3], mean));
    }
}
