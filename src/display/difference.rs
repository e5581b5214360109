//! Differences as bars to both sides of zero: the lecture's figure 5.

use super::Picture;
use super::canvas::{Align, Canvas, Ink, text_width};
use super::colour::{INK, SERIES, SOFT};
use crate::{Error, Result};

/// Values as bars, to the right of a line where positive and to its left where negative, the largest on top.
///
/// # Errors
/// When there is none, or one is not finite.
pub fn difference_bars(title: &str, values: &[(String, f64)]) -> Result<Picture> {
    if values.is_empty() || values.iter().any(|(_, v)| !v.is_finite()) {
        let got = format!("{values:?}");
        return Err(Error::value("difference_bars", "at least one value, all finite", got));
    }
    let mut sorted: Vec<&(String, f64)> = values.iter().collect();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
    let ink = Ink::new(12.5, INK);
    let mut names = 0_f64;
    for (name, _) in &sorted {
        names = names.max(text_width(name, ink)?);
    }
    let names = names.min(300.) + 32.;
    let (row, top, room, number) = (28., 52., 460., 64.);
    let width = names + number + room + number;
    let mut canvas = Canvas::new(width as u32, (top + row * sorted.len() as f64 + 14.) as u32);
    canvas.text(16., 30., title, Ink::new(16., INK).bold(), Align::Left)?;
    let low = sorted.iter().map(|(_, v)| *v).fold(0., f64::min);
    let high = sorted.iter().map(|(_, v)| *v).fold(0., f64::max);
    let scale = room / (high - low).max(f64::MIN_POSITIVE);
    let zero = names + number - low * scale;
    for (i, (name, value)) in sorted.iter().enumerate() {
        let y = top + row * i as f64;
        let length = value * scale;
        let colour = if *value < 0. { SERIES[1] } else { SERIES[0] };
        canvas.rect(zero + length.min(0.), y + 3., length.abs().max(1.), row - 9., colour)?;
        canvas.text(names - 14., y + 17., name, ink, Align::Right)?;
        let text = format!("{value:+.1}").replace('-', "−");
        let soft = Ink::new(12., SOFT);
        match *value < 0. {
            true => canvas.text(zero + length - 8., y + 17., &text, soft, Align::Right)?,
            false => canvas.text(zero + length + 8., y + 17., &text, soft, Align::Left)?,
        }
    }
    let bottom = top + row * sorted.len() as f64;
    canvas.line(&[(zero, top - 2.), (zero, bottom)], 1., SOFT.into())?;
    let rows: Vec<_> = sorted.iter().map(|(n, v)| format!("{n} {v:+.1}")).collect();
    canvas.finish(format!("{title}: {}", rows.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_is_on_top_and_signs_are_kept() {
        let values = [("count".to_string(), -12.5), ("object".to_string(), 30.)];
        let picture = difference_bars("zero-shot − probe", &values).unwrap();
        assert_eq!(picture.alt, "zero-shot − probe: object +30.0, count -12.5");
        assert!(difference_bars("t", &[]).is_err());
        assert!(difference_bars("t", &[("a".into(), f64::NAN)]).is_err());
    }
}
