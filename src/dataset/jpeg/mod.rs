//! JPEGs as cameras and Flickr write them, decoded to planes of brightness and colour: for who makes a picture smaller anyway.
//!
//! A decoder's usual last steps, colour planes enlarged to full size and every pixel turned into red, green and blue, are done
//! for pixels that a resize then throws away. Here the planes are resized as they lie in the file, and only the small picture's
//! pixels change their colours.
//!
//! ```text
//! bits ─ huffman ─→ coefficients of 8 × 8 blocks ─ idct ─→ planes Y, Cb, Cr ─ resize ─→ small planes ─→ small RGB
//! ```
//!
//! Baseline files only (ITU-T T.81, processes 1 and 2, 8 bits, one scan), grey or YCbCr. [`decode`] says `None` for everything
//! else, whatever is wrong or unusual, and the general decoder of [`load_image`](super::load_image) has its word.

mod headers;
mod huffman;
mod idct;

use std::cell::RefCell;

use headers::{Component, Headers};
use huffman::{Bits, Huffman};

use crate::nn::ops::vectorised;

/// More pixels than this are left to the general decoder, which has limits of its own.
const MOST_PIXELS: usize = 1 << 26;

/// One plane of a picture: brightness, or one of the two colours.
pub struct Plane {
    /// Rows of `width` values without a gap.
    pub values: Vec<u8>,
    pub width: usize,
    pub height: usize,
    /// The part of the plane that the picture covers, from the first corner: half a value less than the plane's sides where a
    /// colour plane has half of an odd number of pixels.
    pub covers: (f64, f64),
}

/// A picture's planes: one for grey, three for YCbCr.
#[derive(Default)]
pub struct Planes(pub Vec<Plane>);

thread_local! {
    /// What decoding needs, kept for the thread's next picture.
    static WORK: RefCell<(Vec<u8>, Planes)> = RefCell::default();
}

/// Gives the planes of a baseline JPEG to `use_them`; `None` where the general decoder must look.
pub fn decode<T>(bytes: &[u8], use_them: impl FnOnce(&Planes) -> T) -> Option<T> {
    let headers = headers::read(bytes)?;
    if headers.width * headers.height > MOST_PIXELS {
        return None;
    }
    WORK.with_borrow_mut(|(scan, planes)| {
        let parts = headers::entropy_coded(bytes, headers.scan_at, scan)?;
        vectorised(
            #[inline(always)]
            || scan_to_planes(&headers, scan, &parts, planes),
        )?;
        Some(use_them(planes))
    })
}

/// Decodes the one scan.
#[inline(always)]
fn scan_to_planes(
    headers: &Headers,
    scan: &[u8],
    parts: &[(usize, usize)],
    planes: &mut Planes,
) -> Option<()> {
    let (columns, rows) = headers.mcus();
    planes.0.resize_with(headers.components.len(), || Plane {
        values: Vec::new(),
        width: 0,
        height: 0,
        covers: (0., 0.),
    });
    for (plane, component) in planes.0.iter_mut().zip(&headers.components) {
        // As many values as whole blocks have; what lies outside the picture is cut off at the end.
        plane.width = columns * component.h * 8;
        plane.height = rows * component.v * 8;
        plane.values.resize(plane.width * plane.height, 0);
    }
    let tables = |c: &Component| -> Option<(&Huffman, &Huffman, &[i32; 64])> {
        Some((
            headers.dc[c.dc_table].as_ref()?,
            headers.ac[c.ac_table].as_ref()?,
            headers.quantization[c.quantization].as_ref()?,
        ))
    };
    let tables: Vec<_> = headers.components.iter().map(tables).collect::<Option<_>>()?;
    let total = columns * rows;
    let interval = if headers.restart_interval == 0 { total } else { headers.restart_interval };
    if parts.len() != total.div_ceil(interval) {
        return None;
    }
    let mut block = [0i32; 64];
    for (part, &(start, end)) in parts.iter().enumerate() {
        let mut bits = Bits::new(scan, start, end);
        let mut before = [0i32; 3];
        for mcu in part * interval..((part + 1) * interval).min(total) {
            let (x, y) = (mcu % columns, mcu / columns);
            for (i, component) in headers.components.iter().enumerate() {
                let (dc, ac, quantization) = tables[i];
                let plane = &mut planes.0[i];
                for inner in 0..component.h * component.v {
                    let left = (x * component.h + inner % component.h) * 8;
                    let top = (y * component.v + inner / component.h) * 8;
                    block.fill(0);
                    let last = bits.block(dc, ac, quantization, &mut before[i], &mut block)?;
                    let out = &mut plane.values[top * plane.width + left..];
                    idct::pixels(&block, last, out, plane.width);
                }
            }
        }
        if bits.overrun() {
            return None;
        }
    }
    let (h_most, v_most) = headers.most();
    for (plane, component) in planes.0.iter_mut().zip(&headers.components) {
        let of = |size: usize, own: usize, most: usize| (size * own) as f64 / most as f64;
        plane.covers =
            (of(headers.width, component.h, h_most), of(headers.height, component.v, v_most));
        let (width, height) = (plane.covers.0.ceil() as usize, plane.covers.1.ceil() as usize);
        for row in 1..height {
            let from = row * plane.width;
            plane.values.copy_within(from..from + width, row * width);
        }
        plane.values.truncate(width * height);
        (plane.width, plane.height) = (width, height);
    }
    Some(())
}

/// A row of brightness and colours → red, green and blue, by JFIF's matrix in 16 bits behind the point, as libjpeg rounds it.
#[inline(always)]
pub fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
    let byte = |value: i32| ((value + (1 << 15)) >> 16).clamp(0, 255) as u8;
    [byte(y + 91_881 * cr), byte(y - 22_554 * cb - 46_802 * cr), byte(y + 116_130 * cb)]
}

#[cfg(test)]
mod tests;
