//! A room and a kitchen table.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::backgrounds::{between, day, near, one_of};
use super::canvas::{Canvas, Colour, mix, rgb, shade};
use super::{HEIGHT, WIDTH};

const W: f32 = WIDTH as f32;
const H: f32 = HEIGHT as f32;

pub(super) fn room(canvas: &mut Canvas, horizon: f32, rng: &mut ChaCha8Rng) {
    let papers = [0xe8_d5_b8, 0xbf_d4_c4, 0xc4_cf_e0, 0xe6_c3_bc, 0xd8_d0_e2, 0xf0_e2_a8];
    let paper = one_of(rng, &papers, 0.05);
    canvas.gradient(0.0, horizon, shade(paper, 0.97), paper);
    wallpaper(canvas, horizon, paper, rng);
    let window = between(rng, 40.0, W - 110.0);
    if rng.random_bool(0.75) {
        pane(canvas, (window, 16.0), (72.0, horizon - 64.0), rng);
    }
    let frame = (window + 160.0) % W;
    if rng.random_bool(0.8) && frame > 20.0 && frame < W - 60.0 {
        picture(canvas, (frame, between(rng, 24.0, 40.0)), rng);
    }
    canvas.rectangle((0.0, horizon - 9.0), (W, horizon), rgb(0xf4_ee_e4), 1.0);
    canvas.rectangle((0.0, horizon - 9.0), (W, horizon - 8.0), rgb(0xc2_b8_a8), 0.9);
    let woods = [0xb9_83_50, 0xa0_6c_44, 0xcb_9c_66, 0x8c_64_48];
    let wood = one_of(rng, &woods, 0.06);
    floor(canvas, horizon, wood, rng);
    canvas.gradient_box((0.0, horizon), (W, horizon + 5.0), shade(wood, 0.6), wood);
    if rng.random_bool(0.5) {
        let rugs = [0xb8_50_48, 0x4a_7a_9c, 0x6a_94_70, 0xd0_a0_58];
        let rug = one_of(rng, &rugs, 0.08);
        let at = (between(rng, 120.0, W - 120.0), 0.5 * (horizon + H) + 10.0);
        let (rx, ry) = (between(rng, 100.0, 140.0), 0.34 * (H - horizon));
        canvas.ellipse((at.0, at.1 + 2.0), (rx, ry), shade(wood, 0.6), 0.6);
        for (size, light) in [(1.0, 0.85), (0.93, 1.25), (0.84, 1.0), (0.5, 1.18), (0.44, 1.0)] {
            canvas.ellipse(at, (rx * size, ry * size), shade(rug, light), 1.0);
        }
    }
}

fn wallpaper(canvas: &mut Canvas, horizon: f32, paper: Colour, rng: &mut ChaCha8Rng) {
    let (light, dark) = (shade(paper, 1.07), shade(paper, 0.9));
    match rng.random_range(0..3) {
        0 => {
            let step = between(rng, 14.0, 26.0);
            let mut x = 0.0;
            while x < W {
                canvas.rectangle((x, 0.0), (x + 0.45 * step, horizon), light, 0.8);
                x += step;
            }
        }
        1 => {
            let step = between(rng, 15.0, 22.0);
            for row in 0..(horizon / step) as i32 + 1 {
                let mut x = if row % 2 == 0 { 0.25 * step } else { 0.75 * step };
                while x < W {
                    canvas.ellipse((x, (row as f32 + 0.5) * step), (2.2, 2.2), dark, 0.9);
                    x += step;
                }
            }
        }
        _ => {
            canvas.rectangle((0.0, 0.62 * horizon), (W, horizon), shade(paper, 0.86), 1.0);
            canvas.rectangle((0.0, 0.61 * horizon), (W, 0.64 * horizon), rgb(0xf4_ee_e4), 0.9);
        }
    }
}

