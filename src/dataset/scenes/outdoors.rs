//! Grass, sand, snow, night and street.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::backgrounds::{between, day, hills, near, one_of};
use super::canvas::{Canvas, Colour, mix, rgb, shade};
use super::{HEIGHT, WIDTH};

const W: f32 = WIDTH as f32;
const H: f32 = HEIGHT as f32;

/// A place on the ground, more of them far away; how near it is, 0 to 1, second.
fn spot(rng: &mut ChaCha8Rng, horizon: f32) -> ((f32, f32), f32) {
    let near = rng.random::<f32>().powf(1.3);
    ((between(rng, -4.0, W + 4.0), horizon + 2.0 + near * (H - horizon)), near)
}

pub(super) fn grass(canvas: &mut Canvas, horizon: f32, rng: &mut ChaCha8Rng) {
    let clouds = rng.random_range(1..4);
    day(canvas, horizon, clouds, rng);
    let far = near(rng, rgb(0x8f_bf_a8), 0.08);
    let height = between(rng, 16.0, 34.0);
    hills(canvas, horizon, height, far, rng);
    let base = near(rng, rgb(0x6f_b8_4a), 0.1);
    hills(canvas, horizon, height * 0.5, shade(base, 0.86), rng);
    if rng.random_bool(0.6) {
        for _ in 0..rng.random_range(3..10) {
            let (x, r) = (between(rng, 0.0, W), between(rng, 4.0, 9.0));
            let green = near(rng, shade(base, 0.66), 0.08);
            canvas.rectangle(
                (x - 1.0, horizon - r),
                (x + 1.0, horizon + 1.0),
                rgb(0x6b_50_38),
                1.0,
            );
            canvas.ellipse((x, horizon - 1.5 * r), (r, r * 1.15), green, 1.0);
            canvas.ellipse(
                (x - 0.3 * r, horizon - 1.8 * r),
                (0.5 * r, 0.5 * r),
                shade(green, 1.2),
                0.8,
            );
        }
    }
    canvas.gradient(horizon, H, shade(base, 1.08), shade(base, 0.78));
    canvas.mottle((horizon, H), (46.0, 13.0), 0.09, rng.random());
    canvas.mottle((horizon, H), (9.0, 4.0), 0.06, rng.random());
    blades(canvas, horizon, base, 420, rng);
    let petals = [rgb(0xff_ff_ff), rgb(0xff_e0_55), rgb(0xf5_8a_b5), rgb(0xb0_8a_f0)];
    let petal = *petals.choose(rng).expect("colours");
    for _ in 0..rng.random_range(0..26) {
        let (at, near) = spot(rng, horizon + 6.0);
        let r = 0.9 + 1.5 * near;
        canvas.ellipse((at.0, at.1 - 2.0 * r), (r, r), petal, 0.95);
        canvas.ellipse((at.0, at.1 - 2.0 * r), (0.4 * r, 0.4 * r), rgb(0xf0_b0_30), 1.0);
    }
}

/// Blades of grass, longer where they are near.
fn blades(canvas: &mut Canvas, horizon: f32, base: Colour, count: usize, rng: &mut ChaCha8Rng) {
    for _ in 0..count {
        let (at, near) = spot(rng, horizon);
        let (length, half) = (2.5 + 10.0 * near, 0.35 + 0.8 * near);
        let lean = between(rng, -0.5, 0.5) * length;
        let colour = shade(base, between(rng, 0.62, 1.28));
        let corners = [(at.0 - half, at.1), (at.0 + half, at.1), (at.0 + lean, at.1 - length)];
        canvas.polygon(&corners, colour, 0.75);
    }
}

