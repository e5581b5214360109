//! Small pictures of one object: what a generative model can learn in minutes on two cores.
//!
//! One of 32 objects, in one drawing style (Noto), large on one of eight painted grounds where it is at home; a caption from
//! six templates. The world is that of [`Scene`]: the same drawings, grounds, phrases, unseen pairs and unseen style, drawn
//! at [`SIDE`]² pixels (or any other size) and squeezed to a square as all pictures of `tiny` are.
//!
//! ```
//! use vision_language::dataset::scenes::{Split, single};
//!
//! let pictures = single::draw(8, Split::Train, single::SIDE, 0)?;
//! assert_eq!(pictures.images.dims(), [8, 3, 32, 32]);
//! assert_eq!(pictures.captions.len(), 8);
//! # Ok::<(), vision_language::Error>(())
//! ```

use std::sync::OnceLock;

use candle_core::{Device, Tensor};
use image::RgbImage;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{Background, Kind, Placed, Scene, Split, Style, captions, held_out, objects, sprites};
use crate::{Error, Result};

/// The side that the generative models' pictures have, pixels.
pub const SIDE: usize = 32;

/// The vocabulary of objects; an object's class is its place here.
pub const OBJECTS: [&str; 32] = [
    "dog",
    "cat",
    "rabbit",
    "pig",
    "cow",
    "elephant",
    "tiger",
    "penguin",
    "turtle",
    "crab",
    "car",
    "bus",
    "bicycle",
    "tree",
    "cactus",
    "sunflower",
    "chair",
    "umbrella",
    "robot",
    "snowman",
    "gift",
    "house",
    "apple",
    "soccer ball",
    "airplane",
    "balloon",
    "butterfly",
    "rocket",
    "fish",
    "octopus",
    "dolphin",
    "jellyfish",
];

/// The vocabulary of grounds; a ground's class is its place here.
pub const GROUNDS: [Background; 8] = [
    Background::Grass,
    Background::Sand,
    Background::Snow,
    Background::Night,
    Background::Street,
    Background::Room,
    Background::Sky,
    Background::Underwater,
];

/// What a caption puts before the object and the place.
const STARTS: [&str; 3] = ["", "a picture of ", "there is "];
/// How large an object is drawn: the root of its area in the 320 × 240 picture, pixels.
const SIZE: f32 = 158.0;

/// One small picture: its classes and the scene that draws it.
#[derive(Clone, Debug, PartialEq)]
pub struct Single {
    /// A class of [`OBJECTS`].
    pub object: usize,
    /// A class of [`GROUNDS`].
    pub ground: usize,
    /// What is drawn.
    pub scene: Scene,
}

/// Pictures with captions and classes, a row each.
#[derive(Clone, Debug)]
pub struct Singles {
    /// `(n, 3, s, s)`, values from 0 (black) to 1.
    pub images: Tensor,
    /// A caption each.
    pub captions: Vec<String>,
    /// Classes of [`OBJECTS`].
    pub objects: Vec<usize>,
    /// Classes of [`GROUNDS`].
    pub grounds: Vec<usize>,
}

/// The index in [`objects`] of each class.
fn indices() -> &'static [usize; 32] {
    static CELL: OnceLock<[usize; 32]> = OnceLock::new();
    CELL.get_or_init(|| {
        OBJECTS.map(|name| {
            objects().iter().position(|o| o.name == name).expect("a test looks every name up")
        })
    })
}

/// The pairs of classes of object and ground that a split draws from: [`Split::UnseenPairs`] has those that no other has.
pub fn pairs(split: Split) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (object, &index) in indices().iter().enumerate() {
        for (ground, &background) in GROUNDS.iter().enumerate() {
            let unseen = held_out(index, background);
            if objects()[index].at_home(background) && unseen == (split == Split::UnseenPairs) {
                pairs.push((object, ground));
            }
        }
    }
    pairs
}

/// `a dog on the grass`: the plainest caption of two classes.
pub fn caption(object: usize, ground: usize) -> String {
    let info = &objects()[indices()[object]];
    format!("{} {} {}", info.article, info.name, captions::places(GROUNDS[ground])[0])
}

/// The classes that a caption names, if it names one object and one ground of the vocabulary.
pub fn classes(caption: &str) -> Option<(usize, usize)> {
    let words = format!(" {} ", caption.to_lowercase().replace([',', '.'], " "));
    let object = OBJECTS.iter().position(|name| words.contains(&format!(" {name} ")))?;
    let named = |ground: &Background| {
        captions::places(*ground).iter().any(|place| words.contains(&format!(" {place} ")))
    };
    Some((object, GROUNDS.iter().position(named)?))
}

