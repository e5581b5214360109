//! ROUGE-L (Lin 2004): the longest common subsequence.

use super::{Judged, wants_references};
use crate::Result;

/// How much more recall weighs than precision: `pycocoevalcap`'s.
const BETA: f64 = 1.2;

/// The mean, and each caption's own: `(1 + β²) P R / (R + β² P)`, P the best share of the caption, R the best share of a
/// reference that their longest common subsequence covers.
///
/// # Errors
/// When there is no caption, or one has no reference.
pub fn rouge_l(all: &[Judged]) -> Result<(f64, Vec<f64>)> {
    wants_references(all)?;
    let one = |one: &Judged| {
        let (mut precision, mut recall) = (0f64, 0f64);
        for reference in &one.references {
            let common = common_subsequence(&one.candidate, reference) as f64;
            precision = precision.max(common / one.candidate.len().max(1) as f64);
            recall = recall.max(common / reference.len().max(1) as f64);
        }
        if precision == 0. || recall == 0. {
            return 0.;
        }
        (1. + BETA * BETA) * precision * recall / (recall + BETA * BETA * precision)
    };
    let each: Vec<f64> = all.iter().map(one).collect();
    Ok((each.iter().sum::<f64>() / each.len() as f64, each))
}

/// The length of the longest common subsequence: words in the same order, with others between them.
fn common_subsequence(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0; b.len() + 1];
    for word in a {
        let mut diagonal = 0;
        for (j, other) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if word == other { diagonal + 1 } else { above.max(row[j]) };
            diagonal = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::super::caption_words;
    use super::*;

    #[test]
    fn words_between_do_not_matter() {
        let lcs = |a: &str, b: &str| common_subsequence(&caption_words(a), &caption_words(b));
        assert_eq!(lcs("a dog on the grass", "a big dog sits on grass"), 4);
        assert_eq!(lcs("a b c", "c b a"), 1);
        assert_eq!(lcs("", "a"), 0);
    }
}
