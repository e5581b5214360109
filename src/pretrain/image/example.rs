//! Pictures to learn from, drawn and redrawn, with what is to be seen of them; and as batches.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use image::RgbImage;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::Result;
use crate::dataset::Transform;
use crate::dataset::scenes::{Background, HEIGHT, Scene, Split, WIDTH};

/// One picture with its answers.
pub(super) struct Example {
    pixels: Vec<u8>,
    pub(super) kinds: Vec<(usize, usize)>,
    /// Every object and its box: left, top, right, bottom in pixels.
    boxes: Vec<(usize, [f32; 4])>,
    pub(super) ground: usize,
}

impl Example {
    /// A whole scene, squeezed to `size × size`.
    pub(super) fn whole(rng: &mut ChaCha8Rng, split: Split, size: usize) -> Self {
        Self::of(&Scene::sample(rng, split), size)
    }

    /// As [`whole`](Example::whole), redrawn for training.
    pub(super) fn redrawn(rng: &mut ChaCha8Rng, split: Split, size: usize) -> Self {
        let mut scene = Scene::sample(rng, split);
        redraw(&mut scene, rng);
        Self::of(&scene, size)
    }

    /// The surroundings of one of a scene's objects, seen larger: at most so that it fills the picture.
    pub(super) fn near(rng: &mut ChaCha8Rng, split: Split, size: usize) -> Self {
        let mut scene = Scene::sample(rng, split);
        let (width, height) = (WIDTH as f32, HEIGHT as f32);
        if let Some(&focus) = scene.objects.choose(rng) {
            let largest = 0.95 * (width / focus.w).min(height / focus.h);
            let zoom = if largest > 1.2 { rng.random_range(1.2..largest) } else { largest };
            let mut middle = |side: f32, long: f32| {
                let free = (side - zoom * long) / 2.;
                side / 2. + rng.random_range(-0.8..0.8) * free.max(0.)
            };
            let (at_x, at_y) = (middle(width, focus.w), middle(height, focus.h));
            for p in &mut scene.objects {
                let from_x = p.x + p.w / 2. - focus.x - focus.w / 2.;
                let from_y = p.y + p.h / 2. - focus.y - focus.h / 2.;
                (p.w, p.h) = (p.w * zoom, p.h * zoom);
                p.x = at_x + zoom * from_x - p.w / 2.;
                p.y = at_y + zoom * from_y - p.h / 2.;
            }
        }
        redraw(&mut scene, rng);
        Self::of(&scene, size)
    }

    /// The picture of `scene` and what can be seen of it: an object counts when its centre is inside.
    fn of(scene: &Scene, size: usize) -> Self {
        let (sx, sy) = (size as f32 / WIDTH as f32, size as f32 / HEIGHT as f32);
        let mut counts = BTreeMap::new();
        let mut boxes = Vec::new();
        for p in &scene.objects {
            let (x, y) = (p.x + p.w / 2., p.y + p.h / 2.);
            if (0. ..WIDTH as f32).contains(&x) && (0. ..HEIGHT as f32).contains(&y) {
                *counts.entry(p.object).or_insert(0) += 1;
            }
            boxes.push((p.object, [p.x * sx, p.y * sy, (p.x + p.w) * sx, (p.y + p.h) * sy]));
        }
        Self {
            pixels: soften(scene.render(size as u32, size as u32)),
            kinds: counts.into_iter().collect(),
            boxes,
            ground: ground(scene),
        }
    }

    /// Adds to `targets` `(side · side, objects + 1)` what is in each cell of the picture, moved by `shift` pixels: the
    /// share that each object's box covers; the last is nothing.
    pub(super) fn cells(&self, size: usize, side: usize, shift: (i64, i64), targets: &mut [f32]) {
        let long = size as f32 / side as f32;
        let (dx, dy) = (shift.0 as f32, shift.1 as f32);
        let answers = targets.len() / (side * side);
        let overlap = |a: f32, b: f32, cell: usize| {
            let start = cell as f32 * long;
            (b.min(start + long) - a.max(start)).max(0.) / long
        };
        for (at, cell) in targets.chunks_mut(answers).enumerate() {
            for &(object, [left, top, right, bottom]) in &self.boxes {
                cell[object] += overlap(left - dx, right - dx, at % side)
                    * overlap(top - dy, bottom - dy, at / side);
            }
            let sum: f32 = cell.iter().sum();
            if sum > 1. {
                cell.iter_mut().for_each(|c| *c /= sum);
            } else {
                cell[answers - 1] = 1. - sum;
            }
        }
    }
}

