//! Predictions as the lecture draws its examples.

use image::RgbImage;

use super::{Prediction, TextClassifier};
use crate::display::{Guess, GuessCard, Picture, guess_cards};
use crate::{Error, Result};

/// Each picture with its most probable sentences: ✓ before the right one, ✗ before the others, a bar as long as the
/// probability, and over it where the right class is ranked ("Ranked 1 out of 101 labels"). Without a label (`None`)
/// there is neither mark nor rank.
///
/// `template` is the sentence that is written for each class; it need not be the one the classifier was made of.
///
/// # Errors
/// When there is no picture, or not a picture and a label a prediction.
pub fn prediction_grid(
    title: &str,
    template: &str,
    classifier: &TextClassifier,
    pictures: &[RgbImage],
    predictions: &[Prediction],
    labels: &[Option<usize>],
) -> Result<Picture> {
    if pictures.len() != predictions.len() || labels.len() != predictions.len() {
        let got = format!("{} pictures, {} labels", pictures.len(), labels.len());
        let expected = format!("{} of each", predictions.len());
        return Err(Error::value("prediction_grid", expected, got));
    }
    let (before, after) = template.split_once("{label}").unwrap_or((template, ""));
    let names = &classifier.class_names;
    let card = |((picture, prediction), label): ((&RgbImage, &Prediction), &Option<usize>)| {
        let summary = match label {
            Some(label) => format!(
                "{} ({:.1}%) Ranked {} out of {} labels",
                names[*label],
                100. * prediction.probability(*label),
                prediction.rank(*label),
                names.len()
            ),
            None => format!("{} labels", names.len()),
        };
        let shown = prediction.ranked.iter().take(5);
        let guesses = shown.map(|(class, probability)| Guess {
            before: before.into(),
            label: names[*class].clone(),
            after: after.into(),
            probability: f64::from(*probability),
            right: label.map(|label| label == *class),
        });
        GuessCard {
            image: picture.clone(),
            title: title.to_uppercase(),
            summary,
            guesses: guesses.collect(),
        }
    };
    let cards: Vec<_> = pictures.iter().zip(predictions).zip(labels).map(card).collect();
    guess_cards(&cards, 2)
}
