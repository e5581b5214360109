//! Pictures with what a model takes them for: the lecture's examples of zero-shot predictions.

use image::RgbImage;
use plotters::style::{Color, RGBColor};

use super::Picture;
use super::canvas::{Align, Canvas, Ink, shorten, text_width};
use super::colour::{GRID, INK, SERIES, SOFT};
use crate::{Error, Result};

/// One guess: a sentence with a word in bold, and how probable it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Guess {
    /// The sentence before the label.
    pub before: String,
    /// The label, in bold.
    pub label: String,
    /// The sentence after it.
    pub after: String,
    /// 0 to 1.
    pub probability: f64,
    /// Whether it is right, where that is known.
    pub right: Option<bool>,
}

/// A picture and the guesses about it.
#[derive(Clone, Debug)]
pub struct GuessCard {
    /// The picture, of any size.
    pub image: RgbImage,
    /// What it belongs to, over the picture.
    pub title: String,
    /// The line under the title.
    pub summary: String,
    /// The best first.
    pub guesses: Vec<Guess>,
}

const WIDTH: f64 = 396.;
const MARGIN: f64 = 16.;
const HEAD: f64 = 46.;
const PHOTOGRAPH: f64 = 210.;
const ROW: f64 = 30.;
/// The room of a percentage at a row's end.
const PERCENT: f64 = 52.;
const RIGHT: RGBColor = SERIES[2];
const WRONG: RGBColor = SERIES[1];

/// Cards in rows of `columns`.
///
/// # Errors
/// When there is no card, or `columns` is 0.
pub fn guess_cards(cards: &[GuessCard], columns: usize) -> Result<Picture> {
    if cards.is_empty() || columns == 0 {
        let got = format!("{} pictures, {columns} columns", cards.len());
        return Err(Error::value("guess_cards", "at least one picture and one column", got));
    }
    let columns = columns.min(cards.len());
    let rows = cards.iter().map(|card| card.guesses.len()).max().unwrap_or(0);
    let height = HEAD + PHOTOGRAPH + 12. + ROW * rows as f64 + MARGIN;
    let width = MARGIN + columns as f64 * (WIDTH + MARGIN);
    let down = cards.len().div_ceil(columns) as f64;
    let mut canvas = Canvas::new(width as u32, (MARGIN + down * height) as u32);
    for (i, card) in cards.iter().enumerate() {
        let left = MARGIN + (i % columns) as f64 * (WIDTH + MARGIN);
        draw(&mut canvas, card, left, MARGIN + (i / columns) as f64 * height)?;
    }
    let words = |card: &GuessCard| match card.guesses.first() {
        Some(best) => {
            let sentence = format!("{}{}{}", best.before, best.label, best.after);
            format!("{}; first guess {sentence:?}, {:.1}%", card.summary, 100. * best.probability)
        }
        None => card.summary.clone(),
    };
    canvas.finish(cards.iter().map(words).collect::<Vec<_>>().join("; "))
}

fn draw(canvas: &mut Canvas, card: &GuessCard, left: f64, top: f64) -> Result<()> {
    let bold = Ink::new(15., INK).bold();
    canvas.text(left, top + 14., &card.title, bold, Align::Left)?;
    let soft = Ink::new(12.5, SOFT);
    let summary = shorten(&card.summary, WIDTH, soft)?;
    canvas.text(left, top + 34., &summary, soft, Align::Left)?;
    canvas.photograph(left, top + HEAD, WIDTH as u32, PHOTOGRAPH as u32, &card.image);
    for (row, guess) in card.guesses.iter().enumerate() {
        let y = top + HEAD + PHOTOGRAPH + 12. + ROW * row as f64;
        let colour = match guess.right {
            Some(true) => RIGHT,
            Some(false) => WRONG,
            None => SERIES[0],
        };
        let mut x = left;
        if let Some(right) = guess.right {
            let mark = if right { "✓" } else { "✗" };
            canvas.text(x, y + 13., mark, Ink::new(14., colour), Align::Left)?;
            x += 20.;
        }
        let mut room = left + WIDTH - PERCENT - x;
        let plain = Ink::new(12.5, INK);
        for (words, ink) in
            [(&guess.before, plain), (&guess.label, plain.bold()), (&guess.after, plain)]
        {
            if words.is_empty() || room < 12. {
                continue;
            }
            let words = shorten(words, room, ink)?;
            canvas.text(x, y + 13., &words, ink, Align::Left)?;
            // A space at the end has no ink, but a width.
            let used = text_width(&format!("{words}|"), ink)? - text_width("|", ink)?;
            x += used;
            room -= used;
        }
        let percent = format!("{:.1}%", 100. * guess.probability);
        canvas.text(left + WIDTH, y + 13., &percent, Ink::new(12., SOFT), Align::Right)?;
        canvas.rect(left, y + 18., WIDTH, 5., GRID)?;
        let length = WIDTH * guess.probability.clamp(0., 1.);
        if length >= 0.5 {
            canvas.line(&[(left, y + 20.5), (left + length, y + 20.5)], 5., colour.to_rgba())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_as_long_as_the_probability() {
        let guess = |probability: f64, right: bool| Guess {
            before: "a photo of a ".into(),
            label: "dog".into(),
            after: ".".into(),
            probability,
            right: Some(right),
        };
        let card = GuessCard {
            image: RgbImage::from_pixel(8, 6, image::Rgb([9, 9, 9])),
            title: "OBJECT".into(),
            summary: "dog (75.0%) Ranked 1 out of 2 labels".into(),
            guesses: vec![guess(0.75, true), guess(0.25, false)],
        };
        let picture = guess_cards(&[card], 3).unwrap();
        assert!(picture.alt.contains("Ranked 1 out of 2") && picture.alt.contains("75.0%"));
        let image = image::load_from_memory(&picture.png).unwrap().to_rgb8();
        let y = (MARGIN + HEAD + PHOTOGRAPH + 12. + 20.) as u32;
        let at = |share: f64| image.get_pixel((MARGIN + WIDTH * share) as u32, y).0;
        assert_eq!(at(0.5), [RIGHT.0, RIGHT.1, RIGHT.2]);
        assert_eq!(at(0.9), [GRID.0, GRID.1, GRID.2]);
        assert!(guess_cards(&[], 1).is_err());
    }
}
