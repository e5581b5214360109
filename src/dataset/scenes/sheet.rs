//! Many scenes on one sheet, to look at.

use image::{Rgb, RgbImage, imageops};
use rayon::prelude::*;

use super::Scene;

/// Pixels between two pictures.
const GAP: u32 = 4;

/// The scenes in rows of `columns`, each drawn at `width` × `height` pixels.
pub fn contact_sheet(scenes: &[Scene], columns: usize, width: u32, height: u32) -> RgbImage {
    let columns = columns.clamp(1, scenes.len().max(1)) as u32;
    let rows = (scenes.len() as u32).div_ceil(columns).max(1);
    let (full_w, full_h) = (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP);
    let mut sheet = RgbImage::from_pixel(full_w, full_h, Rgb([255; 3]));
    let pictures: Vec<_> = scenes.par_iter().map(|s| s.render(width, height)).collect();
    for (i, picture) in (0_u32..).zip(&pictures) {
        let (column, row) = (i % columns, i / columns);
        let (x, y) = (GAP + column * (width + GAP), GAP + row * (height + GAP));
        imageops::replace(&mut sheet, picture, x.into(), y.into());
    }
    sheet
}