/// Every kind a little wider or narrower and turned: another hand would have drawn it so.
fn redraw(scene: &mut Scene, rng: &mut ChaCha8Rng) {
    for kind in &scene.kinds {
        let (wider, turned) = (rng.random_range(-0.2f32..0.2).exp(), rng.random_range(-12. ..12.));
        for p in scene.objects.iter_mut().filter(|p| p.object == kind.object) {
            let (w, h) = (p.w * wider, p.h / wider);
            p.x += (p.w - w) / 2.;
            p.y += (p.h - h) / 2.;
            (p.w, p.h) = (w, h);
            p.tilt += turned;
        }
    }
}

/// A drawing's pixels are means over squares, those of a resized photograph means under triangles twice as wide: this
/// is the step from one to the other, so that the encoder learns on what it will see.
fn soften(picture: RgbImage) -> Vec<u8> {
    let width = 3 * picture.width() as usize;
    let mut rows = picture.into_raw();
    let height = rows.len() / width;
    for (count, step) in [(width / 3, 3), (height, width)] {
        let from = rows.clone();
        for (i, to) in rows.iter_mut().enumerate() {
            let at = i / step % count;
            let before = from[if at == 0 { i } else { i - step }];
            let after = from[if at + 1 == count { i } else { i + step }];
            *to = ((u32::from(before) + 6 * u32::from(from[i]) + u32::from(after) + 4) / 8) as u8;
        }
    }
    rows
}

/// How far a picture is moved in training, pixels.
pub(super) fn shift(seed: u64) -> (i64, i64) {
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    (rng.random_range(-5..=5), rng.random_range(-5..=5))
}

fn ground(scene: &Scene) -> usize {
    Background::ALL.iter().position(|b| *b == scene.background).unwrap_or(0)
}

/// Turns a colour by `angle` around the grey axis and multiplies its distance from grey.
fn turn([r, g, b]: [f32; 3], angle: f32, colour: f32) -> [f32; 3] {
    let grey = (r + g + b) / 3.;
    let (sin, cos) = (colour * angle.sin() / 3f32.sqrt(), colour * angle.cos());
    let one = |own: f32, next: f32, last: f32| grey + cos * (own - grey) + sin * (last - next);
    [one(r, g, b), one(g, b, r), one(b, r, g)]
}