pub(super) fn sand(canvas: &mut Canvas, horizon: f32, rng: &mut ChaCha8Rng) {
    let clouds = rng.random_range(0..3);
    day(canvas, horizon, clouds, rng);
    // A strip of sea, its border with the sand, foam on it.
    let shore = horizon + between(rng, 10.0, 20.0);
    let sea = near(rng, rgb(0x2f_9c_c0), 0.1);
    canvas.gradient(horizon, shore + 6.0, shade(sea, 0.85), mix(sea, rgb(0xff_ff_ff), 0.25));
    for _ in 0..26 {
        let (x, y) = (between(rng, 0.0, W), between(rng, horizon + 1.0, shore));
        canvas.ellipse((x, y), (between(rng, 4.0, 12.0), 0.6), rgb(0xff_ff_ff), 0.4);
    }
    let base = near(rng, rgb(0xea_cf_94), 0.06);
    let (phase, wave) = (between(rng, 0.0, 6.0), between(rng, 0.015, 0.03));
    let edge =
        move |x: f32| shore + 3.0 * (x * wave + phase).sin() + 1.2 * (x * 0.09 + phase).sin();
    canvas.below(move |x| edge(x) - 3.0, shore + 12.0, rgb(0xff_ff_ff), rgb(0xf4_fa_f8));
    canvas.below(edge, H, shade(base, 0.84), shade(base, 0.8));
    canvas.below(move |x| edge(x) + 5.0, H, shade(base, 1.04), shade(base, 0.92));
    canvas.mottle((shore + 6.0, H), (40.0, 10.0), 0.05, rng.random());
    canvas.mottle((shore + 6.0, H), (2.6, 1.8), 0.09, rng.random());
    for _ in 0..46 {
        let (at, near) = spot(rng, shore + 12.0);
        let (rx, ry) = (8.0 + 22.0 * near, 0.5 + 1.0 * near);
        canvas.ellipse(at, (rx, ry), shade(base, 0.8), 0.4);
        canvas.ellipse((at.0, at.1 + 1.4 * ry), (rx * 0.9, ry * 0.8), shade(base, 1.12), 0.5);
    }
    for _ in 0..rng.random_range(6..22) {
        let (at, near) = spot(rng, shore + 14.0);
        let r = 0.7 + 1.4 * near;
        let stone =
            *[rgb(0xff_f6_ea), rgb(0xc9_9a_7a), rgb(0x9a_8f_86)].choose(rng).expect("stones");
        canvas.ellipse((at.0 + 0.5, at.1 + 0.7 * r), (1.3 * r, 0.6 * r), shade(base, 0.66), 0.7);
        canvas.ellipse(at, (1.2 * r, 0.8 * r), stone, 1.0);
    }
}

pub(super) fn snow(canvas: &mut Canvas, horizon: f32, rng: &mut ChaCha8Rng) {
    let skies = [(0x8f_b4_d8, 0xe6_ef_f8), (0xa9_b8_cc, 0xe9_ec_f2), (0x7f_a5_dc, 0xf6_e6_ea)];
    let (top, low) = *skies.choose(rng).expect("skies");
    let (top, low) = (near(rng, rgb(top), 0.05), rgb(low));
    canvas.gradient(0.0, horizon + 1.0, top, low);
    for _ in 0..rng.random_range(2..5) {
        mountain(canvas, horizon, rng);
    }
    let base = near(rng, rgb(0xe6_ef_fa), 0.025);
    hills(canvas, horizon, between(rng, 8.0, 18.0), shade(base, 0.93), rng);
    for _ in 0..rng.random_range(3..14) {
        let (x, size) = (between(rng, 0.0, W), between(rng, 9.0, 22.0));
        pine(canvas, (x, horizon + between(rng, -2.0, 6.0)), size, rng);
    }
    canvas.gradient(horizon + 2.0, H, base, shade(base, 0.92));
    for _ in 0..7 {
        let (at, near) = spot(rng, horizon + 6.0);
        let (rx, ry) = (between(rng, 40.0, 110.0), 4.0 + 12.0 * near);
        canvas.glow((at.0, at.1 + ry), (rx, ry), rgb(0x9f_bb_de), 0.45);
        canvas.glow(at, (rx, ry), rgb(0xff_ff_ff), 0.7);
    }
    canvas.mottle((horizon + 2.0, H), (3.0, 2.2), 0.03, rng.random());
    for _ in 0..40 {
        let (at, _) = spot(rng, horizon + 4.0);
        canvas.ellipse(at, (0.8, 0.8), rgb(0xff_ff_ff), 0.9);
    }
    snowflakes(canvas, rng, 70, (0.7, 2.2));
}

