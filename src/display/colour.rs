//! The colours of the plots.

use plotters::style::RGBColor;

/// Words on white.
pub(super) const INK: RGBColor = RGBColor(38, 42, 51);
/// Words of less weight: axes, notes.
pub(super) const SOFT: RGBColor = RGBColor(110, 117, 130);
/// Lines of a grid.
pub(super) const GRID: RGBColor = RGBColor(228, 231, 236);
/// The ground.
pub(super) const WHITE: RGBColor = RGBColor(255, 255, 255);

/// Colours of series that colour-blind readers can tell apart (M. Okabe, K. Ito: "Color Universal Design", 2008).
pub(super) const SERIES: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];

/// Viridis (matplotlib's, CC0) at eleven even steps.
const VIRIDIS: [[u8; 3]; 11] = [
    [68, 1, 84],
    [72, 36, 117],
    [65, 68, 135],
    [53, 95, 141],
    [42, 120, 142],
    [33, 145, 140],
    [34, 168, 132],
    [68, 191, 112],
    [122, 209, 81],
    [189, 223, 38],
    [253, 231, 37],
];

/// The colour of `t` between 0 (dark violet) and 1 (yellow), evenly bright steps; outside it is cut, NaN is grey.
pub(super) fn viridis(t: f64) -> RGBColor {
    if t.is_nan() {
        return RGBColor(160, 160, 160);
    }
    let place = t.clamp(0., 1.) * (VIRIDIS.len() - 1) as f64;
    let low = (place as usize).min(VIRIDIS.len() - 2);
    let part = place - low as f64;
    let mix = |i: usize| {
        let (a, b) = (f64::from(VIRIDIS[low][i]), f64::from(VIRIDIS[low + 1][i]));
        (a + (b - a) * part).round() as u8
    };
    RGBColor(mix(0), mix(1), mix(2))
}

/// Black or white, whichever reads better on `ground`.
pub(super) fn on(ground: RGBColor) -> RGBColor {
    let RGBColor(r, g, b) = ground;
    let luma = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
    if luma > 140. { INK } else { WHITE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viridis_keeps_its_ends_and_its_middle() {
        assert_eq!(viridis(0.), RGBColor(68, 1, 84));
        assert_eq!(viridis(1.), RGBColor(253, 231, 37));
        assert_eq!(viridis(0.5), RGBColor(33, 145, 140));
        assert_eq!(viridis(7.), viridis(1.));
        assert_eq!(viridis(f64::NAN), RGBColor(160, 160, 160));
    }
}
