//! A white sheet to draw on. Shapes and words are drawn at twice the size and brought down, so that edges are smooth
//! and letters stand where they belong; photographs are laid on afterwards at their own size.

use std::sync::OnceLock;

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontDesc, FontFamily, register_font};

use super::Picture;
use crate::{Error, Result};

/// How much larger the sheet is drawn.
const SCALE: i32 = 2;
const FONT: &str = "vision-language";

/// How words are written.
#[derive(Clone, Copy)]
pub(super) struct Ink {
    /// The height of a line's letters and gaps, pixels.
    pub size: f64,
    pub colour: RGBColor,
    pub bold: bool,
}

impl Ink {
    pub fn new(size: f64, colour: RGBColor) -> Self {
        Self { size, colour, bold: false }
    }

    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
}

/// Where `x` is in a line of words.
#[derive(Clone, Copy)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
}

/// The sheet. Coordinates are pixels of the finished picture, from the upper left.
pub(super) struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
    photographs: Vec<(i64, i64, RgbImage)>,
}

impl Canvas {
    pub fn new(width: u32, height: u32) -> Self {
        let bytes = (width * height) as usize * (SCALE * SCALE) as usize * 3;
        Self { width, height, pixels: vec![255; bytes], photographs: Vec::new() }
    }

    /// Runs `f` on plotters' drawing area of the enlarged sheet.
    fn area(
        &mut self,
        f: impl FnOnce(
            &DrawingArea<BitMapBackend<'_>, plotters::coord::Shift>,
        ) -> std::result::Result<(), String>,
    ) -> Result<()> {
        let size = (self.width * SCALE as u32, self.height * SCALE as u32);
        let area = BitMapBackend::with_buffer(&mut self.pixels, size).into_drawing_area();
        f(&area).map_err(Error::Plot)
    }

    /// A filled rectangle.
    pub fn rect(&mut self, x: f64, y: f64, w: f64, h: f64, colour: RGBColor) -> Result<()> {
        let corners = [up(x, y), up(x + w, y + h)];
        self.area(|area| {
            area.draw(&Rectangle::new(corners, colour.filled())).map_err(|e| e.to_string())
        })
    }

    /// A line through points.
    pub fn line(&mut self, points: &[(f64, f64)], width: f64, colour: RGBAColor) -> Result<()> {
        let points: Vec<_> = points.iter().map(|&(x, y)| up(x, y)).collect();
        let stroke = (width * f64::from(SCALE)).round().max(1.) as u32;
        self.area(|area| {
            let path = PathElement::new(points, colour.stroke_width(stroke));
            area.draw(&path).map_err(|e| e.to_string())
        })
    }

    /// A filled disc.
    pub fn disc(&mut self, x: f64, y: f64, radius: f64, colour: RGBColor) -> Result<()> {
        let radius = (radius * f64::from(SCALE)).round() as i32;
        self.area(|area| {
            area.draw(&Circle::new(up(x, y), radius, colour.filled())).map_err(|e| e.to_string())
        })
    }

    /// A line of words whose letters stand on `baseline`.
    pub fn text(
        &mut self,
        x: f64,
        baseline: f64,
        words: &str,
        ink: Ink,
        align: Align,
    ) -> Result<()> {
        let width = text_width(words, ink)?;
        let left = match align {
            Align::Left => x,
            Align::Middle => x - width / 2.,
            Align::Right => x - width,
        };
        let font = font(ink);
        // plotters puts the baseline half a size below the position.
        let (x, y) = up(left, baseline - ink.size / 2.);
        let style = TextStyle::from(font).color(&ink.colour).pos(Pos::new(HPos::Left, VPos::Top));
        self.area(|area| area.draw_text(words, &style, (x, y)).map_err(|e| e.to_string()))
    }

    /// A line of words read from below, centred on `x`, that ends at `bottom`.
    pub fn text_upwards(&mut self, x: f64, bottom: f64, words: &str, ink: Ink) -> Result<()> {
        let width = text_width(words, ink)?.ceil() as u32 + 2;
        let height = (ink.size * 1.4).ceil() as u32;
        let mut strip = Canvas::new(width, height);
        strip.text(1., ink.size, words, ink, Align::Left)?;
        let turned = imageops::rotate270(&strip.finished());
        let left = (x - ink.size * 0.72).round() as i64;
        self.photographs.push((left, bottom.round() as i64 - i64::from(width), turned));
        Ok(())
    }

    /// A photograph with its upper left corner at `(x, y)`, fitted into `w × h` and centred there.
    pub fn photograph(&mut self, x: f64, y: f64, w: u32, h: u32, image: &RgbImage) {
        let fitted = fit(image, w, h);
        let left = x.round() as i64 + i64::from(w - fitted.width()) / 2;
        let top = y.round() as i64 + i64::from(h - fitted.height()) / 2;
        self.photographs.push((left, top, fitted));
    }

    /// The picture, encoded.
    pub fn finish(self, alt: impl Into<String>) -> Result<Picture> {
        Picture::from_image(&self.finished(), alt)
    }

