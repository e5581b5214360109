//! The lecture's transforms: `Resize(s, s)`, then `(x / 255 − mean) / std` a channel, channels first.
//!
//! The resize is the antialiased bilinear one of PIL's `Image.resize((s, s), BILINEAR)`, which torchvision's
//! `Resize((s, s))` is too; the sides are scaled apart, nothing is cropped. Against PIL on the same pixels no value
//! differs by more than 1 of 255 (mean 0.17 smaller, 0.08 larger). The JPEG decoder is not libjpeg: on a picture made
//! to be hard for it, decoding and resizing together differ by at most 6 (mean 0.40) at 64² and 15 (0.43) at 224².
//!
//! CLIP's published weights expect another way to the square, [`Fit::Crop`].

use std::cell::{Cell, RefCell};
use std::path::Path;

use candle_core::{Device, Tensor};
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{Filter, FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

use super::crop::{self, not_empty};
use super::jpeg::{self, Plane, Planes};
use super::picture::{decode_image, read_file};
use crate::config::{CLIP_NORMALISATION, Fit};
use crate::nn::ops::{unwritten, vectorised};
use crate::{Error, Result};

/// The side of the picture that comes out, and the mean and deviation a channel that it is normalised with.
#[derive(Clone, Debug, PartialEq)]
pub struct Transform {
    /// The side `s`, pixels.
    pub size: usize,
    /// Of red, green and blue, where white is 1.
    pub mean: [f32; 3],
    /// Of red, green and blue, where white is 1.
    pub std: [f32; 3],
    /// How a picture becomes the square.
    pub fit: Fit,
}

impl Transform {
    /// The lecture's: stretched, with ImageNet's mean and deviation.
    pub fn imagenet(size: usize) -> Self {
        let (mean, std) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
        Self { size, mean, std, fit: Fit::Stretch }
    }

    /// CLIP's own: the middle square, with the mean and deviation of its pictures.
    pub fn clip(size: usize) -> Self {
        let (mean, std) = CLIP_NORMALISATION;
        Self { size, mean, std, fit: Fit::Crop }
    }

    /// A picture of any size → `(3, s, s)`, f32.
    ///
    /// # Errors
    /// When a side is 0 pixels.
    pub fn apply(&self, picture: &RgbImage) -> Result<Tensor> {
        self.tensor(&self.planes_of(picture)?)
    }

    /// A picture's file → `(3, s, s)`, f32: [`load_image`](super::load_image) and [`apply`](Self::apply) in one, with [`Fit::Stretch`] faster for
    /// most JPEGs, since no pixel is made that the resize throws away. Red, green and blue differ from those of the two steps
    /// as the module says.
    ///
    /// # Errors
    /// As [`load_image`](super::load_image).
    pub fn load(&self, path: &Path, index: usize) -> Result<Tensor> {
        self.tensor(&self.read(path, index)?)
    }

    /// The resized picture, not normalised.
    ///
    /// # Errors
    /// When a side is 0 pixels.
    pub fn resize_u8(&self, picture: &RgbImage) -> Result<RgbImage> {
        if self.fit == Fit::Crop {
            return crop::middle(picture, self.size);
        }
        let (width, height) = picture.dimensions();
        let all = (f64::from(width), f64::from(height));
        let small = self.resized::<U8x3>(picture.as_raw(), (width, height), all)?;
        let side = self.size as u32;
        Ok(RgbImage::from_raw(side, side, small).expect("three bytes a pixel"))
    }

    /// A picture's file, resized, not normalised: `(3, s, s)` bytes, what a cache can keep.
    ///
    /// # Errors
    /// As [`load_image`].
    pub(super) fn read(&self, path: &Path, index: usize) -> Result<Vec<u8>> {
        let bytes = read_file(path, index)?;
        if self.fit == Fit::Crop {
            return self.planes_of(&decode_image(&bytes, path, index)?);
        }
        match jpeg::decode(&bytes, |planes| self.planes_of_jpeg(planes)) {
            Some(small) => small,
            None => self.planes_of(&decode_image(&bytes, path, index)?),
        }
    }

    /// Red, green and blue one after the other.
    fn planes_of(&self, picture: &RgbImage) -> Result<Vec<u8>> {
        let small = self.resize_u8(picture)?.into_raw();
        let plane = small.len() / 3;
        let mut planes = vec![0; small.len()];
        for (i, pixel) in small.chunks_exact(3).enumerate() {
            for (channel, value) in pixel.iter().enumerate() {
                planes[channel * plane + i] = *value;
            }
        }
        Ok(planes)
    }

    fn planes_of_jpeg(&self, planes: &Planes) -> Result<Vec<u8>> {
        let (first, colours) = match &planes.0[..] {
            [grey] => (grey, None),
            [y, cb, cr] => (y, Some((cb, cr))),
            other => {
                let got = other.len();
                return Err(Error::value("a JPEG's planes", "one or three", got));
            }
        };
        let y = self.small(first, (1., 1.))?;
        let Some((cb, cr)) = colours else { return Ok(y.repeat(3)) };
        let (cb, cr) = (self.colour(cb, first)?, self.colour(cr, first)?);
        let mut out = vec![0; 3 * y.len()];
        let (red, rest) = out.split_at_mut(y.len());
        let (green, blue) = rest.split_at_mut(y.len());
        vectorised(
            #[inline(always)]
            || {
                let to = red.iter_mut().zip(green).zip(blue);
                for (((r, g), b), ((y, cb), cr)) in to.zip(y.iter().zip(&cb).zip(&cr)) {
                    [*r, *g, *b] = jpeg::rgb(*y, *cb, *cr);
                }
            },
        );
        Ok(out)
    }

    /// A colour plane, of half the picture's resolution as a rule. A decoder enlarges it by a triangle whose sides are one of its
    /// values long, and the resize then weighs the large plane by a triangle of its own: one after the other is nearly one triangle
    /// whose square is the sum of theirs.
    fn colour(&self, plane: &Plane, brightness: &Plane) -> Result<Vec<u8>> {
        let wide = |covers: f64, all: f64| {
            let (step, finer) = (covers / self.size as f64, covers / all);
            let side = match finer < 1. {
                true => (1. + step.max(finer).powi(2)).sqrt(),
                false => step.max(1.),
            };
            side / step.max(1.)
        };
        let (of, all) = (plane.covers, brightness.covers);
        self.small(plane, (wide(of.0, all.0), wide(of.1, all.1)))
    }

    /// A plane, which lies on its side → `(s, s)` values, upright; with triangles of these half widths across and down.
    fn small(&self, plane: &Plane, wide: (f64, f64)) -> Result<Vec<u8>> {
        let (width, height, side) = (plane.width as u32, plane.height as u32, self.size as u32);
        not_empty((width, height), side)?;
        let across = Resize {
            from: (height, width),
            covers: (f64::from(height), plane.covers.0),
            to: (height, side),
        };
        let down = Resize {
            from: (side, height),
            covers: (f64::from(side), plane.covers.1),
            to: (side, side),
        };
        let narrow = across.run::<U8>(&plane.values, wide.0)?;
        down.run::<U8>(&jpeg::turned(&narrow, self.size, plane.height), wide.1)
    }

    /// Rows of pixels, the part from the first corner that a picture covers → `(s, s)` pixels.
    fn resized<P: PixelTrait>(
        &self,
        pixels: &[u8],
        from: (u32, u32),
        covers: (f64, f64),
    ) -> Result<Vec<u8>> {
        let side = self.size as u32;
        not_empty(from, side)?;
        Resize { from, covers, to: (side, side) }.run::<P>(pixels, 1.)
    }

    /// Bytes `(3, s, s)` → the same as f32, normalised.
    pub(super) fn tensor(&self, planes: &[u8]) -> Result<Tensor> {
        let mut values = unwritten(planes.len());
        self.table().normalise(planes, &mut values);
        Ok(Tensor::from_vec(values, (3, self.size, self.size), &Device::Cpu)?)
    }

    /// What each of the 256 values of each channel becomes.
    pub(super) fn table(&self) -> Table {
        Table(std::array::from_fn(|channel| {
            let (mean, std) = (self.mean[channel], self.std[channel]);
            std::array::from_fn(|value| (value as f32 / 255.0 - mean) / std)
        }))
    }

    /// `(3, s, s)` as [`apply`](Self::apply) gives it → the picture, for display.
    ///
    /// # Errors
    /// When the tensor has another shape.
    pub fn inverse(&self, image: &Tensor) -> Result<RgbImage> {
        let s = self.size;
        if image.dims() != [3, s, s] {
            return Err(Error::shape(
                "Transform::inverse, image",
                format!("(3, {s}, {s})"),
                image.shape(),
            ));
        }
        let values = image.to_dtype(candle_core::DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        Ok(RgbImage::from_fn(s as u32, s as u32, |x, y| {
            let at = y as usize * s + x as usize;
            image::Rgb(std::array::from_fn(|channel| {
                let value = values[channel * s * s + at] * self.std[channel] + self.mean[channel];
                (value * 255.0).round() as u8
            }))
        }))
    }
}

thread_local! {
    static RESIZER: RefCell<Resizer> = RefCell::new(Resizer::new());
    /// The half width of [`triangle`], in steps of the resized picture.
    static SIDE: Cell<f64> = const { Cell::new(1.) };
}

/// The antialiased bilinear filter where [`SIDE`] is 1.
fn triangle(x: f64) -> f64 {
    (1. - x.abs() / SIDE.get()).max(0.)
}

/// The sizes of one resize.
struct Resize {
    from: (u32, u32),
    /// The part of `from`, from the first corner, that becomes `to`.
    covers: (f64, f64),
    to: (u32, u32),
}

impl Resize {
    /// With a triangle of this half width. For one type of pixel at a time: the resizer that is told the type when it runs is
    /// compiled for all that there are, which took half of this library's build.
    fn run<P: PixelTrait>(&self, pixels: &[u8], side: f64) -> Result<Vec<u8>> {
        let failed = |e: &dyn std::fmt::Display| Error::value("resize", "pixels", e);
        let (width, height) = self.to;
        let from = TypedImageRef::<P>::from_buffer(self.from.0, self.from.1, pixels);
        let from = from.map_err(|e| failed(&e))?;
        let mut small = vec![0; width as usize * height as usize * P::size()];
        let to = TypedImage::<P>::from_buffer(width, height, &mut small);
        let mut to = to.map_err(|e| failed(&e))?;
        SIDE.set(side);
        let filter = Filter::new("triangle", triangle, side).map_err(|e| failed(&e))?;
        let how = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(FilterType::Custom(filter)))
            .crop(0., 0., self.covers.0, self.covers.1);
        RESIZER
            .with_borrow_mut(|resizer| resizer.resize_typed(&from, &mut to, &how))
            .map_err(|e| failed(&e))?;
        drop(to);
        Ok(small)
    }
}

/// The normalised value of each byte, a channel: `[channel][value]`.
pub(super) struct Table([[f32; 256]; 3]);

impl Table {
    /// Bytes `(3, s, s)` → `out (3, s, s)`.
    pub(super) fn normalise(&self, planes: &[u8], out: &mut [f32]) {
        assert_eq!(planes.len(), out.len());
        let plane = (planes.len() / 3).max(1);
        let channels = planes.chunks_exact(plane).zip(out.chunks_exact_mut(plane));
        for ((bytes, out), table) in channels.zip(&self.0) {
            for (value, byte) in out.iter_mut().zip(bytes) {
                *value = table[usize::from(*byte)];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::dataset::load_image;

    fn golden(name: &str) -> RgbImage {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/resize");
        load_image(&folder.join(name), 0).unwrap()
    }

    /// The largest and the mean difference, of 255.
    fn difference(a: &RgbImage, b: &RgbImage) -> (u8, f64) {
        assert_eq!(a.dimensions(), b.dimensions());
        let each = || a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| a.abs_diff(*b));
        let mean = each().map(f64::from).sum::<f64>() / a.as_raw().len() as f64;
        (each().max().unwrap(), mean)
    }

    /// What [`Transform::read`] makes of a file, as a picture.
    fn read(transform: &Transform, name: &str) -> RgbImage {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/resize");
        let planes = transform.read(&folder.join(name), 0).unwrap();
        let (side, plane) = (transform.size as u32, planes.len() / 3);
        RgbImage::from_fn(side, side, |x, y| {
            image::Rgb(std::array::from_fn(|c| planes[c * plane + (y * side + x) as usize]))
        })
    }

    /// A PNG goes the long way, and comes out as the two steps make it.
    #[test]
    fn other_files_are_read_in_two_steps() {
        let transform = Transform::imagenet(64);
        let two = transform.resize_u8(&golden("decoded.png")).unwrap();
        assert_eq!(read(&transform, "decoded.png"), two);
        let missing = transform.load(std::path::Path::new("nowhere.jpg"), 3).unwrap_err();
        assert!(missing.to_string().contains("nowhere.jpg (item 3)"));
    }

    /// PIL's pixels are from tests/golden/resize.py (pillow 13.0.0). Measured, largest and mean: resizing PIL's
    /// decoded pixels 1 and 0.17 (150 × 113 to 64²), 1 and 0.08 (to 224²); decoding alone 15 and 0.40 (the two
    /// decoders enlarge the halved colour planes differently: a few pixels at hard edges); both 6 and 0.40 to 64², 15
    /// and 0.43 to 224². The tolerances are these, and for the means a little more. Read at once, 17 and 0.91, 17 and 1.26: most of
    /// it (0.7) is where PIL cuts off colours that no screen has before it resizes, and we after; this picture is full of them.
    #[test]
    fn matches_pil() {
        let (picture, decoded) = (golden("picture.jpg"), golden("decoded.png"));
        for (side, alone, both, at_once) in [(64, 0.18, 6, 1.), (224, 0.09, 15, 1.35)] {
            let expected = golden(&format!("resized_{side}.png"));
            let transform = Transform::imagenet(side);
            let (max, mean) = difference(&transform.resize_u8(&decoded).unwrap(), &expected);
            assert!(max <= 1 && mean < alone, "resize to {side}: {max}, {mean}");
            let (max, mean) = difference(&transform.resize_u8(&picture).unwrap(), &expected);
            assert!(max <= both && mean < 0.45, "decode and resize to {side}: {max}, {mean}");
            let (max, mean) = difference(&read(&transform, "picture.jpg"), &expected);
            println!("read to {side}: {max}, {mean}");
            assert!(max <= 18 && mean < at_once, "read to {side}: {max}, {mean}");
        }
    }

    #[test]
    fn channels_first_normalised_and_back() {
        let transform = Transform::imagenet(3);
        let picture =
            RgbImage::from_fn(3, 3, |x, y| image::Rgb([x as u8 * 100, y as u8 * 120, 255]));
        let tensor = transform.apply(&picture).unwrap();
        assert_eq!(tensor.dims(), [3, 3, 3]);
        let at = |channel: usize, y: usize, x: usize| -> f32 {
            tensor.get(channel).unwrap().get(y).unwrap().get(x).unwrap().to_scalar().unwrap()
        };
        // torchvision's Normalize: (value / 255 − mean) / std, in f32.
        assert_eq!(at(0, 0, 2), (200.0 / 255.0 - 0.485) / 0.229);
        assert_eq!(at(1, 2, 0), (240.0 / 255.0 - 0.456) / 0.224);
        assert_eq!(at(2, 1, 1), (1.0 - 0.406) / 0.225);
        assert_eq!(transform.inverse(&tensor).unwrap(), picture);
    }

    #[test]
    fn every_byte_comes_back_from_inverse() {
        let transform = Transform::imagenet(16);
        let picture = RgbImage::from_fn(16, 16, |x, y| {
            let value = (y * 16 + x) as u8;
            image::Rgb([value, 255 - value, value ^ 0x55])
        });
        assert_eq!(transform.inverse(&transform.apply(&picture).unwrap()).unwrap(), picture);
    }

    #[test]
    fn a_picture_without_pixels_and_a_wrong_shape_are_errors() {
        let transform = Transform::imagenet(8);
        assert!(transform.apply(&RgbImage::new(0, 5)).unwrap_err().to_string().contains("0 × 5"));
        let flat = Tensor::zeros((8, 8, 3), candle_core::DType::F32, &Device::Cpu).unwrap();
        let message = transform.inverse(&flat).unwrap_err().to_string();
        assert!(message.contains("(3, 8, 8)") && message.contains("[8, 8, 3]"), "{message}");
    }
}