fn mountain(canvas: &mut Canvas, horizon: f32, rng: &mut ChaCha8Rng) {
    let (x, half) = (between(rng, 0.0, W), between(rng, 40.0, 80.0));
    let top = horizon - between(rng, 28.0, 62.0);
    let rock = near(rng, rgb(0x93_a6_c0), 0.06);
    let peak = (x, top);
    let foot = horizon + 2.0;
    canvas.polygon(&[(x - half, foot), peak, (x + half, foot)], rock, 1.0);
    canvas.polygon(&[(x + 0.12 * half, foot), peak, (x + half, foot)], shade(rock, 0.86), 0.9);
    let cap = 0.36 * (foot - top);
    let side = 0.36 * half;
    let corners = [
        (x - side, top + cap),
        peak,
        (x + side, top + cap),
        (x + 0.45 * side, top + 0.8 * cap),
        (x + 0.1 * side, top + 1.15 * cap),
        (x - 0.4 * side, top + 0.8 * cap),
    ];
    canvas.polygon(&corners, rgb(0xfb_fd_ff), 1.0);
}

fn pine(canvas: &mut Canvas, (x, y): (f32, f32), size: f32, rng: &mut ChaCha8Rng) {
    let green = near(rng, rgb(0x4a_70_66), 0.1);
    for i in 0..3 {
        let foot = y - i as f32 * 0.27 * size;
        let half = (0.34 - 0.07 * i as f32) * size;
        canvas.polygon(&[(x - half, foot), (x, foot - 0.5 * size), (x + half, foot)], green, 1.0);
        canvas.polygon(
            &[
                (x - 0.5 * half, foot - 0.25 * size),
                (x, foot - 0.5 * size),
                (x + 0.4 * half, foot - 0.28 * size),
            ],
            rgb(0xf2_f7_fc),
            0.85,
        );
    }
}

/// Falling snow.
pub(super) fn snowflakes(
    canvas: &mut Canvas,
    rng: &mut ChaCha8Rng,
    count: usize,
    (low, high): (f32, f32),
) {
    for _ in 0..count {
        let at = (between(rng, 0.0, W), between(rng, 0.0, H));
        let r = between(rng, low, high);
        canvas.ellipse(at, (r, r), rgb(0xff_ff_ff), 0.9);
    }
}

pub(super) fn night(canvas: &mut Canvas, horizon: f32, rng: &mut ChaCha8Rng) {
    let tops = [0x0a_14_40, 0x10_1c_50, 0x1c_18_4e];
    let top = one_of(rng, &tops, 0.05);
    canvas.gradient(0.0, horizon + 1.0, top, near(rng, rgb(0x4a_62_a8), 0.08));
    for _ in 0..110 {
        let at = (between(rng, 0.0, W), horizon * rng.random::<f32>().powf(1.2));
        let r = 0.5 + 1.3 * rng.random::<f32>().powi(4);
        canvas.ellipse(at, (r, r), rgb(0xff_fb_e6), between(rng, 0.5, 1.0));
    }
    for _ in 0..5 {
        let (x, y) = (between(rng, 5.0, W - 5.0), between(rng, 5.0, 0.7 * horizon));
        let (r, light) = (between(rng, 3.0, 5.0), rgb(0xff_fd_f0));
        canvas.polygon(&[(x - r, y), (x, y + 0.7), (x + r, y), (x, y - 0.7)], light, 0.9);
        canvas.polygon(&[(x, y - r), (x + 0.7, y), (x, y + r), (x - 0.7, y)], light, 0.9);
    }
    let moon = (between(rng, 26.0, W - 26.0), between(rng, 20.0, 44.0));
    let r = between(rng, 11.0, 15.0);
    canvas.glow(moon, (3.4 * r, 3.4 * r), rgb(0xc8_d4_ff), 0.5);
    canvas.ellipse(moon, (r, r), rgb(0xfb_f3_cf), 1.0);
    if rng.random_bool(0.5) {
        let sky = mix(top, rgb(0x4a_62_a8), moon.1 / horizon);
        canvas.ellipse(
            (moon.0 + 0.5 * r, moon.1 - 0.2 * r),
            (0.9 * r, 0.9 * r),
            shade(sky, 1.25),
            1.0,
        );
    } else {
        for (dx, dy, s) in [(-0.3, -0.2, 0.22), (0.3, 0.3, 0.16), (0.1, -0.45, 0.13)] {
            canvas.ellipse(
                (moon.0 + dx * r, moon.1 + dy * r),
                (s * r, s * r),
                rgb(0xe2_d6_a8),
                0.9,
            );
        }
    }
    let far = near(rng, rgb(0x28_3a_70), 0.08);
    hills(canvas, horizon, between(rng, 14.0, 30.0), far, rng);
    let base = near(rng, rgb(0x2f_62_58), 0.12);
    hills(canvas, horizon, 9.0, shade(base, 0.7), rng);
    for _ in 0..rng.random_range(0..6) {
        let (x, size) = (between(rng, 8.0, W - 8.0), between(rng, 6.0, 10.0));
        cottage(canvas, (x, horizon + 1.0), size);
    }
    canvas.gradient(horizon, H, shade(base, 1.0), shade(base, 0.68));
    canvas.mottle((horizon, H), (46.0, 13.0), 0.12, rng.random());
    canvas.glow((moon.0, horizon + 30.0), (110.0, 46.0), rgb(0x7f_a0_d0), 0.22);
    blades(canvas, horizon, base, 260, rng);
}

