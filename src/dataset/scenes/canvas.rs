//! Painting in the coordinates of the 320 × 240 picture on a canvas of any size. Every primitive covers pixels by the
//! part of them that it fills, so that a small canvas shows the large one, shrunk.

use image::RgbImage;

use super::{HEIGHT, WIDTH};

/// Red, green, blue, 0 to 1.
pub(super) type Colour = [f32; 3];

/// Sub-scanlines a pixel row for polygons.
const LINES: usize = 3;

pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    pixels: Vec<Colour>,
    /// Canvas pixels per picture pixel.
    pub(super) sx: f32,
    pub(super) sy: f32,
}

/// A colour from `0xrrggbb`.
pub(super) const fn rgb(hex: u32) -> Colour {
    [(hex >> 16 & 255) as f32 / 255.0, (hex >> 8 & 255) as f32 / 255.0, (hex & 255) as f32 / 255.0]
}

/// From `a` at 0 to `b` at 1.
pub(super) fn mix(a: Colour, b: Colour, t: f32) -> Colour {
    let t = t.clamp(0.0, 1.0);
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t)
}

/// Lighter (`by` > 1) or darker.
pub(super) fn shade(a: Colour, by: f32) -> Colour {
    a.map(|c| c * by)
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32) -> Self {
        let (w, h) = (width as usize, height as usize);
        Self {
            width: w,
            height: h,
            pixels: vec![[0.0; 3]; w * h],
            sx: width as f32 / WIDTH as f32,
            sy: height as f32 / HEIGHT as f32,
        }
    }

    pub(super) fn picture(&self) -> RgbImage {
        let bytes = self.pixels.iter().flatten().map(|c| (c * 255.0 + 0.5).clamp(0.0, 255.0) as u8);
        RgbImage::from_raw(self.width as u32, self.height as u32, bytes.collect())
            .expect("three bytes a pixel")
    }

    /// Lays `colour` over a pixel.
    pub(super) fn blend(&mut self, x: usize, y: usize, colour: Colour, alpha: f32) {
        let pixel = &mut self.pixels[y * self.width + x];
        for (p, c) in pixel.iter_mut().zip(colour) {
            *p += (c - *p) * alpha;
        }
    }

    /// Lays a colour that is already multiplied with its alpha over a pixel.
    pub(super) fn over(&mut self, x: usize, y: usize, [r, g, b, a]: [f32; 4]) {
        let pixel = &mut self.pixels[y * self.width + x];
        for (p, c) in pixel.iter_mut().zip([r, g, b]) {
            *p = *p * (1.0 - a) + c;
        }
    }

    /// The rows of pixels that lie between two heights, at least partly, and how much of each does.
    fn rows(&self, top: f32, bottom: f32) -> impl Iterator<Item = (usize, f32)> + use<> {
        let (top, bottom) = (top * self.sy, bottom * self.sy);
        let first = top.max(0.0).floor() as usize;
        let last = bottom.ceil().clamp(0.0, self.height as f32) as usize;
        (first..last).map(move |y| {
            let covered = bottom.min(y as f32 + 1.0) - top.max(y as f32);
            (y, covered.clamp(0.0, 1.0))
        })
    }

    /// Fills everything between two heights with colours from `from` to `to`.
    pub(super) fn gradient(&mut self, top: f32, bottom: f32, from: Colour, to: Colour) {
        for (y, cover) in self.rows(top, bottom) {
            let t = ((y as f32 + 0.5) / self.sy - top) / (bottom - top);
            let colour = mix(from, to, t);
            for x in 0..self.width {
                self.blend(x, y, colour, cover);
            }
        }
    }

    /// Makes what lies between two heights lighter and darker in patches of the given size, by up to `strength`.
    pub(super) fn mottle(
        &mut self,
        (top, bottom): (f32, f32),
        (cell_w, cell_h): (f32, f32),
        strength: f32,
        seed: u32,
    ) {
        // Patches below a pixel average out.
        let strength = strength * (cell_w * self.sx).min(1.0) * (cell_h * self.sy).min(1.0);
        let step = 1.0 / (self.sx * cell_w);
        for (y, cover) in self.rows(top, bottom) {
            let v = (y as f32 + 0.5) / (self.sy * cell_h);
            let row = NoiseRow::new(v, seed);
            for x in 0..self.width {
                let by = 1.0 + strength * cover * row.at((x as f32 + 0.5) * step);
                let pixel = &mut self.pixels[y * self.width + x];
                *pixel = pixel.map(|c| c * by);
            }
        }
    }

    /// A filled ellipse.
    pub(super) fn ellipse(
        &mut self,
        centre: (f32, f32),
        radii: (f32, f32),
        colour: Colour,
        alpha: f32,
    ) {
        self.round(centre, radii, colour, alpha, false);
    }

    /// An ellipse that fades from its centre to its border.
    pub(super) fn glow(
        &mut self,
        centre: (f32, f32),
        radii: (f32, f32),
        colour: Colour,
        alpha: f32,
    ) {
        self.round(centre, radii, colour, alpha, true);
    }

    fn round(
        &mut self,
        (cx, cy): (f32, f32),
        (rx, ry): (f32, f32),
        colour: Colour,
        alpha: f32,
        soft: bool,
    ) {
        let (cx, cy) = (cx * self.sx, cy * self.sy);
        let (rx, ry) = (rx * self.sx, ry * self.sy);
        // What is smaller than a pixel is a pixel with less of the colour.
        let alpha = alpha * (rx / 0.7).min(1.0) * (ry / 0.7).min(1.0);
        let (rx, ry) = (rx.max(0.7), ry.max(0.7));
        let (x0, x1) = span(cx - rx - 0.5, cx + rx + 0.5, self.width);
        let (y0, y1) = span(cy - ry - 0.5, cy + ry + 0.5, self.height);
        let edge = rx.min(ry);
        for y in y0..y1 {
            let dy = (y as f32 + 0.5 - cy) / ry;
            for x in x0..x1 {
                let dx = (x as f32 + 0.5 - cx) / rx;
                let d = (dx * dx + dy * dy).sqrt();
                let cover = if soft {
                    let t = (1.0 - d).clamp(0.0, 1.0);
                    t * t * (3.0 - 2.0 * t)
                } else {
                    ((1.0 - d) * edge + 0.5).clamp(0.0, 1.0)
                };
                if cover > 0.0 {
                    self.blend(x, y, colour, alpha * cover);
                }
            }
        }
    }

    /// A filled polygon of at most 64 corners.
    pub(super) fn polygon(&mut self, corners: &[(f32, f32)], colour: Colour, alpha: f32) {
        let top = corners.iter().map(|c| c.1).fold(f32::INFINITY, f32::min) * self.sy;
        let bottom = corners.iter().map(|c| c.1).fold(f32::NEG_INFINITY, f32::max) * self.sy;
        let (y0, y1) = span(top, bottom, self.height);
        let mut crossings = [0.0_f32; 64];
        for y in y0..y1 {
            for line in 0..LINES {
                let at = y as f32 + (line as f32 + 0.5) / LINES as f32;
                let mut n = 0;
                let mut last = corners[corners.len() - 1];
                for &next in corners {
                    let (ay, by) = (last.1 * self.sy, next.1 * self.sy);
                    if (ay <= at) != (by <= at) && n < 64 {
                        let t = (at - ay) / (by - ay);
                        crossings[n] = (last.0 + (next.0 - last.0) * t) * self.sx;
                        n += 1;
                    }
                    last = next;
                }
                crossings[..n].sort_by(f32::total_cmp);
                for pair in crossings[..n].chunks_exact(2) {
                    self.run(y, pair[0], pair[1], colour, alpha / LINES as f32);
                }
            }
        }
    }

    /// Part of a row of pixels.
    fn run(&mut self, y: usize, left: f32, right: f32, colour: Colour, alpha: f32) {
        let (x0, x1) = span(left, right, self.width);
        for x in x0..x1 {
            let cover = right.min(x as f32 + 1.0) - left.max(x as f32);
            self.blend(x, y, colour, alpha * cover.clamp(0.0, 1.0));
        }
    }

    /// A rectangle.
    pub(super) fn rectangle(
        &mut self,
        (left, top): (f32, f32),
        (right, bottom): (f32, f32),
        colour: Colour,
        alpha: f32,
    ) {
        let (x0, x1) = (left * self.sx, right * self.sx);
        for (y, cover) in self.rows(top, bottom) {
            self.run(y, x0, x1, colour, alpha * cover);
        }
    }

    /// A rectangle with colours from `from` at its top to `to`.
    pub(super) fn gradient_box(
        &mut self,
        (left, top): (f32, f32),
        (right, bottom): (f32, f32),
        from: Colour,
        to: Colour,
    ) {
        let (x0, x1) = (left * self.sx, right * self.sx);
        for (y, cover) in self.rows(top, bottom) {
            let t = ((y as f32 + 0.5) / self.sy - top) / (bottom - top);
            self.run(y, x0, x1, mix(from, to, t), cover);
        }
    }

    /// A straight line of some width.
    pub(super) fn line(
        &mut self,
        from: (f32, f32),
        to: (f32, f32),
        width: f32,
        colour: Colour,
        alpha: f32,
    ) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let scale = 0.5 * width / (dx * dx + dy * dy).sqrt().max(1e-6);
        let (nx, ny) = (-dy * scale, dx * scale);
        let corners = [
            (from.0 + nx, from.1 + ny),
            (to.0 + nx, to.1 + ny),
            (to.0 - nx, to.1 - ny),
            (from.0 - nx, from.1 - ny),
        ];
        self.polygon(&corners, colour, alpha);
    }

    /// Everything below a curve, down to `bottom`; `height` gives the curve's y for an x.
    pub(super) fn below(
        &mut self,
        height: impl Fn(f32) -> f32,
        bottom: f32,
        from: Colour,
        to: Colour,
    ) {
        for x in 0..self.width {
            let top = height((x as f32 + 0.5) / self.sx);
            for (y, cover) in self.rows(top, bottom) {
                let t = ((y as f32 + 0.5) / self.sy - top) / (bottom - top).max(1.0);
                self.blend(x, y, mix(from, to, t), cover);
            }
        }
    }
}

