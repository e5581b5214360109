//! How good captions and answers are, by the field's definitions.
//!
//! | measure | paper | a caption is good when |
//! |---|---|---|
//! | [`bleu`] | Papineni et al. 2002 | its runs of one to four words stand in a reference |
//! | [`rouge_l`] | Lin 2004 | it has a long subsequence in common with a reference |
//! | [`cider_d`] | Vedantam et al. 2015 (arXiv:1411.5726) | it has *rare* runs of words in common with all references |
//! | [`vqa_accuracy`] | Antol et al. 2015 (arXiv:1505.00468) | of ten people three gave the same answer |
//!
//! The three of captions agree with `pycocoevalcap` on texts that are cut into words already; its own cutting, a Java program,
//! is not here: [`caption_words`] makes small letters and drops punctuation, which does the same for plain captions.

mod bleu;
mod cider;
mod rouge;
mod vqa;

use std::collections::BTreeMap;

pub use bleu::bleu;
pub use cider::cider_d;
pub use rouge::rouge_l;
pub use vqa::{exact_match, normalize_answer, vqa_accuracy};

use crate::{Error, Result};

/// A caption with its references, cut into words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// What was written.
    pub candidate: Vec<String>,
    /// What people wrote about the same picture: at least one.
    pub references: Vec<Vec<String>>,
}

impl Judged {
    /// A caption with its references as texts.
    pub fn new<S: AsRef<str>>(candidate: &str, references: &[S]) -> Self {
        Self {
            candidate: caption_words(candidate),
            references: references.iter().map(|r| caption_words(r.as_ref())).collect(),
        }
    }
}

/// What the four captions' measures say of a set of captions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CaptionScores {
    /// BLEU with runs of up to four words, 0 to 1.
    pub bleu_4: f64,
    /// ROUGE-L, 0 to 1.
    pub rouge_l: f64,
    /// CIDEr-D, 0 to 10; its runs of words are weighed by how rare they are in *these* references.
    pub cider_d: f64,
}

/// BLEU-4, ROUGE-L and CIDEr-D of a set of captions.
///
/// # Errors
/// When there is no caption, or one has no reference.
pub fn caption_scores(all: &[Judged]) -> Result<CaptionScores> {
    Ok(CaptionScores { bleu_4: bleu(all)?[3], rouge_l: rouge_l(all)?.0, cider_d: cider_d(all)?.0 })
}

/// The words of a caption: small letters, without punctuation. `A dog's toy, red.` → `a dog 's toy red`.
pub fn caption_words(text: &str) -> Vec<String> {
    let small = text.to_lowercase().replace('\u{2019}', "'").replace("'s", " 's");
    let kept = |c: &char| c.is_alphanumeric() || c.is_whitespace() || *c == '\'' || *c == '-';
    let bare: String = small.chars().map(|c| if kept(&c) { c } else { ' ' }).collect();
    bare.split_whitespace().map(str::to_string).collect()
}

/// A run of words.
type Run<'a> = &'a [String];

/// How often each run of `n` words stands in a text.
fn runs(words: &[String], n: usize) -> BTreeMap<Run<'_>, f64> {
    let mut counts = BTreeMap::new();
    for run in words.windows(n) {
        *counts.entry(run).or_insert(0.) += 1.;
    }
    counts
}

fn wants_references(all: &[Judged]) -> Result<()> {
    if all.is_empty() {
        return Err(Error::value("captions to score", "at least one", "none"));
    }
    match all.iter().position(|one| one.references.is_empty()) {
        None => Ok(()),
        Some(at) => Err(Error::value(format!("caption {at}"), "at least one reference", "none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caption_is_cut_into_words() {
        assert_eq!(caption_words("A dog's toy, RED!").join(" "), "a dog 's toy red");
        assert!(caption_words(" . ").is_empty());
    }

    #[test]
    fn what_cannot_be_judged_is_an_error() {
        assert!(caption_scores(&[]).is_err());
        let alone = Judged { candidate: caption_words("a dog"), references: Vec::new() };
        let error = caption_scores(&[alone]).unwrap_err().to_string();
        assert!(error.contains("caption 0"), "{error}");
    }
}
