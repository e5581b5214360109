//! Names the colour of a drawing, where it plainly has one.

use image::RgbaImage;

const NAMES: [&str; 10] =
    ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "gray", "white"];

/// The share of a drawing that its colour's name must cover.
const SHARE: f32 = 0.4;

/// The name of the colour that covers two fifths of each of the drawings, if there is one.
pub fn common(drawings: &[RgbaImage]) -> Option<&'static str> {
    let mut names = drawings.iter().map(main);
    let first = names.next()??;
    names.all(|name| name == Some(first)).then_some(first)
}

fn main(drawing: &RgbaImage) -> Option<&'static str> {
    let mut counts = [0_u32; 10];
    let mut all = 0_u32;
    for p in drawing.pixels().filter(|p| p[3] > 200) {
        all += 1;
        if let Some(i) = name(p[0], p[1], p[2]) {
            counts[i] += 1;
        }
    }
    let (best, &count) = counts.iter().enumerate().max_by_key(|(_, c)| **c)?;
    (count as f32 >= SHARE * all as f32).then_some(NAMES[best])
}

fn name(r: u8, g: u8, b: u8) -> Option<usize> {
    let (r, g, b) = (f32::from(r) / 255.0, f32::from(g) / 255.0, f32::from(b) / 255.0);
    let (high, low) = (r.max(g).max(b), r.min(g).min(b));
    let chroma = high - low;
    if high < 0.22 {
        return None; // black: outlines, tyres, eyes
    }
    let saturation = chroma / high;
    if saturation < 0.14 {
        return Some(if high > 0.9 { 9 } else { 8 });
    }
    let hue = if high == r {
        60.0 * ((g - b) / chroma).rem_euclid(6.0)
    } else if high == g {
        60.0 * ((b - r) / chroma + 2.0)
    } else {
        60.0 * ((r - g) / chroma + 4.0)
    };
    Some(match hue {
        h if !(12.0..340.0).contains(&h) => {
            if saturation < 0.5 && high > 0.8 {
                6
            } else {
                0
            }
        }
        h if h < 40.0 => {
            if high < 0.78 || saturation < 0.5 {
                7
            } else {
                1
            }
        }
        h if h < 66.0 => {
            if high < 0.6 {
                7
            } else {
                2
            }
        }
        h if h < 165.0 => 3,
        h if h < 250.0 => 4,
        h if h < 295.0 => 5,
        _ => 6,
    })
}