    pub(super) fn finished(self) -> RgbImage {
        let (w, h) = (self.width as usize, self.height as usize);
        let stride = w * SCALE as usize * 3;
        let mut sheet = RgbImage::from_fn(w as u32, h as u32, |x, y| {
            let corner = y as usize * SCALE as usize * stride + x as usize * SCALE as usize * 3;
            let mean = |channel: usize| {
                let at = |dy: usize, dx: usize| {
                    u32::from(self.pixels[corner + dy * stride + dx * 3 + channel])
                };
                ((at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1) + 2) / 4) as u8
            };
            Rgb([mean(0), mean(1), mean(2)])
        });
        for (x, y, photograph) in &self.photographs {
            imageops::overlay(&mut sheet, photograph, *x, *y);
        }
        sheet
    }
}

/// A point of the enlarged sheet.
fn up(x: f64, y: f64) -> (i32, i32) {
    ((x * f64::from(SCALE)).round() as i32, (y * f64::from(SCALE)).round() as i32)
}

/// `image` made as large as fits into `w × h`, its sides in the same proportion.
fn fit(image: &RgbImage, w: u32, h: u32) -> RgbImage {
    let (iw, ih) = (f64::from(image.width().max(1)), f64::from(image.height().max(1)));
    let scale = (f64::from(w) / iw).min(f64::from(h) / ih);
    let side = |s: f64, most: u32| ((s * scale).round() as u32).clamp(1, most);
    let (fw, fh) = (side(iw, w), side(ih, h));
    if (fw, fh) == image.dimensions() {
        return image.clone();
    }
    imageops::resize(image, fw, fh, FilterType::CatmullRom)
}

fn font(ink: Ink) -> FontDesc<'static> {
    static FONTS: OnceLock<()> = OnceLock::new();
    FONTS.get_or_init(|| {
        let regular = include_bytes!("../../data/fonts/DejaVuSans.ttf");
        let bold = include_bytes!("../../data/fonts/DejaVuSans-Bold.ttf");
        // The bytes are ours, and a test draws with both.
        let _ = register_font(FONT, FontStyle::Normal, regular);
        let _ = register_font(FONT, FontStyle::Bold, bold);
    });
    let style = if ink.bold { FontStyle::Bold } else { FontStyle::Normal };
    FontDesc::new(FontFamily::Name(FONT), ink.size * f64::from(SCALE), style)
}

/// How wide a line of words is, pixels.
pub(super) fn text_width(words: &str, ink: Ink) -> Result<f64> {
    let (width, _) = font(ink).box_size(words).map_err(|e| Error::Plot(e.to_string()))?;
    Ok(f64::from(width) / f64::from(SCALE))
}

/// `words` cut to `width` pixels, with `…` in place of what is missing.
pub(super) fn shorten(words: &str, width: f64, ink: Ink) -> Result<String> {
    if text_width(words, ink)? <= width {
        return Ok(words.to_string());
    }
    let mut kept: Vec<char> = words.chars().collect();
    while kept.pop().is_some() {
        let short = format!("{}…", kept.iter().collect::<String>().trim_end());
        if text_width(&short, ink)? <= width {
            return Ok(short);
        }
    }
    Ok("…".into())
}

/// `words` in lines of at most `width` pixels and at most `most` lines; the last is shortened.
pub(super) fn wrap(words: &str, width: f64, most: usize, ink: Ink) -> Result<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    let mut rest = words.split_whitespace().peekable();
    while let Some(first) = rest.next() {
        let mut line = first.to_string();
        let last = lines.len() + 1 == most;
        while let Some(word) = rest.peek() {
            let longer = format!("{line} {word}");
            if !last && text_width(&longer, ink)? > width {
                break;
            }
            line = longer;
            rest.next();
        }
        lines.push(shorten(&line, width, ink)?);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::super::colour::INK;
    use super::*;

    #[test]
    fn words_leave_ink_above_the_baseline_only() {
        for bold in [false, true] {
            let mut canvas = Canvas::new(60, 40);
            let ink = Ink { size: 20., colour: INK, bold };
            canvas.text(5., 30., "HEX", ink, Align::Left).unwrap();
            let image = canvas.finished();
            let dark = |rows: std::ops::Range<u32>| {
                rows.flat_map(|y| (0..60).map(move |x| (x, y)))
                    .filter(|&(x, y)| image.get_pixel(x, y).0[0] < 128)
                    .count()
            };
            assert!(dark(14..31) > 40, "letters are drawn");
            assert_eq!(dark(32..40), 0, "nothing below the line that letters stand on");
        }
    }

    #[test]
    fn wrapping_keeps_every_word_until_the_lines_are_used_up() {
        let ink = Ink::new(12., INK);
        let words = "a brown dog runs on the green grass under a blue sky";
        let lines = wrap(words, 100., 9, ink).unwrap();
        assert_eq!(lines.join(" "), words);
        assert!(lines.iter().all(|l| text_width(l, ink).unwrap() <= 100.));
        let two = wrap(words, 100., 2, ink).unwrap();
        assert_eq!(two.len(), 2);
        assert!(two[1].ends_with('…'));
    }

    #[test]
    fn photographs_keep_their_proportion() {
        let fitted = fit(&RgbImage::new(320, 240), 160, 160);
        assert_eq!(fitted.dimensions(), (160, 120));
    }
}