/// A house far away, its window lit.
fn cottage(canvas: &mut Canvas, (x, y): (f32, f32), s: f32) {
    let dark = rgb(0x14_1c_38);
    canvas.rectangle((x - s, y - 0.9 * s), (x + s, y), dark, 1.0);
    let roof = [(x - 1.25 * s, y - 0.85 * s), (x, y - 1.7 * s), (x + 1.25 * s, y - 0.85 * s)];
    canvas.polygon(&roof, shade(dark, 0.7), 1.0);
    canvas.rectangle((x - 0.6 * s, y - 0.7 * s), (x - 0.1 * s, y - 0.25 * s), rgb(0xff_d8_70), 1.0);
    canvas.rectangle((x + 0.2 * s, y - 0.7 * s), (x + 0.7 * s, y - 0.25 * s), rgb(0xff_d8_70), 1.0);
}

pub(super) fn street(canvas: &mut Canvas, horizon: f32, rng: &mut ChaCha8Rng) {
    let clouds = rng.random_range(0..3);
    day(canvas, horizon, clouds, rng);
    let mut x = between(rng, -30.0, -5.0);
    while x < W {
        let w = between(rng, 34.0, 62.0);
        building(canvas, (x, horizon), w, rng);
        x += w + if rng.random_bool(0.25) { between(rng, 2.0, 10.0) } else { 0.0 };
    }
    let walk = horizon + between(rng, 14.0, 22.0);
    let stone = near(rng, rgb(0xc2_bf_b8), 0.05);
    canvas.gradient(horizon, walk, shade(stone, 0.94), stone);
    let mut x = between(rng, -20.0, 0.0);
    while x < W + 20.0 {
        let lean = (x - 0.5 * W) * 0.08;
        canvas.line((x, horizon), (x + lean, walk), 0.8, shade(stone, 0.78), 0.8);
        x += 17.0;
    }
    canvas.rectangle((0.0, walk), (W, walk + 3.5), shade(stone, 1.1), 1.0);
    canvas.rectangle((0.0, walk + 3.5), (W, walk + 5.5), rgb(0x5c_5c_60), 1.0);
    let road = near(rng, rgb(0x77_7a_82), 0.07);
    canvas.gradient(walk + 5.5, H, shade(road, 1.05), shade(road, 0.86));
    canvas.mottle((walk + 5.5, H), (2.2, 1.8), 0.07, rng.random());
    canvas.mottle((walk + 5.5, H), (60.0, 12.0), 0.05, rng.random());
    let paint = if rng.random_bool(0.3) { rgb(0xf5_d0_50) } else { rgb(0xf2_f2_ee) };
    let middle = walk + 5.5 + 0.5 * (H - walk);
    let mut x = between(rng, -60.0, 0.0);
    if rng.random_bool(0.3) {
        // A zebra crossing.
        let at = between(rng, 60.0, W - 60.0);
        for i in -3..4 {
            let (a, b) = (at + 13.0 * i as f32, at + 20.0 * i as f32);
            let corners = [
                (a - 3.6, walk + 8.0),
                (a + 3.6, walk + 8.0),
                (b + 5.6, H - 2.0),
                (b - 5.6, H - 2.0),
            ];
            canvas.polygon(&corners, rgb(0xf2_f2_ee), 0.88);
        }
    } else {
        while x < W {
            let lean = |x: f32| x + (x - 0.5 * W) * 0.04;
            let corners = [
                (x, middle),
                (x + 34.0, middle),
                (lean(x + 34.0), middle + 6.0),
                (lean(x), middle + 6.0),
            ];
            canvas.polygon(&corners, paint, 0.9);
            x += 60.0;
        }
    }
}

