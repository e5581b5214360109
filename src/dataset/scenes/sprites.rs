//! The drawings, decoded once a style, with smaller copies (each half the one before) for small pictures and shadows.

use std::sync::OnceLock;

use image::ImageFormat;

use super::{Style, objects};

const ATLASES: [&[u8]; 4] = [
    include_bytes!("../../../data/sprites/noto.png"),
    include_bytes!("../../../data/sprites/twemoji.png"),
    include_bytes!("../../../data/sprites/openmoji.png"),
    include_bytes!("../../../data/sprites/fluent.png"),
];

/// A drawing at one size: colours multiplied with alpha, one transparent pixel around it.
pub(super) struct Level {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 4]>,
}

/// A drawing and its smaller copies.
pub(super) struct Sprite {
    pub(super) levels: Vec<Level>,
    /// Width and height, pixels.
    pub(super) size: (f32, f32),
}

/// The drawings of a style, in the order of [`objects`].
pub(super) fn sprites(style: Style) -> &'static [Sprite] {
    static CELLS: [OnceLock<Vec<Sprite>>; 4] = [const { OnceLock::new() }; 4];
    let i = style as usize;
    CELLS[i].get_or_init(|| {
        let atlas = image::load_from_memory_with_format(ATLASES[i], ImageFormat::Png)
            .expect("the embedded atlas is whole: a test reads it")
            .to_rgba8();
        let cut = |[x, y, w, h]: [u32; 4]| {
            let mut first = Level::empty(w as usize, h as usize);
            for dy in 0..h {
                for dx in 0..w {
                    let p = atlas.get_pixel(x + dx, y + dy).0;
                    let alpha = u16::from(p[3]);
                    let times = |c: u8| ((u16::from(c) * alpha + 127) / 255) as u8;
                    first.set(
                        dx as usize,
                        dy as usize,
                        [times(p[0]), times(p[1]), times(p[2]), p[3]],
                    );
                }
            }
            let mut levels = vec![first];
            while let Some(last) = levels.last().filter(|l| l.width.max(l.height) > 4) {
                let next = last.half();
                levels.push(next);
            }
            Sprite { levels, size: (w as f32, h as f32) }
        };
        objects().iter().map(|o| cut(o.rects[i])).collect()
    })
}

impl Level {
    fn empty(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![[0; 4]; (width + 2) * (height + 2)] }
    }

    fn set(&mut self, x: usize, y: usize, pixel: [u8; 4]) {
        self.pixels[(y + 1) * (self.width + 2) + x + 1] = pixel;
    }

    /// Any pixel inside or at the right or lower border, where all are transparent.
    fn get(&self, x: usize, y: usize) -> [u8; 4] {
        self.pixels[(y + 1) * (self.width + 2) + x + 1]
    }

    /// Each pixel the mean of four.
    fn half(&self) -> Self {
        let mut out = Self::empty(self.width.div_ceil(2), self.height.div_ceil(2));
        for y in 0..out.height {
            for x in 0..out.width {
                let mut sum = [2_u16; 4];
                for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                    let p = self.get(2 * x + dx, 2 * y + dy);
                    for (s, p) in sum.iter_mut().zip(p) {
                        *s += u16::from(p);
                    }
                }
                out.set(x, y, sum.map(|s| (s / 4) as u8));
            }
        }
        out
    }

    /// The colour at a place between the pixels, 0 to 1, multiplied with alpha; `u`, `v` in pixels from the corner.
    pub(super) fn at(&self, u: f32, v: f32) -> [f32; 4] {
        // From pixels' corners to their centres, and past the transparent border.
        let (u, v) = (u + 0.5, v + 0.5);
        let inside =
            u >= 0.0 && v >= 0.0 && u < (self.width + 1) as f32 && v < (self.height + 1) as f32;
        if !inside {
            return [0.0; 4];
        }
        let (x, y) = (u as usize, v as usize);
        let (ax, ay) = (u - x as f32, v - y as f32);
        let row = self.width + 2;
        let i = y * row + x;
        let [a, b] = [self.pixels[i], self.pixels[i + 1]];
        let [c, d] = [self.pixels[i + row], self.pixels[i + row + 1]];
        if a[3] | b[3] | c[3] | d[3] == 0 {
            return [0.0; 4];
        }
        let weights = [
            (1.0 - ax) * (1.0 - ay) / 255.0,
            ax * (1.0 - ay) / 255.0,
            (1.0 - ax) * ay / 255.0,
            ax * ay / 255.0,
        ];
        std::array::from_fn(|k| {
            f32::from(a[k]) * weights[0]
                + f32::from(b[k]) * weights[1]
                + f32::from(c[k]) * weights[2]
                + f32::from(d[k]) * weights[3]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_atlases_keep_to_their_budget() {
        // data/README.md: 4,000,000 bytes with index and licences.
        let bytes: usize = ATLASES.iter().map(|a| a.len()).sum();
        assert!(bytes < 3_900_000, "{bytes}");
    }

    #[test]
    fn every_object_is_drawn_in_every_style() {
        for style in Style::ALL {
            let sprites = sprites(style);
            assert_eq!(sprites.len(), objects().len());
            for (sprite, info) in sprites.iter().zip(objects()) {
                let first = &sprite.levels[0];
                let drawn = first.pixels.iter().filter(|p| p[3] > 128).count();
                let share = drawn as f32 / (first.width * first.height) as f32;
                assert!(share > 0.08, "{style:?} {}: {share}", info.name);
            }
        }
    }
}