/// `n` captions to draw by, half of them of unseen pairs, no object and ground twice; the same for the same seed.
pub fn held_out_captions(n: usize, seed: u64) -> Vec<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = Vec::new();
    for (split, count) in [(Split::UnseenPairs, n / 2), (Split::Valid, n - n / 2)] {
        let mut all = pairs(split);
        all.shuffle(&mut rng);
        drawn.extend(all.into_iter().take(count).map(|(object, ground)| caption(object, ground)));
    }
    drawn
}

impl Single {
    /// A picture of the split: an object, then one of its grounds, each as likely as the next.
    pub fn sample(rng: &mut ChaCha8Rng, split: Split) -> Self {
        let all = pairs(split);
        let mut named: Vec<usize> = all.iter().map(|p| p.0).collect();
        named.dedup();
        let object = *named.choose(rng).expect("every split has pairs");
        let grounds: Vec<_> = all.iter().filter(|p| p.0 == object).collect();
        let ground = grounds.choose(rng).expect("an object that was named has a ground").1;
        let style = if split == Split::UnseenStyle { Style::Fluent } else { Style::Noto };
        Self::of(rng, object, ground, style)
    }

    /// A picture of these classes in this style.
    pub fn of(rng: &mut ChaCha8Rng, object: usize, ground: usize, style: Style) -> Self {
        let background = GROUNDS[ground];
        let index = indices()[object];
        let (w, h) = sprites::sprites(style)[index].size;
        let zoom = SIZE * rng.random_range(0.93..1.07_f32) / (w * h).sqrt();
        let zoom = zoom.min(212.0 / h).min(250.0 / w);
        let (w, h) = (w * zoom, h * zoom);
        let cx = 160.0 + rng.random_range(-14.0..14.0_f32);
        let free = matches!(background, Background::Sky | Background::Underwater)
            || objects()[index].flies_only();
        let middle = if free { 116.0 } else { 228.0 - 0.5 * h };
        let cy = middle + rng.random_range(-7.0..7.0_f32);
        let horizon = rng.random_range(match background {
            Background::Night => 116.0..136.0,
            Background::Street => 104.0..122.0,
            Background::Room => 136.0..152.0,
            Background::Sky => 216.0..236.0,
            Background::Underwater => 196.0..212.0,
            _ => 90.0..112.0_f32,
        });
        let placed = Placed {
            object: index,
            x: cx - 0.5 * w,
            y: cy - 0.5 * h,
            w,
            h,
            flip: false,
            tilt: 0.0,
        };
        let scene = Scene {
            style,
            background,
            kinds: vec![Kind { object: index, count: 1 }],
            relation: None,
            objects: vec![placed],
            horizon,
            light: rng.random_range(0.94..1.04),
            paint: rng.random(),
        };
        Self { object, ground, scene }
    }

    /// The picture at `side` × `side` pixels.
    pub fn render(&self, side: usize) -> RgbImage {
        self.scene.render(side as u32, side as u32)
    }

    /// One of six captions: three beginnings, two names of the place.
    pub fn caption(&self, rng: &mut ChaCha8Rng) -> String {
        let info = &objects()[indices()[self.object]];
        let start = STARTS.choose(rng).expect("three");
        let place = captions::places(GROUNDS[self.ground]).choose(rng).expect("two");
        format!("{start}{} {} {place}", info.article, info.name)
    }
}

/// `n` pictures of the split at `side` × `side` pixels. The same seed gives the same ones, whatever the number of threads;
/// picture i does not depend on `n`.
///
/// # Errors
/// When `n` or `side` is 0.
pub fn draw(n: usize, split: Split, side: usize, seed: u64) -> Result<Singles> {
    if n == 0 || side == 0 {
        let got = format!("{n} pictures of {side} pixels");
        return Err(Error::value("single::draw", "at least one picture of one pixel", got));
    }
    let one = |number: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x73_69_6e_67);
        // Splits draw from streams of their own: the same seed has no picture of another split's.
        rng.set_stream(((number as u64) << 2) | split as u64);
        let single = Single::sample(&mut rng, split);
        let caption = single.caption(&mut rng);
        (single.render(side), caption, single.object, single.ground)
    };
    let drawn: Vec<_> = (0..n).into_par_iter().map(one).collect();
    let pictures: Vec<&RgbImage> = drawn.iter().map(|d| &d.0).collect();
    Ok(Singles {
        images: to_tensor(&pictures)?,
        captions: drawn.iter().map(|d| d.1.clone()).collect(),
        objects: drawn.iter().map(|d| d.2).collect(),
        grounds: drawn.iter().map(|d| d.3).collect(),
    })
}

/// A picture of each pair of classes, `(n, 3, side, side)`, values from 0 to 1.
///
/// # Errors
/// When there is no pair, or `side` is 0.
pub fn draw_pairs(pairs: &[(usize, usize)], side: usize, rng: &mut ChaCha8Rng) -> Result<Tensor> {
    if side == 0 {
        return Err(Error::value("single::draw_pairs, side", "at least one pixel", 0));
    }
    let singles: Vec<Single> =
        pairs.iter().map(|(o, g)| Single::of(rng, *o, *g, Style::Noto)).collect();
    let pictures: Vec<RgbImage> = singles.par_iter().map(|s| s.render(side)).collect();
    to_tensor(&pictures.iter().collect::<Vec<_>>())
}

