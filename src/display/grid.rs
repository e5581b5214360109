//! Pictures in rows, each with its words below: a sample of a dataset, the result of `find_matches`.

use image::RgbImage;

use super::Picture;
use super::canvas::{Align, Canvas, Ink, wrap};
use super::colour::{INK, SOFT};
use crate::{Error, Result};

/// One picture of a grid.
#[derive(Clone, Debug)]
pub struct GridItem {
    /// The picture, of any size.
    pub image: RgbImage,
    /// The words below it; a part after a line break is written in grey.
    pub caption: String,
}

impl GridItem {
    /// A picture with words below it.
    pub fn new(image: RgbImage, caption: impl Into<String>) -> Self {
        Self { image, caption: caption.into() }
    }
}

/// How wide a grid may be, pixels.
const WIDTH: u32 = 840;
const MARGIN: u32 = 16;
const GAP: u32 = 16;
/// The widest cell, so that few pictures do not become walls.
const WIDEST: u32 = 300;
const LINES: usize = 4;

/// Pictures in rows of `columns`, captions wrapped below them, on white.
///
/// # Errors
/// When there is no picture, or `columns` is 0.
pub fn image_grid(items: &[GridItem], columns: usize) -> Result<Picture> {
    if items.is_empty() || columns == 0 {
        let got = format!("{} pictures, {columns} columns", items.len());
        return Err(Error::value("image_grid", "at least one picture and one column", got));
    }
    let columns = columns.min(items.len()) as u32;
    let cell = ((WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns).clamp(48, WIDEST);
    let size = if cell < 140 { 11. } else { 12.5 };
    let line_height = size * 1.4;
    let words = items.iter().map(|i| caption_lines(i, cell, size)).collect::<Result<Vec<_>>>()?;
    let ratio = |i: &GridItem| f64::from(i.image.height()) / f64::from(i.image.width().max(1));
    let rows: Vec<_> = items
        .chunks(columns as usize)
        .zip(words.chunks(columns as usize))
        .map(|(items, words)| {
            let tallest = items.iter().map(ratio).fold(0.2, f64::max).min(1.5);
            let picture = (f64::from(cell) * tallest).round() as u32;
            let lines = words.iter().map(Vec::len).max().unwrap_or(0);
            (items, words, picture, (lines as f64 * line_height).ceil() as u32 + 8)
        })
        .collect();
    let width = 2 * MARGIN + columns * cell + (columns - 1) * GAP;
    let height: u32 = rows.iter().map(|(_, _, picture, words)| picture + words + GAP).sum();
    let mut canvas = Canvas::new(width, height + 2 * MARGIN - GAP);
    let mut top = f64::from(MARGIN);
    for (items, words, picture, below) in rows {
        for (column, (item, lines)) in items.iter().zip(words).enumerate() {
            let left = f64::from(MARGIN + column as u32 * (cell + GAP));
            canvas.photograph(left, top, cell, picture, &item.image);
            let mut baseline = top + f64::from(picture) + 4. + size;
            for (line, colour) in lines {
                canvas.text(left, baseline, line, Ink::new(size, *colour), Align::Left)?;
                baseline += line_height;
            }
        }
        top += f64::from(picture + below + GAP);
    }
    let captions: Vec<_> = items.iter().map(|i| i.caption.replace('\n', ", ")).collect();
    canvas.finish(format!("{} pictures: {}", items.len(), captions.join("; ")))
}

type Lines = Vec<(String, plotters::style::RGBColor)>;

fn caption_lines(item: &GridItem, cell: u32, size: f64) -> Result<Lines> {
    let (first, rest) = item.caption.split_once('\n').unwrap_or((&item.caption, ""));
    let mut lines = Vec::new();
    for (part, colour, most) in [(first, INK, LINES), (rest, SOFT, 2)] {
        let wrapped = wrap(part, f64::from(cell), most, Ink::new(size, colour))?;
        lines.extend(wrapped.into_iter().map(|line| (line, colour)));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_where_they_belong() {
        let red = RgbImage::from_pixel(320, 240, image::Rgb([200, 0, 0]));
        let blue = RgbImage::from_pixel(320, 240, image::Rgb([0, 0, 200]));
        let items = [GridItem::new(red, "red"), GridItem::new(blue, "blue\nsimilarity 0.5")];
        let picture = image_grid(&items, 3).unwrap();
        let image = image::load_from_memory(&picture.png).unwrap().to_rgb8();
        assert_eq!(image.width(), 2 * MARGIN + 2 * WIDEST + GAP);
        assert_eq!(image.get_pixel(MARGIN + 100, MARGIN + 100).0, [200, 0, 0]);
        assert_eq!(image.get_pixel(MARGIN + WIDEST + GAP + 100, MARGIN + 100).0, [0, 0, 200]);
        assert_eq!(picture.alt, "2 pictures: red; blue, similarity 0.5");
    }

    #[test]
    fn an_empty_grid_is_refused() {
        assert!(image_grid(&[], 3).unwrap_err().to_string().contains("at least one picture"));
    }
}
