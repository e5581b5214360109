//! What codes and small pictures look like.

use candle_core::Tensor;
use image::{Rgb, RgbImage, imageops};

use crate::dataset::scenes::single;
use crate::display::Picture;
use crate::{Error, Result};

/// Pixels between two pictures.
const GAP: u32 = 3;

/// Small pictures `(n, 3, s, s)`, values from 0 to 1, in rows of `columns`, each pixel drawn `zoom` times as large.
///
/// # Errors
/// When there are none.
pub fn small_grid(images: &Tensor, columns: usize, zoom: usize, alt: &str) -> Result<Picture> {
    let pictures = single::to_pictures(images)?;
    let Some((w, h)) = pictures.first().map(|p| p.dimensions()) else {
        return Err(Error::value("small_grid, images", "at least one", "none"));
    };
    let (columns, zoom) = (columns.clamp(1, pictures.len()) as u32, zoom.max(1) as u32);
    let rows = (pictures.len() as u32).div_ceil(columns);
    let (w, h) = (w * zoom, h * zoom);
    let mut sheet =
        RgbImage::from_pixel(columns * (w + GAP) + GAP, rows * (h + GAP) + GAP, Rgb([255; 3]));
    for (i, picture) in (0u32..).zip(&pictures) {
        let large = imageops::resize(picture, w, h, imageops::FilterType::Nearest);
        let (x, y) = (GAP + i % columns * (w + GAP), GAP + i / columns * (h + GAP));
        imageops::replace(&mut sheet, &large, x.into(), y.into());
    }
    Picture::from_image(&sheet, alt)
}

/// Codes `(h·w)` u32 of a codebook of `codebook` as a mosaic: a colour for each number, the same in every mosaic.
///
/// # Errors
/// When there are not `columns` in every row.
pub fn mosaic(codes: &[u32], columns: usize, codebook: usize, zoom: usize) -> Result<RgbImage> {
    if columns == 0 || codes.is_empty() || !codes.len().is_multiple_of(columns) {
        let expected = format!("rows of {columns} codes");
        return Err(Error::value("mosaic, codes", expected, codes.len()));
    }
    let rows = codes.len() / columns;
    let zoom = zoom.max(1) as u32;
    Ok(RgbImage::from_fn(columns as u32 * zoom, rows as u32 * zoom, |x, y| {
        let code = codes[(y / zoom) as usize * columns + (x / zoom) as usize];
        let border = zoom > 6 && (x % zoom == 0 || y % zoom == 0);
        if border { Rgb([255; 3]) } else { Rgb(colour(code, codebook)) }
    }))
}

/// Hues around the circle, in three brightnesses, so that neighbouring numbers differ.
fn colour(code: u32, codebook: usize) -> [u8; 3] {
    let hue = f64::from(code) * 0.618_034 % 1.;
    let value = 0.55 + 0.4 * f64::from(code) / codebook.max(1) as f64;
    let channel = |shift: f64| {
        let t = ((hue + shift) % 1. * 6. - 3.).abs() - 1.;
        ((0.25 + 0.75 * t.clamp(0., 1.)) * value * 255.) as u8
    };
    [channel(0.), channel(2. / 3.), channel(1. / 3.)]
}