/// The pixels that an interval touches, inside the canvas.
pub(super) fn span(from: f32, to: f32, end: usize) -> (usize, usize) {
    let end = end as f32;
    (from.floor().clamp(0.0, end) as usize, to.ceil().clamp(0.0, end) as usize)
}

/// One row of smooth noise between −1 and 1 on a lattice of cells, for places right of and below the corner.
struct NoiseRow {
    y: u32,
    t: f32,
    seed: u32,
}

impl NoiseRow {
    fn new(v: f32, seed: u32) -> Self {
        let y = v as u32;
        Self { y, t: smooth(v - y as f32), seed }
    }

    fn at(&self, u: f32) -> f32 {
        let x = u as u32;
        let t = smooth(u - x as f32);
        let value =
            |dx: u32, dy: u32| lattice(x.wrapping_add(dx), self.y.wrapping_add(dy), self.seed);
        let top = value(0, 0) + (value(1, 0) - value(0, 0)) * t;
        let bottom = value(0, 1) + (value(1, 1) - value(0, 1)) * t;
        top + (bottom - top) * self.t
    }
}

fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

fn lattice(x: u32, y: u32, seed: u32) -> f32 {
    let mut h = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ seed;
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    ((h ^ (h >> 15)) & 0xffff) as f32 / 32767.5 - 1.0
}