/// Pictures to a batch `(b, 3, s, s)`; in training moved by some pixels, with colours and light changed.
pub(super) fn batch(
    examples: &[(&Example, u64)],
    transform: &Transform,
    augment: bool,
    device: &Device,
) -> Result<Tensor> {
    let s = transform.size;
    let plane = s * s;
    let mut values = vec![0f32; examples.len() * 3 * plane];
    values.par_chunks_mut(3 * plane).zip(examples).for_each(|(values, (example, seed))| {
        let mut rng = ChaCha8Rng::seed_from_u64(*seed);
        let (dx, dy) = if augment { shift(*seed) } else { (0, 0) };
        let (mut gain, mut level) = ([1f32; 3], [0f32; 3]);
        if augment {
            let light: f32 = rng.random_range(0.8..1.2);
            gain = std::array::from_fn(|_| light * rng.random_range(0.85..1.15));
            level = std::array::from_fn(|_| rng.random_range(-0.06..0.06));
        }
        // Colours turned around the grey axis and made paler or stronger.
        let (angle, colour): (f32, f32) = if augment {
            (rng.random_range(-0.5..0.5), rng.random_range(0.3..1.4))
        } else {
            (0., 1.)
        };
        let noise: f32 =
            if augment { *[0., 0., 0.02, 0.04].choose(&mut rng).unwrap_or(&0.) } else { 0. };
        for y in 0..s {
            let from_y = (y as i64 + dy).clamp(0, s as i64 - 1) as usize;
            for x in 0..s {
                let from_x = (x as i64 + dx).clamp(0, s as i64 - 1) as usize;
                let pixel = &example.pixels[(from_y * s + from_x) * 3..][..3];
                let mut rgb: [f32; 3] = std::array::from_fn(|c| f32::from(pixel[c]) / 255.);
                if augment {
                    rgb = turn(rgb, angle, colour);
                }
                for c in 0..3 {
                    let mut v = rgb[c] * gain[c] + level[c];
                    if noise > 0. {
                        v += noise * (rng.random::<f32>() - 0.5) * 3.5;
                    }
                    values[c * plane + y * s + x] =
                        (v.clamp(0., 1.) - transform.mean[c]) / transform.std[c];
                }
            }
        }
    });
    Ok(Tensor::from_vec(values, (examples.len(), 3, s, s), device)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::scenes::objects;

    #[test]
    fn a_cells_answers_are_shares_of_its_area() {
        let example = |boxes| Example { pixels: vec![], kinds: vec![], boxes, ground: 0 };
        let nothing = objects().len();
        let cells = |example: &Example, shift| {
            let mut targets = vec![0f32; 4 * (nothing + 1)];
            example.cells(64, 2, shift, &mut targets);
            move |cell: usize, answer: usize| targets[cell * (nothing + 1) + answer]
        };
        // Object 5 covers the upper left cell and half of the upper right one.
        let one = example(vec![(5, [0., 0., 48., 32.])]);
        let at = cells(&one, (0, 0));
        assert_eq!([at(0, 5), at(0, nothing)], [1., 0.]);
        assert_eq!([at(1, 5), at(1, nothing)], [0.5, 0.5]);
        assert_eq!([at(2, nothing), at(3, nothing)], [1., 1.]);
        // The picture moved to the left by 16 pixels: only the first cell still has it.
        let at = cells(&one, (16, 0));
        assert_eq!([at(0, 5), at(1, 5)], [1., 0.]);
        // Two objects over each other share the cell.
        let two = example(vec![(5, [0., 0., 32., 32.]), (7, [0., 0., 32., 32.])]);
        let at = cells(&two, (0, 0));
        assert_eq!([at(0, 5), at(0, 7), at(0, nothing)], [0.5, 0.5, 0.]);
    }

    #[test]
    fn an_object_counts_where_its_centre_is_seen() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..20 {
            let near = Example::near(&mut rng, Split::Train, 64);
            let seen = |b: &[f32; 4]| {
                let middle = [(b[0] + b[2]) / 2., (b[1] + b[3]) / 2.];
                middle.iter().all(|m| (0. ..64.).contains(m))
            };
            let boxes = near.boxes.iter().filter(|b| seen(&b.1)).count();
            assert_eq!(near.kinds.iter().map(|k| k.1).sum::<usize>(), boxes);
            assert!(boxes >= 1, "the one that is looked at is inside");
            assert_eq!(near.pixels.len(), 64 * 64 * 3);
        }
    }

    #[test]
    fn softening_keeps_what_is_flat_and_spreads_a_point() {
        let flat = RgbImage::from_pixel(4, 4, image::Rgb([10, 100, 250]));
        assert_eq!(soften(flat.clone()), flat.into_raw());
        let mut point = RgbImage::new(5, 5);
        point.put_pixel(2, 2, image::Rgb([255, 0, 0]));
        let soft = soften(point);
        let at = |x: usize, y: usize| soft[(y * 5 + x) * 3];
        assert_eq!([at(2, 2), at(1, 2), at(2, 1), at(0, 2)], [143, 24, 24, 0]);
    }

    #[test]
    fn a_turned_colour_keeps_its_light() {
        let same = turn([0.2, 0.5, 0.8], 0., 1.);
        assert!(same.iter().zip([0.2, 0.5, 0.8]).all(|(a, b)| (a - b).abs() < 1e-6), "{same:?}");
        let third = 2. * std::f32::consts::FRAC_PI_3;
        let green = turn([1., 0., 0.], third, 1.);
        assert!(green.iter().zip([0., 1., 0.]).all(|(a, b)| (a - b).abs() < 1e-6), "{green:?}");
        let pale = turn([1., 0., 0.], 0.3, 0.);
        assert!(pale.iter().all(|c| (c - 1. / 3.).abs() < 1e-6), "{pale:?}");
    }
}
