//! Matrices as colours: similarities of pictures and captions.

use candle_core::{DType, Tensor};
use image::RgbImage;

use super::Picture;
use super::canvas::{Align, Canvas, Ink, shorten, text_width};
use super::colour::{INK, SOFT, on, viridis};
use crate::{Error, Result};

const MARGIN: f64 = 16.;
const LABEL: f64 = 12.;
/// The longest label, pixels.
const LABEL_ROOM: f64 = 210.;
const BAR: f64 = 14.;

/// A matrix `(r, c)` as colours, dark low and yellow high, with its values written in the cells while it is small.
///
/// Labels may be left out (an empty slice).
///
/// # Errors
/// When the matrix is not two-dimensional, is empty, or the labels do not fit it.
pub fn heatmap(
    matrix: &Tensor,
    row_labels: &[String],
    column_labels: &[String],
    title: &str,
) -> Result<Picture> {
    draw(matrix, Heads::Words(row_labels), column_labels, title)
}

/// Similarities `(b, b)` of pictures (down, each in small) and captions (across).
///
/// # Errors
/// As [`heatmap`].
pub fn similarity_heatmap(
    similarities: &Tensor,
    pictures: &[RgbImage],
    captions: &[String],
    title: &str,
) -> Result<Picture> {
    draw(similarities, Heads::Pictures(pictures), captions, title)
}

/// What stands before the rows.
enum Heads<'a> {
    Words(&'a [String]),
    Pictures(&'a [RgbImage]),
}

impl Heads<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Words(words) => words.len(),
            Self::Pictures(pictures) => pictures.len(),
        }
    }

    fn room(&self, cell: f64) -> Result<f64> {
        Ok(match self {
            Self::Pictures(_) => cell * 4. / 3. + 6.,
            Self::Words([]) => 0.,
            Self::Words(words) => longest(words)? + 8.,
        })
    }
}

fn longest(labels: &[String]) -> Result<f64> {
    let ink = Ink::new(LABEL, INK);
    let mut room = 0_f64;
    for label in labels {
        room = room.max(text_width(label, ink)?);
    }
    Ok(room.min(LABEL_ROOM))
}

fn draw(matrix: &Tensor, heads: Heads<'_>, columns: &[String], title: &str) -> Result<Picture> {
    let what = "heatmap";
    let Ok((r, c)) = matrix.dims2() else {
        return Err(Error::shape(what, "(rows, columns)", matrix.shape()));
    };
    for (name, count, expected) in [("row", heads.len(), r), ("column", columns.len(), c)] {
        if count != 0 && count != expected || expected == 0 {
            let expected = format!("{expected} {name} labels, or none, of at least one {name}");
            return Err(Error::value(what, expected, count));
        }
    }
    let values = matrix.to_dtype(DType::F64)?.to_vec2::<f64>()?;
    let finite = || values.iter().flatten().copied().filter(|v| v.is_finite());
    let low = finite().fold(f64::INFINITY, f64::min);
    let high = finite().fold(f64::NEG_INFINITY, f64::max);
    let span = if high > low { high - low } else { 1. };

    let cell = (520. / r.max(c) as f64).floor().clamp(4., 56.);
    let left = MARGIN + heads.room(cell)?;
    let title_room = if title.is_empty() { 0. } else { 30. };
    let column_room = if columns.is_empty() { 0. } else { longest(columns)? + 8. };
    let top = MARGIN + title_room + column_room;
    let (width, height) = (cell * c as f64, cell * r as f64);
    let title_ink = Ink::new(16., INK).bold();
    let sheet =
        (left + width + 18. + BAR + 52. + MARGIN).max(text_width(title, title_ink)? + 2. * MARGIN);
    let mut canvas = Canvas::new(sheet.ceil() as u32, (top + height + MARGIN).ceil() as u32);
    if !title.is_empty() {
        canvas.text(MARGIN, MARGIN + 14., title, title_ink, Align::Left)?;
    }

    let gap = if cell >= 16. { 1. } else { 0. };
    for (i, row) in values.iter().enumerate() {
        let y = top + cell * i as f64;
        for (j, &value) in row.iter().enumerate() {
            let x = left + cell * j as f64;
            let colour = viridis((value - low) / span);
            canvas.rect(x, y, cell - gap, cell - gap, colour)?;
            if cell >= 34. {
                let ink = Ink::new(11.5, on(colour));
                let words = format!("{value:.2}").replace('-', "−");
                canvas.text(x + cell / 2., y + cell / 2. + 4., &words, ink, Align::Middle)?;
            }
        }
        match &heads {
            Heads::Pictures(pictures) if !pictures.is_empty() => {
                let (w, h) = ((cell * 4. / 3.) as u32, (cell - gap) as u32);
                canvas.photograph(left - 6. - f64::from(w), y, w, h, &pictures[i]);
            }
            Heads::Words(words) if !words.is_empty() && cell >= 12. => {
                let ink = Ink::new(LABEL, INK);
                let label = shorten(&words[i], LABEL_ROOM, ink)?;
                canvas.text(left - 8., y + cell / 2. + 4., &label, ink, Align::Right)?;
            }
            _ => {}
        }
    }
    if cell >= 12. {
        for (j, label) in columns.iter().enumerate() {
            let ink = Ink::new(LABEL, INK);
            let label = shorten(label, LABEL_ROOM, ink)?;
            canvas.text_upwards(left + cell * (j as f64 + 0.5), top - 6., &label, ink)?;
        }
    }
    colour_bar(&mut canvas, left + width + 18., top, height - gap, (low, high))?;
    canvas.finish(format!("{title}: a matrix of {r} × {c} values from {low:.2} to {high:.2}"))
}

fn colour_bar(canvas: &mut Canvas, x: f64, y: f64, height: f64, ends: (f64, f64)) -> Result<()> {
    let steps = (height * 2.) as usize;
    for step in 0..steps {
        let t = 1. - step as f64 / steps as f64;
        canvas.rect(x, y + step as f64 / 2., BAR, 0.5, viridis(t))?;
    }
    let ticks = if height > 120. { 4 } else { 1 };
    for tick in 0..=ticks {
        let t = f64::from(tick) / f64::from(ticks);
        let value = ends.0 + (ends.1 - ends.0) * t;
        let words = format!("{value:.2}").replace('-', "−");
        let baseline = y + (1. - t) * (height - 9.) + 9.;
        canvas.text(x + BAR + 6., baseline, &words, Ink::new(11., SOFT), Align::Left)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn high_is_yellow_and_low_is_violet() {
        let matrix = Tensor::new(&[[1f32, 0.], [0., 1.]], &Device::Cpu).unwrap();
        let picture = heatmap(&matrix, &[], &[], "").unwrap();
        let image = image::load_from_memory(&picture.png).unwrap().to_rgb8();
        let at = |i: f64, j: f64| {
            let place = |k: f64| (MARGIN + 56. * k + 8.) as u32;
            image.get_pixel(place(j), place(i)).0
        };
        assert_eq!(at(0., 0.), [253, 231, 37]);
        assert_eq!(at(0., 1.), [68, 1, 84]);
    }

    #[test]
    fn labels_must_fit() {
        let matrix = Tensor::zeros((2, 2), DType::F32, &Device::Cpu).unwrap();
        let wrong = heatmap(&matrix, &["one".to_string()], &[], "").unwrap_err().to_string();
        assert!(wrong.contains("2 row labels") && wrong.contains("got 1"), "{wrong}");
        let flat = Tensor::zeros(3, DType::F32, &Device::Cpu).unwrap();
        assert!(heatmap(&flat, &[], &[], "").is_err());
    }
}
