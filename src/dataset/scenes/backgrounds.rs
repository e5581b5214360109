//! Which painter paints what, and the sky that most of them share.

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Colour, mix, rgb, shade};
use super::{Background, HEIGHT, Scene, WIDTH, indoors, outdoors, water};

const W: f32 = WIDTH as f32;
const H: f32 = HEIGHT as f32;

pub(super) fn paint(canvas: &mut Canvas, scene: &Scene, rng: &mut ChaCha8Rng) {
    let horizon = scene.horizon;
    match scene.background {
        Background::Grass => outdoors::grass(canvas, horizon, rng),
        Background::Sand => outdoors::sand(canvas, horizon, rng),
        Background::Snow => outdoors::snow(canvas, horizon, rng),
        Background::Sea => water::sea(canvas, horizon, rng),
        Background::Underwater => water::underwater(canvas, horizon, rng),
        Background::Sky => sky(canvas, horizon, rng),
        Background::Night => outdoors::night(canvas, horizon, rng),
        Background::Street => outdoors::street(canvas, horizon, rng),
        Background::Room => indoors::room(canvas, horizon, rng),
        Background::Table => indoors::table(canvas, horizon, rng),
    }
}

/// What falls or rises in front of the objects.
pub(super) fn in_front(canvas: &mut Canvas, scene: &Scene, rng: &mut ChaCha8Rng) {
    match scene.background {
        Background::Snow => outdoors::snowflakes(canvas, rng, 40, (0.9, 1.9)),
        Background::Underwater => water::bubbles(canvas, rng, 5),
        _ => {}
    }
}

/// A colour near `colour`: each channel up to `by` away, all of them together lighter or darker.
pub(super) fn near(rng: &mut ChaCha8Rng, colour: Colour, by: f32) -> Colour {
    let all = rng.random_range(1.0 - by..1.0 + by);
    colour.map(|c| (c * all + rng.random_range(-by..by) * 0.35).clamp(0.0, 1.0))
}

/// One of the colours `0xrrggbb`, or near it.
pub(super) fn one_of(rng: &mut ChaCha8Rng, colours: &[u32], by: f32) -> Colour {
    let colour = rgb(*colours.choose(rng).expect("a table with rows"));
    near(rng, colour, by)
}

/// Draws from `low..high`.
pub(super) fn between(rng: &mut ChaCha8Rng, low: f32, high: f32) -> f32 {
    rng.random_range(low..high)
}

/// A day's sky down to `bottom`, with clouds, sometimes with a sun.
pub(super) fn day(canvas: &mut Canvas, bottom: f32, clouds: usize, rng: &mut ChaCha8Rng) {
    const SKIES: [(Colour, Colour); 5] = [
        (rgb(0x4a_9c_e8), rgb(0xcf_ea_fb)),
        (rgb(0x62_ae_e6), rgb(0xe4_f2_f8)),
        (rgb(0x35_88_da), rgb(0xa8_d8_f8)),
        (rgb(0x7f_b8_e2), rgb(0xfd_e9_c8)),
        (rgb(0x8f_ac_e0), rgb(0xfb_d3_c0)),
    ];
    let (top, low) = *SKIES.choose(rng).expect("skies");
    let (top, low) = (near(rng, top, 0.05), near(rng, low, 0.04));
    canvas.gradient(0.0, bottom + 1.0, top, low);
    if rng.random_bool(0.4) {
        let at = (between(rng, 30.0, W - 30.0), between(rng, 12.0, 0.4 * bottom + 14.0));
        let r = between(rng, 11.0, 16.0);
        canvas.glow(at, (3.6 * r, 3.6 * r), rgb(0xff_f6_c8), 0.75);
        canvas.ellipse(at, (r, r), rgb(0xff_ec_90), 1.0);
    }
    for _ in 0..clouds {
        let at = (between(rng, -10.0, W + 10.0), between(rng, 8.0, (0.72 * bottom).max(20.0)));
        let size = between(rng, 0.5, 1.0) * (0.5 + bottom / H);
        cloud(canvas, at, size, rng);
    }
}

/// A heap of soft balls with a flat, shaded belly.
pub(super) fn cloud(canvas: &mut Canvas, (x, y): (f32, f32), size: f32, rng: &mut ChaCha8Rng) {
    let balls = rng.random_range(4..8);
    let half = size * between(rng, 22.0, 36.0);
    let white = rgb(0xff_ff_ff);
    let belly = rgb(0xc6_d8_ea);
    let parts: Vec<(f32, f32, f32)> = (0..balls)
        .map(|i| {
            let t = (i as f32 + 0.5) / balls as f32 * 2.0 - 1.0;
            let r = size * between(rng, 9.0, 15.0) * (1.15 - t * t * 0.6);
            (x + t * half, y - 0.25 * r - between(rng, 0.0, 4.0) * size, r)
        })
        .collect();
    canvas.glow((x, y + 7.0 * size), (half * 1.25, 10.0 * size), belly, 0.5);
    for &(bx, by, r) in &parts {
        canvas.ellipse((bx, by + 1.5 * size), (r, r * 0.8), belly, 0.55);
    }
    for &(bx, by, r) in &parts {
        canvas.ellipse((bx, by - 0.8 * size), (r * 0.97, r * 0.76), white, 0.85);
    }
}

/// The sky alone, from high up: big clouds, more clouds below.
fn sky(canvas: &mut Canvas, horizon: f32, rng: &mut ChaCha8Rng) {
    day(canvas, H, 0, rng);
    for _ in 0..rng.random_range(3..6) {
        let at = (between(rng, -10.0, W + 10.0), between(rng, 20.0, 190.0));
        let size = between(rng, 0.8, 1.7);
        cloud(canvas, at, size, rng);
    }
    let mut x = -20.0;
    while x < W + 20.0 {
        let size = between(rng, 1.1, 1.9);
        cloud(canvas, (x, horizon + 14.0), size, rng);
        x += between(rng, 30.0, 60.0);
    }
}

/// Hills far away: a few sines added up, from `height` above `horizon` to nothing.
pub(super) fn hills(
    canvas: &mut Canvas,
    horizon: f32,
    height: f32,
    colour: Colour,
    rng: &mut ChaCha8Rng,
) {
    let phases: [f32; 3] = std::array::from_fn(|_| rng.random_range(0.0..std::f32::consts::TAU));
    let waves: [f32; 3] =
        std::array::from_fn(|i| rng.random_range(0.6..1.3) * (i + 1) as f32 / 60.0);
    let curve = move |x: f32| {
        let sum: f32 =
            (0..3).map(|i| (x * waves[i] + phases[i]).sin() / (i + 1) as f32).sum::<f32>() / 1.83;
        horizon - height * (0.55 + 0.45 * sum)
    };
    canvas.below(curve, horizon + 2.0, shade(colour, 1.06), mix(colour, rgb(0xff_ff_ff), 0.1));
}
