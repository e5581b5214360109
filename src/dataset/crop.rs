//! CLIP's own way to a square (`CLIPImageProcessor`, and `_transform` in OpenAI's code): the shorter side becomes `s` by PIL's
//! antialiased bicubic filter, the longer one in proportion, rounded down, and the middle `s × s` pixels are kept.
//!
//! Where the longer side leaves an odd number of pixels over, transformers begins the square in the smaller half, and so does
//! this; torchvision's `CenterCrop`, which OpenAI's code and open_clip use, rounds half a pixel to the even number. Tested
//! against transformers: `tests/golden/clip_preprocess.py`.

use std::cell::RefCell;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

use crate::{Error, Result};

thread_local! {
    static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
}

/// A picture of any size → its middle, `(side, side)`.
///
/// # Errors
/// When a side is 0 pixels.
pub(super) fn middle(picture: &RgbImage, side: usize) -> Result<RgbImage> {
    let (width, height) = picture.dimensions();
    let s = side as u32;
    not_empty((width, height), s)?;
    if (width, height) == (s, s) {
        return Ok(picture.clone());
    }
    // `int(size * long / short)`, exactly.
    let long = |long: u32, short: u32| (u64::from(s) * u64::from(long) / u64::from(short)) as u32;
    let (wide, high) = match width <= height {
        true => (s, long(height, width)),
        false => (long(width, height), s),
    };
    let resized = match (wide, high) == (width, height) {
        true => picture.clone(),
        false => bicubic(picture, wide, high)?,
    };
    let (left, top) = ((wide - s) / 2, (high - s) / 2);
    Ok(image::imageops::crop_imm(&resized, left, top, s, s).to_image())
}

/// That a resize has pixels on both sides.
pub(super) fn not_empty((width, height): (u32, u32), side: u32) -> Result<()> {
    if width == 0 || height == 0 || side == 0 {
        let got = format!("{width} × {height} to {side} × {side}");
        return Err(Error::value("resize", "sides of at least one pixel", got));
    }
    Ok(())
}

/// PIL's `resize((width, height), BICUBIC)`: a cubic with the slope −½, as wide as it has to be against aliasing. A cubic
/// overshoots at edges, and what lies outside of a byte is cut off after each pass: so rows come first, as in PIL.
fn bicubic(picture: &RgbImage, width: u32, height: u32) -> Result<RgbImage> {
    pass(&pass(picture, width, picture.height())?, width, height)
}

/// One pass, where one side alone changes.
fn pass(picture: &RgbImage, width: u32, height: u32) -> Result<RgbImage> {
    let failed = |e: &dyn std::fmt::Display| Error::value("resize", "pixels", e);
    let from = TypedImageRef::<U8x3>::from_buffer(picture.width(), picture.height(), picture);
    let from = from.map_err(|e| failed(&e))?;
    let mut pixels = vec![0; width as usize * height as usize * 3];
    let to = TypedImage::<U8x3>::from_buffer(width, height, &mut pixels);
    let mut to = to.map_err(|e| failed(&e))?;
    let how = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    RESIZER
        .with_borrow_mut(|resizer| resizer.resize_typed(&from, &mut to, &how))
        .map_err(|e| failed(&e))?;
    drop(to);
    Ok(RgbImage::from_raw(width, height, pixels).expect("three bytes a pixel"))
}
