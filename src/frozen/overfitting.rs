//! A training that overfits, epoch by epoch: the figures for the slide's question on early stopping.

/// One epoch of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochScores {
    /// From 1.
    pub epoch: usize,
    /// Perplexity a token of the training captions.
    pub train_perplexity: f64,
    /// The same of captions that it does not train on.
    pub valid_perplexity: f64,
    /// Of the captions that it writes about held-out pictures, how many name the main object.
    pub main_object: f64,
    /// Right answers to questions about the same pictures, without examples.
    pub vqa: f64,
}

const MEASURED: &str = include_str!("../../data/tiny/early_stopping.csv");

/// What `cargo vl frozen --images … --curve FILE` measured, as `data/tiny/README.md` says: Frozen on so few pictures that its vision
/// encoder learns them by heart.
pub fn overfitting() -> Vec<EpochScores> {
    MEASURED.lines().skip(1).filter_map(read).collect()
}

fn read(line: &str) -> Option<EpochScores> {
    let (epoch, rest) = line.split_once(',')?;
    let numbers: Vec<f64> =
        rest.split(',').map(|n| n.trim().parse().ok()).collect::<Option<_>>()?;
    let [train_perplexity, valid_perplexity, main_object, vqa] = numbers[..] else { return None };
    Some(EpochScores {
        epoch: epoch.parse().ok()?,
        train_perplexity,
        valid_perplexity,
        main_object,
        vqa,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No row is lost on the way, and the training did overfit: else the question has no answer.
    #[test]
    fn it_overfits() {
        let epochs = overfitting();
        assert_eq!(epochs.len(), MEASURED.lines().count() - 1);
        assert!(epochs.iter().enumerate().all(|(i, e)| e.epoch == i + 1));
        let best = epochs.iter().map(|e| e.valid_perplexity).fold(f64::INFINITY, f64::min);
        let last = epochs[epochs.len() - 1];
        assert!(last.valid_perplexity > 1.01 * best && last.train_perplexity < best);
    }
}
