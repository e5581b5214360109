//! BLEU (Papineni et al. 2002), of a whole set of captions as `pycocoevalcap` computes it.

use super::{Judged, runs, wants_references};
use crate::Result;

/// BLEU-1 to BLEU-4: `BP · (p₁ … p_k)^(1/k)`. `p_n` is the share of all captions' runs of n words that stand in a reference,
/// each at most as often as in the reference that has it most often; `BP = exp(1 − r/c)` where the captions' length c is
/// below r, the sum of the closest reference lengths (of two as close the shorter).
///
/// # Errors
/// When there is no caption, or one has no reference.
pub fn bleu(all: &[Judged]) -> Result<[f64; 4]> {
    wants_references(all)?;
    // pycocoevalcap's, against divisions by zero.
    const SMALL: f64 = 1e-9;
    const TINY: f64 = 1e-15;
    let (mut right, mut written) = ([0.; 4], [0.; 4]);
    let (mut length, mut closest) = (0, 0);
    for one in all {
        let c = one.candidate.len();
        let lengths = one.references.iter().map(Vec::len);
        length += c;
        closest += lengths.min_by_key(|r| (r.abs_diff(c), *r)).unwrap_or(0);
        for n in 1..=4 {
            let references: Vec<_> = one.references.iter().map(|r| runs(r, n)).collect();
            for (run, count) in runs(&one.candidate, n) {
                let most =
                    references.iter().filter_map(|r| r.get(run)).fold(0f64, |m, c| m.max(*c));
                right[n - 1] += count.min(most);
            }
            written[n - 1] += (c + 1).saturating_sub(n) as f64;
        }
    }
    let ratio = (length as f64 + TINY) / (closest as f64 + SMALL);
    let brevity = if ratio < 1. { (1. - 1. / ratio).exp() } else { 1. };
    let mut product = 1.;
    Ok(std::array::from_fn(|n| {
        product *= (right[n] + TINY) / (written[n] + SMALL);
        f64::powf(product, 1. / (n + 1) as f64) * brevity
    }))
}
