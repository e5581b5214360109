//! Pictures made worse, at five severities, as ImageNet-C does it (D. Hendrycks and T. Dietterich, arXiv:1903.12261). They
//! act on what the encoder sees, the resized picture.

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, imageops};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::{Error, Result};

/// A way to make a picture worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Corruption {
    /// A Gaussian blur, deviation 0.5 to 2.5 pixels of 64.
    Blur,
    /// Gaussian noise, deviation 0.04 to 0.38 of white.
    Noise,
    /// JPEG compression, quality 25 to 5.
    Jpeg,
    /// Less contrast: 0.6 to 0.1 of it is left.
    Contrast,
    /// Turned by 8 to 60 degrees, one way or the other; the edges are stretched outwards.
    Rotation,
    /// A grey square over a place drawn at random, 0.2 to 0.6 of the side.
    Occlusion,
}

impl Corruption {
    /// All six.
    pub const ALL: [Self; 6] =
        [Self::Blur, Self::Noise, Self::Jpeg, Self::Contrast, Self::Rotation, Self::Occlusion];

    /// What tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Blur => "blur",
            Self::Noise => "noise",
            Self::Jpeg => "JPEG",
            Self::Contrast => "contrast",
            Self::Rotation => "rotation",
            Self::Occlusion => "occlusion",
        }
    }

    /// The corrupted picture; `severity` is 1 to 5, `seed` decides what is random.
    ///
    /// # Errors
    /// When the severity is another.
    pub fn apply(self, picture: &RgbImage, severity: usize, seed: u64) -> Result<RgbImage> {
        if !(1..=5).contains(&severity) {
            return Err(Error::value("severity", "1 to 5", severity));
        }
        let of = |values: [f32; 5]| values[severity - 1];
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xc0_44);
        let (w, h) = picture.dimensions();
        let scale = w.min(h) as f32 / 64.;
        Ok(match self {
            Self::Blur => imageops::blur(picture, of([0.5, 0.9, 1.3, 1.8, 2.5]) * scale),
            Self::Noise => {
                let deviation = of([0.04, 0.08, 0.14, 0.24, 0.38]) * 255.;
                map(picture, |value| value + deviation * normal(&mut rng))
            }
            Self::Jpeg => jpeg(picture, of([25., 18., 12., 8., 5.]) as u8)?,
            Self::Contrast => {
                let left = of([0.6, 0.45, 0.3, 0.2, 0.1]);
                let count = picture.as_raw().len().max(1) as f32;
                let mean = picture.as_raw().iter().map(|v| f32::from(*v)).sum::<f32>() / count;
                map(picture, |value| mean + (value - mean) * left)
            }
            Self::Rotation => {
                let angle = of([8., 16., 26., 40., 60.]).to_radians();
                rotated(picture, if rng.random_bool(0.5) { angle } else { -angle })
            }
            Self::Occlusion => {
                let share = of([0.2, 0.3, 0.4, 0.5, 0.6]);
                let side = |of: u32| ((of as f32 * share).round() as u32).clamp(1, of);
                let (sw, sh) = (side(w), side(h));
                let (x, y) = (rng.random_range(0..=w - sw), rng.random_range(0..=h - sh));
                let mut out = picture.clone();
                for (dx, dy) in (0..sw).flat_map(|dx| (0..sh).map(move |dy| (dx, dy))) {
                    out.put_pixel(x + dx, y + dy, Rgb([128; 3]));
                }
                out
            }
        })
    }
}

fn map(picture: &RgbImage, mut f: impl FnMut(f32) -> f32) -> RgbImage {
    let mut out = picture.clone();
    out.iter_mut().for_each(|value| *value = f(f32::from(*value)).round().clamp(0., 255.) as u8);
    out
}

/// A normal number, by Box and Muller.
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let (u, v): (f32, f32) = (rng.random_range(f32::MIN_POSITIVE..1.), rng.random());
    (-2. * u.ln()).sqrt() * (std::f32::consts::TAU * v).cos()
}

fn jpeg(picture: &RgbImage, quality: u8) -> Result<RgbImage> {
    let failed = |e: image::ImageError| Error::value("JPEG", "a picture that is encoded", e);
    let mut bytes = std::io::Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture).map_err(failed)?;
    Ok(image::load_from_memory(bytes.get_ref()).map_err(failed)?.to_rgb8())
}

/// Turned about the middle, between four pixels; what comes from outside is the nearest edge.
fn rotated(picture: &RgbImage, angle: f32) -> RgbImage {
    let (w, h) = picture.dimensions();
    let (cx, cy) = ((w as f32 - 1.) / 2., (h as f32 - 1.) / 2.);
    let (sin, cos) = angle.sin_cos();
    let at = |x: f32, y: f32| {
        let side = |v: f32, most: u32| v.clamp(0., most as f32 - 1.) as u32;
        picture.get_pixel(side(x, w), side(y, h)).0.map(f32::from)
    };
    RgbImage::from_fn(w, h, |x, y| {
        let (dx, dy) = (x as f32 - cx, y as f32 - cy);
        let (x, y) = (cos * dx + sin * dy + cx, cos * dy - sin * dx + cy);
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy) = (x - x0, y - y0);
        let (a, b) = (at(x0, y0), at(x0 + 1., y0));
        let (c, d) = (at(x0, y0 + 1.), at(x0 + 1., y0 + 1.));
        Rgb(std::array::from_fn(|i| {
            let top = a[i] + (b[i] - a[i]) * fx;
            let bottom = c[i] + (d[i] - c[i]) * fx;
            (top + (bottom - top) * fy).round() as u8
        }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::scenes::{Scene, Split};

    #[test]
    fn each_severity_is_worse_than_the_one_before() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let pictures: Vec<RgbImage> =
            (0..8).map(|_| Scene::sample(&mut rng, Split::Valid).render(64, 64)).collect();
        for corruption in Corruption::ALL {
            let mut last = 0.;
            for severity in 1..=5 {
                let mut far = 0.;
                for (seed, picture) in pictures.iter().enumerate() {
                    let worse = corruption.apply(picture, severity, seed as u64).unwrap();
                    assert_eq!(worse, corruption.apply(picture, severity, seed as u64).unwrap());
                    assert_eq!(worse.dimensions(), picture.dimensions());
                    let pairs = worse.as_raw().iter().zip(picture.as_raw());
                    far += pairs.map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum::<f64>();
                }
                assert!(far > last, "{} {severity}: {far} after {last}", corruption.name());
                last = far;
            }
        }
        assert!(Corruption::Blur.apply(&pictures[0], 6, 0).is_err());
    }

    #[test]
    fn a_quarter_turn_moves_the_corner() {
        let mut picture = RgbImage::new(5, 5);
        picture.put_pixel(4, 2, Rgb([200, 0, 0]));
        // Clockwise, since y points down: the right edge goes to the bottom.
        let turned = rotated(&picture, std::f32::consts::FRAC_PI_2);
        assert_eq!(turned.get_pixel(2, 4).0, [200, 0, 0]);
    }
}
