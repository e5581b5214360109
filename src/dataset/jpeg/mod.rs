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
//! The planes lie on their side, a picture's column being a row in memory: what makes a picture narrower then adds whole rows,
//! which is what vectors are good at. That and turning the narrow picture upright took two fifths of the time that adding
//! neighbours in a row did (0.24 of 0.60 ms a picture of 500 × 375, from a profile).
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
    /// `width` columns of `height` values, one behind the other without a gap.
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
                    let out = &mut plane.values[left * plane.height + top..];
                    idct::pixels(&block, last, out, plane.height);
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
        for column in 1..width {
            let from = column * plane.height;
            plane.values.copy_within(from..from + height, column * height);
        }
        plane.values.truncate(width * height);
        (plane.width, plane.height) = (width, height);
    }
    Some(())
}

/// A pixel's brightness and colours → red, green and blue, by JFIF's matrix in 16 bits behind the point, as libjpeg rounds it.
#[inline(always)]
pub fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
    let byte = |value: i32| ((value + (1 << 15)) >> 16).clamp(0, 255) as u8;
    [byte(y + 91_881 * cr), byte(y - 22_554 * cb - 46_802 * cr), byte(y + 116_130 * cb)]
}

/// `rows × columns` values → `columns × rows`. Sixteen by sixteen at a time: to lay sixteen rows into each other like the halves
/// of a deck of cards, four times over, is to turn them.
pub fn turned(values: &[u8], rows: usize, columns: usize) -> Vec<u8> {
    let mut out = vec![0; values.len()];
    vectorised(
        #[inline(always)]
        || {
            let (whole_rows, whole_columns) = (rows / 16 * 16, columns / 16 * 16);
            for top in (0..whole_rows).step_by(16) {
                for left in (0..whole_columns).step_by(16) {
                    let row = |i: usize| -> [u8; 16] {
                        let at = (top + i) * columns + left;
                        values[at..at + 16].try_into().unwrap_or_default()
                    };
                    let mut block: [[u8; 16]; 16] = std::array::from_fn(row);
                    for _ in 0..4 {
                        block = riffled(&block);
                    }
                    for (i, row) in block.iter().enumerate() {
                        let at = (left + i) * rows + top;
                        out[at..at + 16].copy_from_slice(row);
                    }
                }
            }
            let mut single = |row: usize, column: usize| {
                out[column * rows + row] = values[row * columns + column];
            };
            for row in 0..rows {
                let from = if row < whole_rows { whole_columns } else { 0 };
                (from..columns).for_each(|column| single(row, column));
            }
        },
    );
    out
}

/// The two halves of 256 values laid into each other.
#[inline(always)]
fn riffled(block: &[[u8; 16]; 16]) -> [[u8; 16]; 16] {
    std::array::from_fn(|row| {
        let (a, b, from) = (&block[row / 2], &block[row / 2 + 8], row % 2 * 8);
        std::array::from_fn(|k| if k % 2 == 0 { a[from + k / 2] } else { b[from + k / 2] })
    })
}

#[cfg(test)]
mod tests;
