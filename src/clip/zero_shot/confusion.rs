//! Which classes are taken for which.

use candle_core::{Device, Tensor};

use super::Prediction;
use crate::display::{Picture, Table, heatmap};
use crate::{Error, Result};

/// The most classes that a picture of the matrix shows.
const MOST: usize = 40;

/// How often pictures of a class (a row) were taken for each class (a column).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    /// The classes.
    pub class_names: Vec<String>,
    /// `counts[true][said]`
    pub counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// Counts the most probable class of each picture.
    ///
    /// # Errors
    /// When there is not a label a prediction, or a label without a name.
    pub fn new(
        class_names: &[String],
        predictions: &[Prediction],
        labels: &[usize],
    ) -> Result<Self> {
        let c = class_names.len();
        let bad = labels.iter().copied().chain(predictions.iter().map(Prediction::class));
        if predictions.len() != labels.len() || bad.max().is_some_and(|label| label >= c) {
            let got = format!("{} predictions, {} labels", predictions.len(), labels.len());
            let expected = format!("a label below {c} a prediction");
            return Err(Error::value("Confusion", expected, got));
        }
        let mut counts = vec![vec![0; c]; c];
        for (prediction, label) in predictions.iter().zip(labels) {
            counts[*label][prediction.class()] += 1;
        }
        Ok(Self { class_names: class_names.to_vec(), counts })
    }

    /// The share of pictures that were recognised; 0 without pictures.
    pub fn accuracy(&self) -> f64 {
        let all: usize = self.counts.iter().flatten().sum();
        let right: usize = (0..self.counts.len()).map(|k| self.counts[k][k]).sum();
        right as f64 / all.max(1) as f64
    }

    /// The share of each class's pictures that were recognised, the worst class first; classes without pictures are
    /// left out.
    pub fn per_class(&self) -> Vec<(String, f64)> {
        let of = |k: usize| {
            let all: usize = self.counts[k].iter().sum();
            let share = self.counts[k][k] as f64 / all as f64;
            (all > 0).then(|| (self.class_names[k].clone(), share))
        };
        let mut shares: Vec<_> = (0..self.counts.len()).filter_map(of).collect();
        shares.sort_by(|a, b| a.1.total_cmp(&b.1));
        shares
    }

    /// The `n` most frequent mistakes: the class, what it was taken for, how often.
    pub fn mistakes(&self, n: usize) -> Table {
        let c = self.counts.len();
        let pairs = (0..c).flat_map(|k| (0..c).map(move |l| (k, l))).filter(|(k, l)| k != l);
        let mut pairs: Vec<_> = pairs.filter(|(k, l)| self.counts[*k][*l] > 0).collect();
        pairs.sort_by_key(|(k, l)| std::cmp::Reverse(self.counts[*k][*l]));
        let table = Table::new(["a picture of", "was taken for", "times", "of"]);
        pairs.iter().take(n).fold(table, |table, &(k, l)| {
            let of: usize = self.counts[k].iter().sum();
            let [k_name, l_name] = [k, l].map(|at| self.class_names[at].clone());
            table.row([k_name, l_name, self.counts[k][l].to_string(), of.to_string()])
        })
    }

    /// The matrix as colours, each row's shares; of more than 40 classes, the 40 that are recognised worst.
    ///
    /// # Errors
    /// When there is no picture to count.
    pub fn picture(&self) -> Result<Picture> {
        let share = |k: usize, l: usize| {
            let all: usize = self.counts[k].iter().sum();
            self.counts[k][l] as f64 / all.max(1) as f64
        };
        let mut shown: Vec<usize> = (0..self.counts.len()).collect();
        if shown.len() > MOST {
            shown.sort_by(|a, b| share(*a, *a).total_cmp(&share(*b, *b)));
            shown.truncate(MOST);
            shown.sort_unstable();
        }
        let values: Vec<f64> =
            shown.iter().flat_map(|k| shown.iter().map(|l| share(*k, *l))).collect();
        let matrix = Tensor::from_vec(values, (shown.len(), shown.len()), &Device::Cpu)?;
        let names: Vec<String> = shown.iter().map(|k| self.class_names[*k].clone()).collect();
        let title = "Pictures of a class (down) and what they were taken for (across)";
        heatmap(&matrix, &names, &names, title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_by_hand() {
        let names = ["dog", "cat", "boat"].map(String::from);
        let said = |class: usize| {
            Prediction::new((0..3).map(|k| if k == class { 0.8 } else { 0.1 }).collect())
        };
        let predictions = [said(0), said(1), said(1), said(0)];
        let confusion = Confusion::new(&names, &predictions, &[0, 0, 1, 1]).unwrap();
        assert_eq!(confusion.counts, [[1, 1, 0], [1, 1, 0], [0, 0, 0]]);
        assert_eq!(confusion.accuracy(), 0.5);
        assert_eq!(confusion.per_class().len(), 2);
        assert_eq!(confusion.mistakes(1).rows, [["dog", "cat", "1", "2"]]);
        assert!(confusion.picture().is_ok());
        assert!(Confusion::new(&names, &predictions, &[0, 0, 1, 3]).is_err());
        assert!(Confusion::new(&names, &predictions, &[0]).is_err());
    }
}