/// A window with a frame, the sky in it, and curtains.
fn pane(canvas: &mut Canvas, (x, y): (f32, f32), (w, h): (f32, f32), rng: &mut ChaCha8Rng) {
    let white = rgb(0xfb_f8_f2);
    canvas.rectangle((x - 4.0, y - 4.0), (x + w + 4.0, y + h + 4.0), rgb(0xcf_c6_b6), 1.0);
    canvas.rectangle((x - 3.0, y - 3.0), (x + w + 3.0, y + h + 3.0), white, 1.0);
    canvas.gradient_box((x, y), (x + w, y + h), rgb(0x86_c2_f0), rgb(0xdc_f0_fa));
    let green = near(rng, rgb(0x7f_b8_6a), 0.1);
    canvas.rectangle((x, y + 0.78 * h), (x + w, y + h), green, 1.0);
    canvas.ellipse((x + 0.7 * w, y + 0.75 * h), (0.2 * w, 0.16 * h), shade(green, 0.85), 1.0);
    canvas.ellipse((x + 0.3 * w, y + 0.3 * h), (0.14 * w, 0.08 * h), white, 0.9);
    canvas.rectangle((x + 0.5 * w - 1.5, y), (x + 0.5 * w + 1.5, y + h), white, 1.0);
    canvas.rectangle((x, y + 0.45 * h), (x + w, y + 0.45 * h + 2.5), white, 1.0);
    canvas.rectangle((x - 7.0, y + h + 3.0), (x + w + 7.0, y + h + 7.0), white, 1.0);
    canvas.rectangle((x - 7.0, y + h + 7.0), (x + w + 7.0, y + h + 8.5), rgb(0xb8_ae_9e), 0.9);
    let cloths = [0xc8_5a_54, 0x5a_84_b0, 0xd8_b0_60, 0x7a_a0_84];
    let cloth = one_of(rng, &cloths, 0.08);
    canvas.rectangle((x - 18.0, y - 9.0), (x + w + 18.0, y - 6.0), rgb(0x7a_5a_40), 1.0);
    for left in [x - 14.0, x + w - 8.0] {
        for i in 0..4 {
            let fold = left + 5.5 * i as f32;
            let light = if i % 2 == 0 { 1.0 } else { 0.84 };
            canvas.rectangle((fold, y - 6.5), (fold + 5.5, y + h + 14.0), shade(cloth, light), 1.0);
        }
    }
}

/// A framed landscape.
fn picture(canvas: &mut Canvas, (x, y): (f32, f32), rng: &mut ChaCha8Rng) {
    let (w, h) = (between(rng, 36.0, 50.0), between(rng, 28.0, 38.0));
    canvas.rectangle((x + 1.5, y + 2.0), (x + w + 2.5, y + h + 3.0), rgb(0x40_38_30), 0.35);
    canvas.rectangle((x, y), (x + w, y + h), rgb(0x7a_58_3c), 1.0);
    canvas.rectangle((x + 2.5, y + 2.5), (x + w - 2.5, y + h - 2.5), rgb(0xf6_f2_e8), 1.0);
    let (left, right, top, bottom) = (x + 6.0, x + w - 6.0, y + 6.0, y + h - 6.0);
    canvas.gradient_box((left, top), (right, bottom), rgb(0xf2_b8_80), rgb(0xf8_e2_b8));
    let blue = near(rng, rgb(0x5c_7c_a0), 0.12);
    let middle = 0.5 * (left + right);
    canvas.polygon(&[(left, bottom), (middle - 4.0, top + 5.0), (right - 3.0, bottom)], blue, 1.0);
    canvas.polygon(
        &[(middle - 3.0, bottom), (right - 6.0, top + 10.0), (right, bottom)],
        shade(blue, 0.8),
        1.0,
    );
}

/// Boards that run towards the viewer.
fn floor(canvas: &mut Canvas, horizon: f32, wood: Colour, rng: &mut ChaCha8Rng) {
    canvas.gradient(horizon, H, shade(wood, 0.9), shade(wood, 1.08));
    let vanish = (0.5 * W + between(rng, -40.0, 40.0), horizon - 120.0);
    let at = |foot: f32, y: f32| vanish.0 + (foot - vanish.0) * (y - vanish.1) / (H - vanish.1);
    let step = 27.0;
    let mut foot = -150.0 + between(rng, 0.0, step);
    while foot < W + 150.0 {
        let board = shade(wood, between(rng, 0.9, 1.1));
        let corners = [
            (at(foot, horizon), horizon),
            (at(foot + step, horizon), horizon),
            (foot + step, H),
            (foot, H),
        ];
        canvas.polygon(&corners, board, 0.7);
        canvas.line((at(foot, horizon), horizon), (foot, H), 1.0, shade(wood, 0.6), 0.75);
        let seam = horizon + (H - horizon) * rng.random::<f32>();
        canvas.line(
            (at(foot, seam), seam),
            (at(foot + step, seam), seam),
            0.9,
            shade(wood, 0.6),
            0.7,
        );
        foot += step;
    }
    canvas.mottle((horizon, H), (5.0, 24.0), 0.05, rng.random());
}

