//! A word on a picture.

use image::{RgbImage, imageops};

use super::canvas::{Align, Canvas, Ink, text_width};
use super::colour::INK;
use crate::Result;

/// The picture with a white label across its lower part, and words on it, as large as fits. Without words the label is
/// blank.
///
/// # Errors
/// When the words cannot be drawn.
pub fn written_on(picture: &RgbImage, words: &str) -> Result<RgbImage> {
    let (w, h) = picture.dimensions();
    let (label_w, label_h) = ((w * 9 / 10).max(1), (h / 4).max(1));
    let mut canvas = Canvas::new(label_w, label_h);
    if !words.is_empty() {
        let fits = f64::from(label_h) * 0.8;
        let wide = text_width(words, Ink::new(fits, INK).bold())?;
        let size = fits * (f64::from(label_w) * 0.94 / wide.max(1.)).min(1.);
        let ink = Ink::new(size, INK).bold();
        let baseline = f64::from(label_h) / 2. + size * 0.36;
        canvas.text(f64::from(label_w) / 2., baseline, words, ink, Align::Middle)?;
    }
    let mut out = picture.clone();
    let (left, top) = (i64::from((w - label_w) / 2), i64::from(h * 7 / 10));
    imageops::overlay(&mut out, &canvas.finished(), left, top);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_dark_on_white_and_the_rest_stays() {
        let picture = RgbImage::from_pixel(64, 64, image::Rgb([90, 160, 90]));
        let dark = |image: &RgbImage| image.pixels().filter(|p| p.0[0] < 60).count();
        let (blank, word) =
            (written_on(&picture, "").unwrap(), written_on(&picture, "cat").unwrap());
        assert_eq!(dark(&blank), 0);
        assert!(dark(&word) > 20);
        assert_eq!(word.get_pixel(10, 10), picture.get_pixel(10, 10));
        assert_eq!(blank.get_pixel(32, 50).0, [255; 3]);
    }
}
