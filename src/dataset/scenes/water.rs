//! The open sea, and under water.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::backgrounds::{between, day, near, one_of};
use super::canvas::{Canvas, mix, rgb, shade};
use super::{HEIGHT, Placed, WIDTH};

const W: f32 = WIDTH as f32;
const H: f32 = HEIGHT as f32;

pub(super) fn sea(canvas: &mut Canvas, horizon: f32, rng: &mut ChaCha8Rng) {
    let clouds = rng.random_range(1..4);
    day(canvas, horizon, clouds, rng);
    if rng.random_bool(0.35) {
        // An island far away.
        let (x, half) = (between(rng, 20.0, W - 20.0), between(rng, 24.0, 60.0));
        let green = near(rng, rgb(0x6f_9a_8c), 0.08);
        canvas.ellipse((x, horizon), (half, between(rng, 7.0, 15.0)), green, 1.0);
        canvas.ellipse((x + 0.5 * half, horizon), (0.6 * half, 6.0), shade(green, 0.88), 1.0);
    }
    let bases = [0x1f_7d_b8, 0x1c_8a_a8, 0x2a_6c_b4];
    let base = one_of(rng, &bases, 0.08);
    let far = mix(base, rgb(0xff_ff_ff), 0.28);
    canvas.gradient(horizon, H, far, shade(base, 0.74));
    canvas.mottle((horizon, H), (60.0, 7.0), 0.1, rng.random());
    canvas.mottle((horizon, H), (22.0, 3.5), 0.07, rng.random());
    for _ in 0..90 {
        let near = rng.random::<f32>().powf(1.2);
        let at = (between(rng, -10.0, W + 10.0), horizon + 2.0 + near * (H - horizon));
        let (half, thick) = (4.0 + 15.0 * near, 0.6 + 1.7 * near);
        // A crest, lighter above its shadow.
        let bow = 1.5 + 4.0 * near;
        let crest = [
            (at.0 - half, at.1),
            (at.0 - 0.4 * half, at.1 - 0.8 * bow),
            (at.0, at.1 - bow),
            (at.0 + 0.4 * half, at.1 - 0.8 * bow),
            (at.0 + half, at.1),
            (at.0 + 0.4 * half, at.1 - 0.8 * bow + thick),
            (at.0, at.1 - bow + 1.3 * thick),
            (at.0 - 0.4 * half, at.1 - 0.8 * bow + thick),
        ];
        canvas.glow((at.0, at.1 + 1.5), (half, 2.0 + 3.0 * near), shade(base, 0.6), 0.35);
        canvas.polygon(&crest, rgb(0xe8_f7_fc), between(rng, 0.35, 0.8));
    }
}

/// Water in front of what is on it: its lowest part is wet, with foam along the line.
pub(super) fn foam(canvas: &mut Canvas, placed: &Placed, rng: &mut ChaCha8Rng) {
    let line = placed.y + 0.95 * placed.h;
    let centre = placed.x + 0.5 * placed.w;
    let half = 0.52 * placed.w;
    canvas.glow((centre, line + 5.0), (1.15 * half, 9.0), rgb(0x14_50_80), 0.5);
    for i in -3..=3 {
        let x = centre + half * (i as f32 / 3.2) + between(rng, -2.0, 2.0);
        let y = line + 2.2 - 0.25 * (i * i) as f32 + between(rng, -0.8, 0.8);
        let r = between(rng, 0.14, 0.22) * half + 2.0;
        canvas.ellipse((x, y), (r, 2.1), rgb(0xf2_fb_ff), 0.85);
    }
}

