//! Curves of values that were drawn several times: means, with a bar from the lowest to the highest.

use super::Picture;
use super::colour::SERIES;
use super::plot::Chart;
use crate::Result;

/// A named line of a plot whose values differ from draw to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// What the legend calls it.
    pub name: String,
    /// Its places from left to right, each with its values.
    pub points: Vec<(f64, Vec<f64>)>,
}

impl Spread {
    /// Without any value yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), points: Vec::new() }
    }

    /// The same value at all these places.
    pub fn level(name: impl Into<String>, xs: &[f64], value: f64) -> Self {
        Self { name: name.into(), points: xs.iter().map(|x| (*x, vec![value])).collect() }
    }

    /// One more value at `x`.
    pub fn add(&mut self, x: f64, value: f64) {
        match self.points.iter_mut().find(|(place, _)| *place == x) {
            Some((_, values)) => values.push(value),
            None => self.points.push((x, vec![value])),
        }
    }

    /// The means, a point a place.
    pub fn means(&self) -> Vec<(f64, f64)> {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        self.points.iter().map(|(x, values)| (*x, mean(values))).collect()
    }
}

/// Spreads over one pair of axes, with a legend.
///
/// # Errors
/// When there is no finite value.
pub fn spread_plot(
    title: &str,
    x_label: &str,
    y_label: &str,
    spreads: &[Spread],
) -> Result<Picture> {
    let all = spreads.iter().flat_map(|s| &s.points);
    let points = all.flat_map(|(x, values)| values.iter().map(|y| (*x, *y)));
    let mut chart = Chart::new(points, title, x_label, y_label)?;
    for (i, spread) in spreads.iter().enumerate() {
        let colour = SERIES[i % SERIES.len()];
        let means = spread.means();
        chart.curve(&means, 2., plotters::style::Color::to_rgba(&colour))?;
        for (x, values) in &spread.points {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if high > low {
                chart.curve(
                    &[(*x, low), (*x, high)],
                    1.5,
                    plotters::style::Color::mix(&colour, 0.6),
                )?;
            }
        }
        chart.dots(&means, colour)?;
    }
    let legend: Vec<_> = spreads.iter().enumerate().map(|(i, s)| (s.name.as_str(), i)).collect();
    chart.legend(&legend)?;
    let told = |s: &Spread| {
        let means: Vec<_> = s.means().iter().map(|(x, y)| format!("{y:.2} at {x}")).collect();
        format!("{} {}", s.name, means.join(", "))
    };
    let told: Vec<_> = spreads.iter().map(told).collect();
    chart.canvas.finish(format!("{title}: {y_label} against {x_label}; {}", told.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_place_are_gathered() {
        let mut spread = Spread::new("a");
        for (x, y) in [(1., 0.25), (2., 0.5), (1., 0.75)] {
            spread.add(x, y);
        }
        assert_eq!(spread.means(), [(1., 0.5), (2., 0.5)]);
        let level = Spread::level("b", &[1., 2.], 0.5);
        let picture = spread_plot("t", "x", "y", &[spread, level]).unwrap();
        assert_eq!(picture.alt, "t: y against x; a 0.50 at 1, 0.50 at 2; b 0.50 at 1, 0.50 at 2");
        assert!(spread_plot("t", "x", "y", &[Spread::new("none")]).is_err());
    }
}
