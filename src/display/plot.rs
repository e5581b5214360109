//! Lines and bars.

use plotters::style::{Color, RGBAColor, RGBColor};

use super::Picture;
use super::canvas::{Align, Canvas, Ink, text_width};
use super::colour::{GRID, INK, SERIES, SOFT, WHITE};
use crate::{Error, Result};

/// A named line of a plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What the legend calls it.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
}

impl Curve {
    /// A line through `(x, y)` points.
    pub fn new(name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points }
    }

    /// A line through `values` at 1, 2, 3, …
    pub fn of(name: impl Into<String>, values: &[f64]) -> Self {
        Self::new(name, values.iter().enumerate().map(|(i, &v)| ((i + 1) as f64, v)).collect())
    }
}

const SIZE: (f64, f64) = (720., 400.);
const LEFT: f64 = 62.;
const RIGHT: f64 = 24.;
const TOP: f64 = 74.;
const BOTTOM: f64 = 48.;

/// Curves over one pair of axes, with a legend.
///
/// # Errors
/// When no curve has a finite point.
pub fn line_plot(title: &str, x_label: &str, y_label: &str, curves: &[Curve]) -> Result<Picture> {
    let points = curves.iter().flat_map(|c| c.points.iter().copied());
    let mut chart = Chart::new(points, title, x_label, y_label)?;
    for (i, curve) in curves.iter().enumerate() {
        let colour = SERIES[i % SERIES.len()];
        chart.curve(&curve.points, 2., colour.to_rgba())?;
        if curve.points.len() <= 40 {
            chart.dots(&curve.points, colour)?;
        }
    }
    let legend: Vec<_> = curves.iter().enumerate().map(|(i, c)| (c.name.as_str(), i)).collect();
    chart.legend(&legend)?;
    let names: Vec<_> = curves.iter().map(|c| c.name.as_str()).collect();
    chart.canvas.finish(format!("{title}: {y_label} against {x_label} of {}", names.join(", ")))
}

/// A training's losses: pale each step, solid each epoch's mean in training and in validation; the epoch with the
/// lowest validation loss is marked, since its model is what `best.pt` holds.
///
/// `steps_per_epoch` places the steps below the epochs; the last epoch may be unfinished.
///
/// # Errors
/// When there is no finite loss.
pub fn loss_curves(
    step_losses: &[f64],
    steps_per_epoch: usize,
    train: &[f64],
    valid: &[f64],
) -> Result<Picture> {
    let per_epoch = steps_per_epoch.max(1) as f64;
    let step_points: Vec<_> =
        step_losses.iter().enumerate().map(|(i, &v)| ((i + 1) as f64 / per_epoch, v)).collect();
    let train_points = Curve::of("", train).points;
    let valid_points = Curve::of("", valid).points;
    let all = step_points.iter().chain(&train_points).chain(&valid_points).copied();
    let mut chart = Chart::new(all.chain([(0., f64::NAN)]), "Loss", "epoch", "loss")?;
    let [train_colour, valid_colour] = [SERIES[0], SERIES[1]];
    chart.curve(&step_points, 1., train_colour.mix(0.3))?;
    for (points, colour) in [(&train_points, train_colour), (&valid_points, valid_colour)] {
        chart.curve(points, 2.2, colour.to_rgba())?;
        chart.dots(points, colour)?;
    }
    let mut legend = vec![("training", 0), ("validation", 1)];
    let finite = valid_points.iter().filter(|p| p.1.is_finite());
    let best = finite.min_by(|a, b| a.1.total_cmp(&b.1)).copied();
    let mut alt = format!("loss curves of {} epochs", train.len());
    if let Some((epoch, loss)) = best {
        chart.mark((epoch, loss), &format!("best: {loss:.3}"), valid_colour)?;
        alt += &format!("; the lowest validation loss, {loss:.3}, is epoch {epoch}'s");
    } else {
        legend.pop();
    }
    chart.legend(&legend)?;
    chart.canvas.finish(alt)
}

