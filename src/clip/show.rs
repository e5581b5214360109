//! What CLIP's results look like: found pictures, losses, recalls.

use std::path::Path;

use super::{Match, Recalls, Retrieval, Step, TrainLog};
use crate::dataset::load_image;
use crate::display::{GridItem, Picture, Table, image_grid, loss_curves};
use crate::{Error, Result};

/// The matches as pictures of `folder`, best first, three in a row, each with its file name and its similarity.
///
/// # Errors
/// When there is none; a picture that is missing or damaged, by name.
pub fn match_grid(folder: &Path, matches: &[Match]) -> Result<Picture> {
    if matches.is_empty() {
        return Err(Error::value("match_grid, matches", "at least one", "none"));
    }
    let item = |(index, found): (usize, &Match)| {
        let image = load_image(&folder.join(&found.image_filename), index)?;
        // Not a number: what stands in for an open `find_matches` has not compared anything.
        let similarity = match found.similarity.is_nan() {
            true => "not compared".to_string(),
            false => format!("similarity {:.3}", found.similarity).replace('-', "−"),
        };
        Ok(GridItem::new(image, format!("{}. {}\n{similarity}", index + 1, found.image_filename)))
    };
    let items = matches.iter().enumerate().map(item).collect::<Result<Vec<_>>>()?;
    image_grid(&items, 3)
}

impl TrainLog {
    /// The losses of the steps and of the epochs so far; the best epoch is marked.
    ///
    /// # Errors
    /// When no step was taken.
    pub fn curves(&self) -> Result<Picture> {
        let steps_per_epoch = self.step_losses.len().div_ceil(self.train_losses.len().max(1));
        loss_curves(&self.step_losses, steps_per_epoch, &self.train_losses, &self.valid_losses)
    }
}

impl Step {
    /// `loss 3.214, 812 pairs/s`: what a line of progress says.
    pub fn note(&self) -> String {
        format!("loss {:.3}, {:.0} pairs/s", self.avg, self.pairs_per_second)
    }
}

impl Retrieval {
    /// Both directions as a table, beside what guessing would give.
    pub fn table(&self) -> Table {
        let n = self.n as f64;
        let row = |table: Table, name: &str, r: Recalls| {
            let numbers = [r.r1, r.r5, r.r10].map(|v| format!("{v:.3}"));
            let [r1, r5, r10] = numbers;
            table.row([name.to_string(), r1, r5, r10, format!("{:.1}", r.median_rank)])
        };
        let columns = ["", "recall@1", "recall@5", "recall@10", "median rank"];
        let table = row(Table::new(columns), "text → image", self.text_to_image);
        let table = row(table, "image → text", self.image_to_text);
        let within = |k: f64| (k / n).min(1.);
        let chance = Recalls {
            r1: within(1.),
            r5: within(5.),
            r10: within(10.),
            median_rank: (n + 1.) / 2.,
        };
        row(table, "guessing", chance).note(format!("{} pictures", self.n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_is_k_of_n() {
        let perfect = Recalls { r1: 1., r5: 1., r10: 1., median_rank: 1. };
        let table = Retrieval { n: 40, text_to_image: perfect, image_to_text: perfect }.table();
        assert_eq!(table.rows[0], ["text → image", "1.000", "1.000", "1.000", "1.0"]);
        assert_eq!(table.rows[2], ["guessing", "0.025", "0.125", "0.250", "20.5"]);
    }

    #[test]
    fn no_match_is_no_picture() {
        assert!(match_grid(Path::new("."), &[]).is_err());
    }
}