/// Pictures of one size → `(n, 3, h, w)`, values from 0 to 1.
///
/// # Errors
/// When there are none, or their sizes differ.
pub fn to_tensor(pictures: &[&RgbImage]) -> Result<Tensor> {
    let Some((w, h)) = pictures.first().map(|p| p.dimensions()) else {
        return Err(Error::value("pictures to a tensor", "at least one", "none"));
    };
    if let Some(other) = pictures.iter().find(|p| p.dimensions() != (w, h)) {
        let got = format!("one of {:?}", other.dimensions());
        return Err(Error::value("pictures to a tensor", format!("all of ({w}, {h})"), got));
    }
    let (w, h) = (w as usize, h as usize);
    let mut values = vec![0f32; pictures.len() * 3 * w * h];
    for (values, picture) in values.chunks_mut(3 * w * h).zip(pictures) {
        for (i, pixel) in picture.as_raw().chunks(3).enumerate() {
            for (c, byte) in pixel.iter().enumerate() {
                values[c * w * h + i] = f32::from(*byte) / 255.0;
            }
        }
    }
    Ok(Tensor::from_vec(values, (pictures.len(), 3, h, w), &Device::Cpu)?)
}

/// `(n, 3, h, w)`, values from 0 to 1 (others are cut off) → pictures.
///
/// # Errors
/// When the tensor has another shape.
pub fn to_pictures(images: &Tensor) -> Result<Vec<RgbImage>> {
    let (n, _, h, w) = images.dims4()?;
    if images.dim(1)? != 3 {
        return Err(Error::shape("to_pictures", "(n, 3, h, w)", images.shape()));
    }
    let values = images.permute((0, 2, 3, 1))?.contiguous()?.flatten_all()?.to_vec1::<f32>()?;
    let bytes: Vec<u8> = values.iter().map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8).collect();
    let picture = |i: usize| {
        let bytes = bytes[i * 3 * h * w..(i + 1) * 3 * h * w].to_vec();
        RgbImage::from_raw(w as u32, h as u32, bytes).expect("three bytes a pixel")
    };
    Ok((0..n).map(picture).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_there_and_some_pairs_are_held_out() {
        let (seen, unseen) = (pairs(Split::Train), pairs(Split::UnseenPairs));
        assert_eq!(seen, pairs(Split::Valid));
        assert!(unseen.len() >= 10, "{}", unseen.len());
        for (object, name) in OBJECTS.iter().enumerate() {
            assert!(seen.iter().any(|p| p.0 == object), "{name} is never seen");
        }
        for (ground, name) in GROUNDS.iter().enumerate() {
            assert!(seen.iter().filter(|p| p.1 == ground).count() >= 4, "{name:?}");
        }
        assert!(unseen.iter().all(|p| !seen.contains(p)));
    }

    #[test]
    fn a_caption_names_its_classes() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..200 {
            let single = Single::sample(&mut rng, Split::Train);
            let caption = single.caption(&mut rng);
            assert_eq!(classes(&caption), Some((single.object, single.ground)), "{caption}");
        }
        assert_eq!(classes("a dog on the grass"), Some((0, 0)));
        assert_eq!(classes("a dog"), None);
    }

    #[test]
    fn a_seed_gives_the_same_pictures() {
        let a = draw(6, Split::Valid, 16, 5).unwrap();
        let b = draw(3, Split::Valid, 16, 5).unwrap();
        let values = |t: Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values(a.images.narrow(0, 0, 3).unwrap()), values(b.images.clone()));
        assert_eq!(a.captions[..3], b.captions[..]);
        let other = draw(3, Split::Valid, 16, 6).unwrap();
        assert_ne!(values(b.images), values(other.images));
    }

    #[test]
    fn pixels_survive_the_way_to_a_tensor_and_back() {
        let picture = Single::sample(&mut ChaCha8Rng::seed_from_u64(1), Split::Train).render(32);
        let tensor = to_tensor(&[&picture]).unwrap();
        assert_eq!(to_pictures(&tensor).unwrap()[0], picture);
    }

    #[test]
    fn held_out_captions_are_half_of_unseen_pairs() {
        let captions = held_out_captions(20, 0);
        let unseen = pairs(Split::UnseenPairs);
        let of: Vec<_> = captions.iter().map(|c| classes(c).unwrap()).collect();
        assert_eq!(of.iter().filter(|c| unseen.contains(c)).count(), 10);
        assert_eq!(captions, held_out_captions(20, 0));
    }
}