/// Values as bars from left to right, a named row each, with the value at its end.
///
/// # Errors
/// When there is none, or one is negative or not finite.
pub fn bars(title: &str, values: &[(String, f64)]) -> Result<Picture> {
    if values.is_empty() || values.iter().any(|(_, v)| !v.is_finite() || *v < 0.) {
        let got = format!("{values:?}");
        return Err(Error::value("bars", "at least one value, none negative", got));
    }
    let ink = Ink::new(12.5, INK);
    let mut left = 0_f64;
    for (name, _) in values {
        left = left.max(text_width(name, ink)?);
    }
    let left = left.min(300.) + 28.;
    let (row, top) = (28., 52.);
    let width = left + 460.;
    let mut canvas = Canvas::new(width as u32, (top + row * values.len() as f64 + 14.) as u32);
    canvas.text(16., 30., title, Ink::new(16., INK).bold(), Align::Left)?;
    let longest = values.iter().map(|(_, v)| *v).fold(0., f64::max).max(f64::MIN_POSITIVE);
    for (i, (name, value)) in values.iter().enumerate() {
        let y = top + row * i as f64;
        let length = (width - left - 80.) * value / longest;
        canvas.rect(left, y + 3., length.max(1.), row - 9., SERIES[0])?;
        canvas.text(left - 10., y + 17., name, ink, Align::Right)?;
        let number = number(*value, longest / 4.);
        canvas.text(left + length + 8., y + 17., &number, Ink::new(12., SOFT), Align::Left)?;
    }
    let rows: Vec<_> = values.iter().map(|(n, v)| format!("{n} {v:.3}")).collect();
    canvas.finish(format!("{title}: {}", rows.join(", ")))
}

/// The colour of series `i`.
pub(super) fn series(i: usize) -> RGBColor {
    SERIES[i % SERIES.len()]
}

/// Axes with a grid, ready for curves.
pub(super) struct Chart {
    pub(super) canvas: Canvas,
    x: (f64, f64),
    y: (f64, f64),
}

impl Chart {
    pub(super) fn new(
        points: impl Iterator<Item = (f64, f64)>,
        title: &str,
        x_label: &str,
        y_label: &str,
    ) -> Result<Self> {
        let (mut xs, mut ys) = (Ends::default(), Ends::default());
        for (x, y) in points {
            xs.see(x);
            ys.see(y);
        }
        let (Some(x), Some(y)) = (xs.get(), ys.get()) else {
            return Err(Error::Plot(format!("{title}: there is no finite point to draw")));
        };
        let y_ticks = ticks(y.0, y.1);
        let step = y_ticks[1] - y_ticks[0];
        let y = ((y.0 / step).floor() * step, (y.1 / step).ceil() * step);
        let canvas = Canvas::new(SIZE.0 as u32, SIZE.1 as u32);
        let mut chart = Self { canvas, x, y };
        chart.axes(title, x_label, y_label)?;
        Ok(chart)
    }

