//! Where the objects of a scene stand: every kind in a zone of its own, large enough to be named in a small picture,
//! little overlap. Found by trying, with smaller objects after each failure.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{
    Background, HEIGHT, Kind, Placed, Relation, SizeClass, Style, WIDTH, objects, sprites,
};

/// How large an object may be drawn (the root of its area, pixels), by the number of objects in the scene.
const SIZES: [f32; 7] = [0.0, 140.0, 108.0, 95.0, 86.0, 79.0, 72.0];
/// No object's longer side is shorter, pixels of 240.
const SMALLEST: f32 = 48.0;
/// What stays free at the picture's border.
const MARGIN: f32 = 5.0;

/// Which kinds share a row, from left to right, and which rows there are.
pub(super) struct Zones {
    /// Rows that hang in the air or water, from the top; kinds by index.
    rows: Vec<Vec<usize>>,
    /// Kinds that stand on the ground.
    ground: Vec<usize>,
}

impl Zones {
    /// In the sky or under water: `order` from the left, or from the top.
    pub(super) fn free(relation: Option<Relation>, order: &[usize]) -> Self {
        let rows = match relation {
            Some(Relation::Above | Relation::Below) => order.iter().map(|i| vec![*i]).collect(),
            _ => vec![order.to_vec()],
        };
        Self { rows, ground: Vec::new() }
    }

    /// On the ground, some flying over it.
    pub(super) fn ground((flying, ground): (Vec<usize>, Vec<usize>)) -> Self {
        let rows = if flying.is_empty() { Vec::new() } else { vec![flying] };
        Self { rows, ground }
    }
}

/// Where one kind's centres (in the air) or feet (on the ground) may be.
struct Zone {
    kind: usize,
    left: f32,
    right: f32,
    top: f32,
    bottom: f32,
    ground: bool,
}

pub(super) fn place(
    rng: &mut ChaCha8Rng,
    style: Style,
    background: Background,
    horizon: f32,
    kinds: &[Kind],
    zones: &Zones,
) -> Vec<Placed> {
    let total: usize = kinds.iter().map(|k| k.count).sum();
    let zones = zones_of(zones, background, horizon, kinds);
    let jitter = rng.random_range(0.9..1.08);
    for attempt in 0_i32.. {
        let scale = SIZES[total] * jitter * 0.95_f32.powi(attempt);
        // The last tries accept what crowding there is: SMALLEST keeps every object nameable.
        let overlap = 0.08 + 0.02 * attempt as f32;
        let found = try_once(rng, style, background, kinds, &zones, scale, overlap);
        if let Some(mut placed) = found {
            placed.sort_by(|a, b| (a.y + a.h).total_cmp(&(b.y + b.h)));
            return placed;
        }
    }
    unreachable!("overlap is allowed in the end")
}

fn zones_of(zones: &Zones, background: Background, horizon: f32, kinds: &[Kind]) -> Vec<Zone> {
    let (width, height) = (WIDTH as f32, HEIGHT as f32);
    let mut out = Vec::new();
    let mut split = |row: &[usize], top: f32, bottom: f32, ground: bool| {
        let weight = |kind: usize| (kinds[kind].count as f32).powf(0.6);
        let all: f32 = row.iter().map(|k| weight(*k)).sum();
        let mut left = MARGIN;
        for &kind in row {
            let right = left + (width - 2.0 * MARGIN) * weight(kind) / all;
            out.push(Zone { kind, left, right, top, bottom, ground });
            left = right;
        }
    };
    let floor = if zones.ground.is_empty() {
        match background {
            Background::Night => horizon + 40.0,
            Background::Underwater => horizon + 12.0,
            _ => height,
        }
    } else {
        horizon + 6.0
    } - MARGIN;
    let rows = zones.rows.len() as f32;
    for (i, row) in zones.rows.iter().enumerate() {
        let part = (floor - MARGIN) / rows;
        let top = MARGIN + i as f32 * part;
        split(row, top, top + part, false);
    }
    let first = horizon
        + match background {
            Background::Table => 16.0,
            Background::Sand => 36.0,
            _ => 24.0,
        };
    let first = if zones.rows.is_empty() { first } else { first.max(150.0) };
    split(&zones.ground, first, height - MARGIN, true);
    out
}

