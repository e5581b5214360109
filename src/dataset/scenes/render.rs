//! Draws a scene: background, then every object with its shadow, from the farthest to the nearest.

use image::RgbImage;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::canvas::{Canvas, Colour, rgb, span};
use super::{Background, Placed, Scene, backgrounds, objects, sprites, water};

impl Scene {
    /// The picture, drawn at `width` × `height` pixels: the 320 × 240 picture, squeezed to that size.
    pub fn render(&self, width: u32, height: u32) -> RgbImage {
        let mut canvas = Canvas::new(width, height);
        let mut rng = ChaCha8Rng::seed_from_u64(self.paint);
        backgrounds::paint(&mut canvas, self, &mut rng);
        for placed in &self.objects {
            self.shadow(&mut canvas, placed);
            self.object(&mut canvas, placed);
            if self.background == Background::Sea && !objects()[placed.object].flies_only() {
                water::foam(&mut canvas, placed, &mut rng);
            }
        }
        backgrounds::in_front(&mut canvas, self, &mut rng);
        canvas.picture()
    }

    /// A soft shade behind the object, so that it stands out, and a shadow at the feet of what stands.
    fn shadow(&self, canvas: &mut Canvas, placed: &Placed) {
        let aloft = objects()[placed.object].flies_only()
            || matches!(self.background, Background::Sky | Background::Underwater);
        let dark = rgb(0x10_18_28);
        if !aloft {
            let feet = (placed.x + 0.5 * placed.w, placed.y + 0.965 * placed.h);
            let (rx, ry) = (0.56 * placed.w, (0.1 * placed.w).clamp(4.0, 12.0));
            canvas.glow((feet.0 + 3.0, feet.1), (rx, ry), dark, 0.62);
        }
        // At night it is a pale rim, as of moonlight: dark outlines would be lost.
        let night = self.background == Background::Night;
        let (rim, alpha, dx, dy) = match (night, aloft) {
            (true, _) => (rgb(0xa8_bc_f0), 0.42, 0.0, 0.0),
            (_, true) => (dark, 0.22, 2.5, 2.0),
            (_, false) => (dark, 0.3, 2.5, 2.0),
        };
        let moved = Placed { x: placed.x + dx, y: placed.y + dy, ..*placed };
        self.each(canvas, &moved, 3, |[.., a]| {
            let a = a * alpha;
            [rim[0] * a, rim[1] * a, rim[2] * a, a]
        });
    }

    fn object(&self, canvas: &mut Canvas, placed: &Placed) {
        let tint: Colour = match self.background {
            Background::Night => [0.9, 0.92, 1.0],
            Background::Underwater => [0.9, 0.98, 1.0],
            _ => [1.0; 3],
        };
        let tint = tint.map(|t| t * self.light);
        self.each(canvas, placed, 0, |[r, g, b, a]| {
            [(r * tint[0]).min(a), (g * tint[1]).min(a), (b * tint[2]).min(a), a]
        });
    }

    /// Lays the object's drawing, turned and mirrored, over the canvas; `blur` takes smaller copies of it.
    fn each(
        &self,
        canvas: &mut Canvas,
        placed: &Placed,
        blur: usize,
        colour: impl Fn([f32; 4]) -> [f32; 4],
    ) {
        let sprite = &sprites::sprites(self.style)[placed.object];
        let (sw, sh) = sprite.size;
        // Drawing pixels that fall on a canvas pixel, along the axis that is squeezed less.
        let (step_x, step_y) = (sw / (placed.w * canvas.sx), sh / (placed.h * canvas.sy));
        let level = (step_x.min(step_y).log2().floor().max(0.0) as usize).max(blur);
        let level = level.min(sprite.levels.len() - 1);
        let factor = 1.0 / (1_u32 << level) as f32;
        let levels = &sprite.levels[level];
        let taps = if blur > 0 || step_x.max(step_y) * factor < 1.0 { 1 } else { 2 };
        let (sin, cos) = placed.tilt.to_radians().sin_cos();
        let (cx, cy) = (placed.x + 0.5 * placed.w, placed.y + 0.5 * placed.h);
        let spread = if blur > 0 { 8.0 } else { 0.0 };
        let half_w = 0.5 * (placed.w * cos.abs() + placed.h * sin.abs()) + spread;
        let half_h = 0.5 * (placed.w * sin.abs() + placed.h * cos.abs()) + spread;
        let (x0, x1) =
            span((cx - half_w) * canvas.sx - 1.0, (cx + half_w) * canvas.sx + 1.0, canvas.width);
        let (y0, y1) =
            span((cy - half_h) * canvas.sy - 1.0, (cy + half_h) * canvas.sy + 1.0, canvas.height);
        let weight = 1.0 / (taps * taps) as f32;
        for y in y0..y1 {
            for x in x0..x1 {
                let mut sum = [0.0_f32; 4];
                for tap in 0..taps * taps {
                    let (tx, ty) = ((tap % taps) as f32, (tap / taps) as f32);
                    let px = (x as f32 + (tx + 0.5) / taps as f32) / canvas.sx - cx;
                    let py = (y as f32 + (ty + 0.5) / taps as f32) / canvas.sy - cy;
                    let (u, v) = (cos * px + sin * py, cos * py - sin * px);
                    let u = if placed.flip { -u } else { u };
                    let u = (u / placed.w + 0.5) * sw * factor;
                    let v = (v / placed.h + 0.5) * sh * factor;
                    for (s, c) in sum.iter_mut().zip(levels.at(u, v)) {
                        *s += c * weight;
                    }
                }
                if sum[3] > 0.0 {
                    canvas.over(x, y, colour(sum));
                }
            }
        }
    }
}