    fn axes(&mut self, title: &str, x_label: &str, y_label: &str) -> Result<()> {
        let soft = Ink::new(11.5, SOFT);
        self.canvas.text(16., 30., title, Ink::new(16., INK).bold(), Align::Left)?;
        self.canvas.text(16., 56., y_label, soft, Align::Left)?;
        let y_ticks = ticks(self.y.0, self.y.1);
        for &tick in &y_ticks {
            let (left, y) = self.place(self.x.0, tick);
            let right = SIZE.0 - RIGHT;
            self.canvas.line(&[(left, y), (right, y)], 1., GRID.to_rgba())?;
            let label = number(tick, y_ticks[1] - y_ticks[0]);
            self.canvas.text(left - 8., y + 4., &label, soft, Align::Right)?;
        }
        let x_ticks = ticks(self.x.0, self.x.1);
        for &tick in &x_ticks {
            let (x, bottom) = self.place(tick, self.y.0);
            self.canvas.line(&[(x, bottom), (x, bottom + 4.)], 1., SOFT.to_rgba())?;
            let label = number(tick, x_ticks[1] - x_ticks[0]);
            self.canvas.text(x, bottom + 18., &label, soft, Align::Middle)?;
        }
        let bottom = SIZE.1 - BOTTOM;
        self.canvas.line(&[(LEFT, bottom), (SIZE.0 - RIGHT, bottom)], 1., SOFT.to_rgba())?;
        self.canvas.text(SIZE.0 - RIGHT, bottom + 36., x_label, soft, Align::Right)
    }

    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let across = (x - self.x.0) / (self.x.1 - self.x.0);
        let upwards = (y - self.y.0) / (self.y.1 - self.y.0);
        let (width, height) = (SIZE.0 - LEFT - RIGHT, SIZE.1 - TOP - BOTTOM);
        (LEFT + across * width, TOP + (1. - upwards) * height)
    }

    pub(super) fn curve(
        &mut self,
        points: &[(f64, f64)],
        width: f64,
        colour: RGBAColor,
    ) -> Result<()> {
        for run in points.split(|p| !p.1.is_finite()) {
            let places: Vec<_> = run.iter().map(|&(x, y)| self.place(x, y)).collect();
            if places.len() > 1 {
                self.canvas.line(&places, width, colour)?;
            }
        }
        Ok(())
    }

    pub(super) fn dots(&mut self, points: &[(f64, f64)], colour: RGBColor) -> Result<()> {
        for &(x, y) in points.iter().filter(|p| p.1.is_finite()) {
            let (x, y) = self.place(x, y);
            self.canvas.disc(x, y, 3.5, colour)?;
        }
        Ok(())
    }

    fn mark(&mut self, (x, y): (f64, f64), words: &str, colour: RGBColor) -> Result<()> {
        let (x, y) = self.place(x, y);
        self.canvas.disc(x, y, 7.5, colour)?;
        self.canvas.disc(x, y, 5.5, WHITE)?;
        self.canvas.disc(x, y, 3.5, colour)?;
        let ink = Ink::new(12., INK).bold();
        let half = text_width(words, ink)? / 2.;
        let x = x.min(SIZE.0 - RIGHT - half).max(LEFT + half);
        // Below the point where there is room: curves come from above.
        let baseline = if y + 24. < SIZE.1 - BOTTOM { y + 23. } else { y - 14. };
        self.canvas.rect(x - half - 4., baseline - 12., 2. * half + 8., 16., WHITE)?;
        self.canvas.text(x, baseline, words, ink, Align::Middle)
    }

    /// Names with the index of their colour, along the upper edge, from the right.
    pub(super) fn legend(&mut self, names: &[(&str, usize)]) -> Result<()> {
        let ink = Ink::new(12., INK);
        let mut right = SIZE.0 - RIGHT;
        for (name, colour) in names.iter().rev().filter(|(name, _)| !name.is_empty()) {
            self.canvas.text(right, 56., name, ink, Align::Right)?;
            right -= text_width(name, ink)? + 8.;
            let colour = SERIES[colour % SERIES.len()];
            self.canvas.line(&[(right - 18., 52.), (right, 52.)], 2.5, colour.to_rgba())?;
            right -= 36.;
        }
        Ok(())
    }
}

/// The lowest and highest finite value seen.
#[derive(Default)]
struct Ends(Option<(f64, f64)>);

impl Ends {
    fn see(&mut self, value: f64) {
        if value.is_finite() {
            let (low, high) = self.0.unwrap_or((value, value));
            self.0 = Some((low.min(value), high.max(value)));
        }
    }

    /// Never empty between the two.
    fn get(&self) -> Option<(f64, f64)> {
        let (low, high) = self.0?;
        Some(if high > low { (low, high) } else { (low - 0.5, high + 0.5) })
    }
}

/// Round numbers between `low` and `high`, about five, always at least two.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / 5.;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1., 2., 5., 10.].iter().map(|m| m * power).find(|s| *s >= rough * 0.999);
    let step = step.unwrap_or(10. * power);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// A value with as many decimals as its step needs.
fn number(value: f64, step: f64) -> String {
    let decimals = (-(step.abs().max(1e-9)).log10().floor()).clamp(0., 6.) as usize;
    let value = if value.abs() < step.abs() * 1e-6 { 0. } else { value };
    format!("{value:.decimals$}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0., 4.), [0., 1., 2., 3., 4.]);
        assert_eq!(ticks(0.13, 0.97), [0.2, 0.4, 0.6000000000000001, 0.8]);
        assert_eq!(number(0.6000000000000001, 0.2), "0.6");
        assert_eq!(number(-2., 1.), "−2");
    }

    #[test]
    fn the_best_epoch_is_the_lowest_validation_loss() {
        let picture = loss_curves(&[4., 3., 2., 1.], 2, &[3.5, 1.5], &[2.5, 2.7]).unwrap();
        assert!(picture.alt.ends_with("2.500, is epoch 1's"), "{}", picture.alt);
        let unfinished = loss_curves(&[4., 3.], 20, &[], &[]).unwrap();
        assert_eq!(unfinished.alt, "loss curves of 0 epochs");
        assert!(loss_curves(&[], 2, &[], &[]).is_err());
        assert!(loss_curves(&[f64::NAN], 2, &[], &[]).is_err());
    }

    #[test]
    fn one_point_is_a_plot() {
        assert!(line_plot("t", "x", "y", &[Curve::of("one", &[3.])]).is_ok());
    }
}