/// A house front with windows, down to the pavement.
fn building(canvas: &mut Canvas, (x, foot): (f32, f32), w: f32, rng: &mut ChaCha8Rng) {
    let walls =
        [0xc9_7b_5e, 0xd9_b4_8a, 0xa7_b6_c4, 0xe0_cf_a8, 0xb5_8d_7c, 0x9f_a8_9a, 0xd8_a0_90];
    let wall = one_of(rng, &walls, 0.07);
    let top = foot - between(rng, 52.0, 104.0);
    canvas.gradient_box((x, top), (x + w, foot), shade(wall, 1.04), shade(wall, 0.92));
    canvas.rectangle((x, top), (x + w, top + 3.5), shade(wall, 0.74), 1.0);
    canvas.rectangle((x + w - 1.5, top), (x + w, foot), shade(wall, 0.7), 0.8);
    let columns = (w / 14.0).floor().max(2.0);
    let (cell, high) = (w / columns, 17.0);
    let lit = near(rng, rgb(0x86_b4_d0), 0.1);
    let mut y = top + 8.0;
    while y + high < foot - 16.0 {
        for i in 0..columns as usize {
            let left = x + (i as f32 + 0.24) * cell;
            let right = x + (i as f32 + 0.76) * cell;
            let glass = if rng.random_bool(0.16) {
                rgb(0xff_e2_98)
            } else {
                shade(lit, between(rng, 0.8, 1.15))
            };
            canvas.rectangle(
                (left - 0.8, y - 0.8),
                (right + 0.8, y + 11.4),
                shade(wall, 1.28),
                0.9,
            );
            canvas.rectangle((left, y), (right, y + 10.5), glass, 1.0);
            canvas.rectangle((left, y + 4.8), (right, y + 5.6), shade(wall, 1.28), 0.8);
        }
        y += high;
    }
    // The shop on the ground floor.
    let awnings = [0xc8_40_40, 0x3f_8a_5c, 0x3a_6a_b0, 0xd8_94_30];
    let awning = rgb(*awnings.choose(rng).expect("colours"));
    canvas.rectangle((x + 4.0, foot - 13.0), (x + w - 4.0, foot), rgb(0x4a_58_66), 1.0);
    canvas.rectangle((x + 6.0, foot - 11.0), (x + 0.58 * w, foot - 3.0), rgb(0xa8_c8_d8), 1.0);
    canvas.rectangle((x + 0.66 * w, foot - 11.0), (x + w - 6.0, foot), shade(awning, 0.6), 1.0);
    let mut stripe = x + 2.0;
    let mut white = false;
    while stripe < x + w - 2.5 {
        let colour = if white { rgb(0xf6_f2_ea) } else { awning };
        let right = (stripe + 4.5).min(x + w - 2.0);
        canvas.rectangle((stripe, foot - 17.0), (right, foot - 12.0), colour, 1.0);
        (stripe, white) = (right, !white);
    }
}
