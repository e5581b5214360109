//! Against the general decoder and against PIL's pixels; and that nothing unusual or damaged is taken.

use std::path::PathBuf;

use image::codecs::jpeg::JpegEncoder;
use image::{GrayImage, RgbImage};

use super::*;

fn golden() -> Vec<u8> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/resize");
    std::fs::read(here.join("picture.jpg")).unwrap()
}

/// Smooth, with an edge and some noise: every coefficient gets used.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let noise = ((x * 7919 + y * 104_729) % 61) as u8;
        let edge = if (x / 9 + y / 13) % 2 == 0 { 90 } else { 0 };
        image::Rgb([(x * 2) as u8 / 2 + noise, edge + noise, (y * 3) as u8 / 2 + 40])
    })
}

fn encoded(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture).unwrap();
    bytes
}

/// The brightness of the general decoder's pixels, to the nearest whole number, and ours: up to 2 apart: red,
/// green and blue were rounded on the way, and the two transforms round in another order.
#[test]
fn brightness_is_the_general_decoders() {
    for (width, height, quality) in
        [(64, 48, 90), (37, 51, 99), (8, 8, 50), (1, 1, 75), (100, 17, 10)]
    {
        let bytes = encoded(&picture(width, height), quality);
        let theirs = image::load_from_memory(&bytes).unwrap().into_rgb8();
        let worst = decode(&bytes, |planes| {
            let y = &planes.0[0];
            assert_eq!((y.width, y.height), (width as usize, height as usize));
            let in_gamut = |p: &&image::Rgb<u8>| p.0.iter().all(|v| (1..255).contains(v));
            let upright = turned(&y.values, y.width, y.height);
            let pairs = theirs.pixels().zip(&upright);
            pairs
                .filter(|(p, _)| in_gamut(p))
                .map(|(p, y)| {
                    let [r, g, b] = p.0.map(f64::from);
                    (0.299 * r + 0.587 * g + 0.114 * b - f64::from(*y)).abs()
                })
                .fold(0., f64::max)
        });
        assert!(worst.unwrap() <= 2., "{width} × {height}, {quality}: {worst:?}");
    }
}

/// A grey file has the general decoder's values but for one where its transform rounds otherwise.
#[test]
fn grey_is_one_plane() {
    let grey = GrayImage::from_fn(45, 30, |x, y| image::Luma([(x * 5 + y * 3 + x * y % 7) as u8]));
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(&grey).unwrap();
    let theirs = image::load_from_memory(&bytes).unwrap().into_luma8();
    let ours = decode(&bytes, |planes| {
        let first = &planes.0[0];
        (planes.0.len(), turned(&first.values, first.width, first.height))
    })
    .unwrap();
    assert_eq!(ours.0, 1);
    assert!(ours.1.iter().zip(theirs.as_raw()).all(|(a, b)| a.abs_diff(*b) <= 1));
}

/// PIL wrote it with colours at half the resolution: 113 rows are 57 of colour, of which the picture covers 56½.
#[test]
fn halved_colours() {
    let sizes = decode(&golden(), |planes| {
        planes.0.iter().map(|p| (p.width, p.height, p.covers)).collect::<Vec<_>>()
    });
    let colour = (75, 57, (75., 56.5));
    assert_eq!(sizes.unwrap(), [(150, 113, (150., 113.)), colour, colour]);
}

#[test]
fn the_matrix_is_libjpegs() {
    assert_eq!(rgb(0, 128, 128), [0; 3]);
    assert_eq!(rgb(255, 128, 128), [255; 3]);
    for (y, cb, cr) in (0..=255).step_by(15).flat_map(|y| {
        (0..=255)
            .step_by(15)
            .flat_map(move |b| (0..=255).step_by(17).map(move |r| (y as u8, b as u8, r as u8)))
    }) {
        let (yf, b, r) = (f64::from(y), f64::from(cb) - 128., f64::from(cr) - 128.);
        let exact = [yf + 1.402 * r, yf - 0.344_136 * b - 0.714_136 * r, yf + 1.772 * b];
        for (exact, ours) in exact.into_iter().zip(rgb(y, cb, cr)) {
            // Half a unit for rounding, and a little for the sixteen bits.
            assert!((exact.clamp(0., 255.) - f64::from(ours)).abs() < 0.51);
        }
    }
}

/// Whatever is cut, changed or put in: no panic, and what is cut is never taken for whole.
#[test]
fn damaged_files_are_left_to_the_general_decoder() {
    let whole = golden();
    for cut in 0..whole.len() - 1 {
        assert!(decode(&whole[..cut], |_| ()).is_none(), "{cut} of {} bytes", whole.len());
    }
    let mut seed = 1u32;
    for _ in 0..3000 {
        let mut bytes = whole.clone();
        for _ in 0..3 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = seed as usize / 7 % bytes.len();
            bytes[at] = (seed >> 24) as u8;
        }
        let _ = decode(&bytes, |planes| planes.0.len());
    }
    let png = {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture(9, 9).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    };
    assert!(decode(&png, |_| ()).is_none());
    // A progressive file says so in its frame's marker.
    let mut progressive = whole;
    let frame = progressive.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    progressive[frame + 1] = 0xc2;
    assert!(decode(&progressive, |_| ()).is_none());
}

#[test]
fn turned_is_the_transpose() {
    for (rows, columns) in [(1, 1), (16, 16), (3, 40), (47, 33), (32, 17), (16, 64)] {
        let values: Vec<u8> = (0..rows * columns).map(|i| (i * 7 % 251) as u8).collect();
        let out = turned(&values, rows, columns);
        for row in 0..rows {
            for column in 0..columns {
                assert_eq!(out[column * rows + row], values[row * columns + column]);
            }
        }
    }
}
