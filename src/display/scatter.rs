//! Points over one pair of axes, in groups, with a line for reference.

use plotters::style::Color;

use super::Picture;
use super::colour::SOFT;
use super::plot::{Chart, Curve, series};
use crate::Result;

/// Groups of points ([`Curve`]s whose points are not joined), with a legend. `line` is drawn in grey behind them: the
/// diagonal, or a fit.
///
/// # Errors
/// When no group has a finite point.
pub fn scatter_plot(
    title: &str,
    x_label: &str,
    y_label: &str,
    groups: &[Curve],
    line: &[(f64, f64)],
) -> Result<Picture> {
    let points = groups.iter().flat_map(|c| c.points.iter().copied());
    let mut chart = Chart::new(points.chain(line.iter().copied()), title, x_label, y_label)?;
    chart.curve(line, 1.5, SOFT.to_rgba())?;
    for (i, group) in groups.iter().enumerate() {
        chart.dots(&group.points, series(i))?;
    }
    let legend: Vec<_> = groups.iter().enumerate().map(|(i, c)| (c.name.as_str(), i)).collect();
    chart.legend(&legend)?;
    let names: Vec<_> = groups.iter().map(|c| c.name.as_str()).collect();
    chart.canvas.finish(format!("{title}: {y_label} against {x_label} of {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_without_a_line_are_a_plot() {
        let groups = [Curve::new("a", vec![(0.1, 0.2), (0.4, 0.3)]), Curve::new("b", vec![])];
        let picture = scatter_plot("t", "x", "y", &groups, &[]).unwrap();
        assert_eq!(picture.alt, "t: y against x of a, b");
        assert!(scatter_plot("t", "x", "y", &[], &[]).is_err());
    }
}
