//! Which pairs train and which validate: by picture, so that no picture is on both sides.

use std::collections::{BTreeSet, HashMap, HashSet};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::captions::{CSV, Captions, DataFolder};
use super::rows::{self, BadRows};
use crate::{Error, Result};

/// The share of pictures that validate, and the seed that draws them, as in the lecture's practice.
pub const VALID_FRACTION: f64 = 0.2;
/// See [`VALID_FRACTION`].
pub const SPLIT_SEED: u64 = 42;

/// The pairs of a dataset by what they are for, as indices into its captions, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Splits {
    /// To train on.
    pub train: Vec<usize>,
    /// To choose the best model with.
    pub valid: Vec<usize>,
    /// Scenes only: a drawing style that is never trained on.
    pub unseen_style: Vec<usize>,
    /// Scenes only: pairs of object and ground that are never trained on.
    pub unseen_pairs: Vec<usize>,
}

impl Splits {
    /// The folder's `splits.csv` where there is one, else 80 to 20 by picture with seed 42.
    ///
    /// # Errors
    /// When `splits.csv` is broken, has an unknown split, or lacks a picture that has captions.
    pub fn of(folder: &DataFolder, captions: &Captions) -> Result<Self> {
        let names = &captions.image_filenames;
        let Some(path) = &folder.splits else {
            let (train, valid) = split_by_image(names, VALID_FRACTION, SPLIT_SEED);
            return Ok(Self { train, valid, ..Self::default() });
        };
        let table = rows::read(path, CSV, &["image", "split"], BadRows::Refuse)?;
        let rows = table.columns[0].iter().zip(&table.columns[1]);
        let split_of: HashMap<&String, (&String, usize)> =
            rows.zip(&table.lines).map(|((image, split), &line)| (image, (split, line))).collect();
        let mut splits = Self::default();
        for (index, name) in names.iter().enumerate() {
            let Some(&(split, line)) = split_of.get(name) else {
                return Err(Error::value(
                    path.display().to_string(),
                    "a row for every picture with a caption",
                    format!("none for {name}"),
                ));
            };
            match split.as_str() {
                "train" => splits.train.push(index),
                "valid" => splits.valid.push(index),
                "unseen_style" => splits.unseen_style.push(index),
                "unseen_pairs" => splits.unseen_pairs.push(index),
                other => {
                    return Err(Error::Row {
                        path: path.clone(),
                        line,
                        expected: "train, valid, unseen_style or unseen_pairs".into(),
                        got: format!("`{other}`"),
                    });
                }
            }
        }
        Ok(splits)
    }
}

/// The indices to train on and to validate on: `valid_fraction` of the pictures validate, drawn with `seed` from
/// their sorted names, so that the order of the file does not matter.
pub fn split_by_image(
    image_filenames: &[String],
    valid_fraction: f64,
    seed: u64,
) -> (Vec<usize>, Vec<usize>) {
    let mut images: Vec<&String> =
        image_filenames.iter().collect::<BTreeSet<_>>().into_iter().collect();
    shuffle(&mut images, &mut ChaCha8Rng::seed_from_u64(seed));
    let n = (images.len() as f64 * valid_fraction.clamp(0.0, 1.0)).round() as usize;
    let valid: HashSet<&String> = images[..n].iter().copied().collect();
    (0..image_filenames.len()).partition(|&i| !valid.contains(&image_filenames[i]))
}

/// Fisher and Yates's shuffle on ChaCha's own bits: the order is the same in every release of `rand`.
pub(super) fn shuffle<T>(values: &mut [T], rng: &mut ChaCha8Rng) {
    for i in (1..values.len()).rev() {
        values.swap(i, below(i + 1, rng));
    }
}

/// A number in `0..n`, n > 0.
pub(super) fn below(n: usize, rng: &mut ChaCha8Rng) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::super::captions::CaptionLayout;
    use super::*;

    fn names(pictures: usize) -> Vec<String> {
        (0..pictures * 5).map(|i| format!("{}.jpg", i / 5)).collect()
    }

    #[test]
    fn no_picture_is_on_both_sides() {
        let names = names(103);
        let (train, valid) = split_by_image(&names, 0.2, 42);
        let of = |side: &[usize]| side.iter().map(|&i| &names[i]).collect::<BTreeSet<_>>();
        assert!(of(&train).is_disjoint(&of(&valid)));
        assert_eq!((of(&train).len(), of(&valid).len()), (82, 21));
        assert_eq!(train.len() + valid.len(), names.len());
        assert!(train.is_sorted() && valid.is_sorted());
    }

    #[test]
    fn the_seed_decides_and_the_order_of_the_file_does_not() {
        let forward = names(50);
        let backward: Vec<String> = forward.iter().rev().cloned().collect();
        let valid = |names: &[String], seed| -> BTreeSet<String> {
            split_by_image(names, 0.2, seed).1.iter().map(|&i| names[i].clone()).collect()
        };
        assert_eq!(valid(&forward, 42), valid(&backward, 42));
        assert_ne!(valid(&forward, 42), valid(&forward, 43));
        // Written down from the first run: a split must stay the same in every release.
        let drawn: Vec<_> = valid(&names(10), 42).into_iter().collect();
        assert_eq!(drawn, ["7.jpg", "9.jpg"]);
    }

    #[test]
    fn a_folders_own_splits_are_used_and_checked() {
        let root = tempfile::tempdir().unwrap();
        let splits = root.path().join("splits.csv");
        let folder = DataFolder {
            captions: root.path().join("captions.txt"),
            layout: CaptionLayout::Flickr8k,
            images: root.path().join("Images"),
            splits: Some(splits.clone()),
        };
        let image_filenames = ["a", "a", "b", "c", "d"].map(|n| format!("{n}.jpg")).to_vec();
        let captions =
            Captions { captions: image_filenames.clone(), image_filenames, ..Captions::default() };
        let head = "image,split\na.jpg,train\nb.jpg,valid\nc.jpg,unseen_style\n";
        std::fs::write(&splits, format!("{head}d.jpg,unseen_pairs\n")).unwrap();
        let read = Splits::of(&folder, &captions).unwrap();
        assert_eq!((read.train, read.valid), (vec![0, 1], vec![2]));
        assert_eq!((read.unseen_style, read.unseen_pairs), (vec![3], vec![4]));

        std::fs::write(&splits, format!("{head}d.jpg,test\n")).unwrap();
        let unknown = Splits::of(&folder, &captions).unwrap_err().to_string();
        assert!(unknown.contains("splits.csv:5") && unknown.contains("`test`"), "{unknown}");
        std::fs::write(&splits, head).unwrap();
        let lacking = Splits::of(&folder, &captions).unwrap_err().to_string();
        assert!(lacking.contains("d.jpg"), "{lacking}");
    }
}