pub(super) fn underwater(canvas: &mut Canvas, horizon: f32, rng: &mut ChaCha8Rng) {
    let waters = [(0x6f_d6_e6, 0x0b_4f_8c), (0x58_c4_e8, 0x12_3c_84), (0x74_dc_d0, 0x0a_58_7c)];
    let (top, deep) = *waters.choose(rng).expect("colours");
    let (top, deep) = (near(rng, rgb(top), 0.06), near(rng, rgb(deep), 0.08));
    canvas.gradient(0.0, H, top, deep);
    canvas.mottle((0.0, H), (70.0, 40.0), 0.05, rng.random());
    for _ in 0..rng.random_range(3..7) {
        // A ray of light from the surface.
        let (x, w) = (between(rng, -30.0, W), between(rng, 8.0, 26.0));
        let drift = between(rng, 20.0, 70.0);
        let foot = between(rng, 130.0, horizon);
        let ray =
            [(x, 0.0), (x + w, 0.0), (x + 1.9 * w + drift, foot), (x + drift - 0.3 * w, foot)];
        canvas.polygon(&ray, rgb(0xe8_ff_ff), 0.1);
    }
    for _ in 0..rng.random_range(3..8) {
        let x = between(rng, -10.0, W + 10.0);
        let (half, high) = (between(rng, 14.0, 40.0), between(rng, 8.0, 26.0));
        let rock = mix(near(rng, rgb(0x58_6a_80), 0.1), deep, 0.45);
        canvas.ellipse((x, horizon + 4.0), (half, high), rock, 1.0);
        canvas.ellipse(
            (x - 0.25 * half, horizon - 0.2 * high),
            (0.5 * half, 0.5 * high),
            shade(rock, 1.15),
            0.5,
        );
    }
    let (phase, wave) = (between(rng, 0.0, 6.0), between(rng, 0.02, 0.035));
    let sand = mix(near(rng, rgb(0xe2_cd_98), 0.06), top, 0.25);
    canvas.below(move |x| horizon + 4.0 * (x * wave + phase).sin(), H, sand, shade(sand, 0.72));
    canvas.mottle((horizon + 5.0, H), (16.0, 3.0), 0.07, rng.random());
    for _ in 0..rng.random_range(4..10) {
        let at = (between(rng, 0.0, W), horizon + between(rng, 4.0, 26.0));
        if rng.random_bool(0.65) { weed(canvas, at, rng) } else { coral(canvas, at, rng) }
    }
    bubbles(canvas, rng, 16);
}

/// A ribbon of seaweed that sways.
fn weed(canvas: &mut Canvas, (x, y): (f32, f32), rng: &mut ChaCha8Rng) {
    let green = near(rng, rgb(0x2f_8a_5a), 0.15);
    for _ in 0..rng.random_range(2..5) {
        let (x, length) = (x + between(rng, -7.0, 7.0), between(rng, 22.0, 58.0));
        let (phase, sway) = (between(rng, 0.0, 6.0), between(rng, 1.5, 4.0));
        let colour = shade(green, between(rng, 0.8, 1.25));
        let point = |t: f32| (x + sway * (t * 5.0 + phase).sin() * t, y - length * t);
        for i in 0..7 {
            let (a, b) = (i as f32 / 7.0, (i + 1) as f32 / 7.0);
            canvas.line(point(a), point(b + 0.03), 4.4 * (1.05 - a), colour, 0.92);
        }
    }
}

/// A small branching coral.
fn coral(canvas: &mut Canvas, (x, y): (f32, f32), rng: &mut ChaCha8Rng) {
    let colours = [0xe8_6a_7a, 0xf0_94_58, 0xc8_6a_c0];
    let colour = one_of(rng, &colours, 0.1);
    for i in -2..=2 {
        let lean = i as f32 * 5.0 + between(rng, -1.5, 1.5);
        let high = between(rng, 12.0, 22.0) - (i * i) as f32;
        let tip = (x + lean, y - high);
        canvas.line((x + 0.2 * lean, y), tip, 3.2, shade(colour, 0.9), 1.0);
        canvas.ellipse(tip, (2.6, 2.6), shade(colour, 1.1), 1.0);
    }
}

/// Rising bubbles.
pub(super) fn bubbles(canvas: &mut Canvas, rng: &mut ChaCha8Rng, count: usize) {
    for _ in 0..count {
        let at = (between(rng, 4.0, W - 4.0), between(rng, 4.0, H - 40.0));
        let r = between(rng, 1.4, 4.2);
        canvas.ellipse(at, (r, r), rgb(0xe6_fb_ff), 0.45);
        canvas.ellipse(at, (0.72 * r, 0.72 * r), rgb(0x8f_d8_ee), 0.45);
        canvas.ellipse(
            (at.0 - 0.35 * r, at.1 - 0.35 * r),
            (0.3 * r, 0.3 * r),
            rgb(0xff_ff_ff),
            0.95,
        );
    }
}