fn try_once(
    rng: &mut ChaCha8Rng,
    style: Style,
    background: Background,
    kinds: &[Kind],
    zones: &[Zone],
    scale: f32,
    overlap: f32,
) -> Option<Vec<Placed>> {
    let mut placed: Vec<Placed> = Vec::new();
    for zone in zones {
        let kind = kinds[zone.kind];
        let (w, h) = size(kind.object, style, background, scale, zone);
        // A kind looks one way; its members vary a little.
        let flip = rng.random_bool(0.5);
        for _ in 0..kind.count {
            let found = (0..40).find_map(|_| {
                let one = candidate(rng, kind.object, background, zone, (w, h), flip)?;
                let clear = placed.iter().all(|other| share(&one, other) <= overlap);
                clear.then_some(one)
            })?;
            placed.push(found);
        }
    }
    Some(placed)
}

/// Width and height of a kind, pixels: its class, its drawing's shape, its zone.
fn size(
    object: usize,
    style: Style,
    background: Background,
    scale: f32,
    zone: &Zone,
) -> (f32, f32) {
    let class = match objects()[object].size {
        SizeClass::Small if background == Background::Table => 0.95,
        SizeClass::Small => 0.8,
        SizeClass::Medium => 1.0,
        SizeClass::Large => 1.2,
    };
    let (w, h) = sprites::sprites(style)[object].size;
    let mut zoom = scale * class / (w * h).sqrt();
    let high = if zone.ground { 196.0 } else { zone.bottom - zone.top };
    zoom = zoom
        .min(high / h)
        .min(0.96 * (zone.right - zone.left) / w)
        .min(1.35 * scale * class / w.max(h));
    zoom = zoom.max(SMALLEST / w.max(h));
    (w * zoom, h * zoom)
}

fn candidate(
    rng: &mut ChaCha8Rng,
    object: usize,
    background: Background,
    zone: &Zone,
    (w, h): (f32, f32),
    flip: bool,
) -> Option<Placed> {
    let info = &objects()[object];
    let most: f32 = match (zone.ground, info.category.as_str(), info.size) {
        (true, "building" | "plant", _) => 0.0,
        (true, "vehicle" | "household", SizeClass::Large | SizeClass::Medium) => 1.0,
        (true, ..) => 4.0,
        (false, ..) => 10.0,
    };
    let tilt = if most > 0.0 { rng.random_range(-most..most) } else { 0.0 };
    // Nearer is larger, a little.
    let (sin, cos) = tilt.to_radians().sin_cos();
    let mut grow = rng.random_range(0.94..1.04);
    let y = rng.random_range(zone.top..zone.bottom);
    if zone.ground && background != Background::Sea {
        grow *= 0.92 + 0.12 * (y - zone.top) / (zone.bottom - zone.top);
    }
    grow = grow.max(SMALLEST / w.max(h));
    let (w, h) = (w * grow, h * grow);
    let half_w = 0.5 * (w * cos.abs() + h * sin.abs());
    let half_h = 0.5 * (w * sin.abs() + h * cos.abs());
    let (left, right) = (zone.left + half_w, zone.right - half_w);
    let cx = if left < right { rng.random_range(left..right) } else { 0.5 * (left + right) };
    let cy = if zone.ground {
        y - half_h
    } else {
        let (top, bottom) = (zone.top + half_h, zone.bottom - half_h);
        if top < bottom { rng.random_range(top..bottom) } else { 0.5 * (top + bottom) }
    };
    let inside = cx - half_w >= 1.0
        && cx + half_w <= WIDTH as f32 - 1.0
        && cy - half_h >= 1.0
        && cy + half_h <= HEIGHT as f32 - 1.0;
    let flip = if rng.random_bool(0.15) { !flip } else { flip };
    inside.then_some(Placed { object, x: cx - 0.5 * w, y: cy - 0.5 * h, w, h, flip, tilt })
}

/// The part of the smaller box that both boxes cover, with some air around them.
fn share(a: &Placed, b: &Placed) -> f32 {
    const AIR: f32 = 4.0;
    let w = (a.x + a.w).min(b.x + b.w) - a.x.max(b.x) + AIR;
    let h = (a.y + a.h).min(b.y + b.h) - a.y.max(b.y) + AIR;
    if w <= 0.0 || h <= 0.0 { 0.0 } else { w * h / (a.w * a.h).min(b.w * b.h) }
}