pub(super) fn table(canvas: &mut Canvas, horizon: f32, rng: &mut ChaCha8Rng) {
    kitchen(canvas, horizon, rng);
    let woods = [0xc2_8c_54, 0xad_74_42, 0xd2_a8_70, 0x94_66_44];
    let wood = one_of(rng, &woods, 0.06);
    canvas.gradient(horizon, H, shade(wood, 0.94), shade(wood, 1.06));
    if rng.random_bool(0.35) {
        cloth(canvas, horizon, rng);
    } else {
        // Planks from left to right, wider where they are near, with grain.
        let mut y = horizon;
        let mut high = 13.0;
        while y < H {
            let plank = shade(wood, between(rng, 0.92, 1.1));
            canvas.rectangle((0.0, y), (W, (y + high).min(H)), plank, 0.8);
            for _ in 0..7 {
                let at = (between(rng, 0.0, W), y + between(rng, 0.15, 0.85) * high);
                let half = between(rng, 14.0, 60.0);
                canvas.ellipse(at, (half, 0.7), shade(plank, 0.82), 0.6);
            }
            canvas.rectangle((0.0, y), (W, y + 1.1), shade(wood, 0.62), 0.8);
            y += high;
            high *= 1.22;
        }
    }
    canvas.rectangle((0.0, horizon - 1.0), (W, horizon + 2.5), shade(wood, 1.2), 0.9);
    canvas.glow((0.3 * W, horizon + 30.0), (150.0, 40.0), rgb(0xff_ff_ff), 0.12);
}

/// A checked tablecloth in perspective.
fn cloth(canvas: &mut Canvas, horizon: f32, rng: &mut ChaCha8Rng) {
    let colours = [0xc8_3c_40, 0x3c_70_b0, 0x4a_94_60];
    let colour = one_of(rng, &colours, 0.06);
    canvas.gradient(horizon, H, rgb(0xee_ea_e2), rgb(0xfa_f8_f4));
    let vanish = (0.5 * W, horizon - 150.0);
    let at = |foot: f32, y: f32| vanish.0 + (foot - vanish.0) * (y - vanish.1) / (H - vanish.1);
    let mut foot = -190.0;
    while foot < W + 190.0 {
        let corners = [
            (at(foot, horizon), horizon),
            (at(foot + 19.0, horizon), horizon),
            (foot + 19.0, H),
            (foot, H),
        ];
        canvas.polygon(&corners, colour, 0.42);
        foot += 38.0;
    }
    let (mut y, mut high) = (horizon + 3.0, 9.0);
    while y < H {
        canvas.rectangle((0.0, y), (W, y + high), colour, 0.42);
        y += 2.1 * high;
        high *= 1.2;
    }
}

/// The kitchen behind the table: tiles, sometimes a window.
fn kitchen(canvas: &mut Canvas, horizon: f32, rng: &mut ChaCha8Rng) {
    let walls = [0xdc_e8_e4, 0xf0_e6_d0, 0xd0_dc_ea, 0xec_d8_cc];
    let wall = one_of(rng, &walls, 0.04);
    if rng.random_bool(0.3) {
        day(canvas, horizon, 2, rng);
        let green = near(rng, rgb(0x86_b8_70), 0.08);
        canvas.ellipse((between(rng, 0.0, W), horizon), (90.0, 34.0), green, 1.0);
        canvas.ellipse((between(rng, 0.0, W), horizon), (120.0, 22.0), shade(green, 0.88), 1.0);
        let frame = mix(wall, rgb(0xff_ff_ff), 0.6);
        for x in [-4.0, 0.333 * W, 0.667 * W, W - 4.0] {
            canvas.rectangle((x, 0.0), (x + 8.0, horizon), frame, 1.0);
            canvas.rectangle((x + 7.0, 0.0), (x + 8.5, horizon), shade(frame, 0.75), 0.8);
        }
        canvas.rectangle((0.0, horizon - 10.0), (W, horizon), frame, 1.0);
        return;
    }
    canvas.gradient(0.0, horizon, shade(wall, 0.97), shade(wall, 0.92));
    let step = between(rng, 20.0, 30.0);
    let mut row = 0;
    while row as f32 * step < horizon {
        let y = row as f32 * step;
        let mut x = if row % 2 == 0 { 0.0 } else { -0.75 * step };
        while x < W {
            let tile = shade(wall, between(rng, 0.94, 1.05));
            canvas.rectangle((x, y), (x + 1.5 * step - 1.4, y + step - 1.4), tile, 1.0);
            x += 1.5 * step;
        }
        row += 1;
    }
    canvas.gradient_box((0.0, horizon - 8.0), (W, horizon), wall, shade(wall, 0.8));
}
