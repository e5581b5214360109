//! Scenes: the embedded default data. Photographs composed from openly licensed emoji drawings in four styles on
//! painted backgrounds, with five captions each, deterministic in a seed, written in exactly Flickr8k's layout.
//!
//! A [`Scene`] is the ground truth: what is there, how many, where. [`Scene::render`] draws it at any size,
//! [`Scene::captions`] says it in plain English, [`generate`] writes a folder of them.
//!
//! ```
//! use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
//! use vision_language::dataset::scenes::{Scene, Split};
//!
//! let mut rng = ChaCha8Rng::seed_from_u64(0);
//! let scene = Scene::sample(&mut rng, Split::Train);
//! let picture = scene.render(320, 240);
//! let captions = scene.captions(&mut rng);
//! assert_eq!(picture.dimensions(), (320, 240));
//! assert!(!captions[0].is_empty());
//! ```

mod backgrounds;
mod canvas;
mod captions;
mod generate;
mod indoors;
mod layout;
mod objects;
mod outdoors;
mod questions;
mod render;
mod sample;
mod sheet;
pub mod single;
mod sprites;
mod truth;
mod water;

use serde::{Deserialize, Serialize};

pub use captions::vocabulary;
pub use generate::{ScenesConfig, ScenesSummary, generate};
pub use objects::{MADE_UP, ObjectInfo, Provenance, SizeClass, held_out, objects, provenance};
pub use questions::{Asks, Question, category};
pub use sheet::contact_sheet;

/// The width that a scene's coordinates and its JPEG have, pixels.
pub const WIDTH: u32 = 320;
/// The height that a scene's coordinates and its JPEG have, pixels.
pub const HEIGHT: u32 = 240;

/// Who drew the objects of a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// Noto Emoji (Google, Apache-2.0).
    Noto,
    /// Twemoji (Twitter and contributors, CC-BY-4.0).
    Twemoji,
    /// OpenMoji (CC-BY-SA-4.0).
    OpenMoji,
    /// Fluent Emoji Flat (Microsoft, MIT): the unseen style, never trained on.
    Fluent,
}

impl Style {
    /// All four; [`Style::Fluent`] last.
    pub const ALL: [Self; 4] = [Self::Noto, Self::Twemoji, Self::OpenMoji, Self::Fluent];
    /// The styles that training and validation pictures are drawn in.
    pub const SEEN: [Self; 3] = [Self::Noto, Self::Twemoji, Self::OpenMoji];

    /// The style's name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Noto => "noto",
            Self::Twemoji => "twemoji",
            Self::OpenMoji => "openmoji",
            Self::Fluent => "fluent",
        }
    }
}

/// Where a scene takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Background {
    /// A meadow under the sky.
    Grass,
    /// A beach, the sea behind it.
    Sand,
    /// Snowy hills while it snows.
    Snow,
    /// The open sea, seen from above it.
    Sea,
    /// Under water, down to the seabed.
    Underwater,
    /// Up in the air, among clouds.
    Sky,
    /// A meadow under stars and a moon.
    Night,
    /// A street in the city.
    Street,
    /// A room with a wooden floor.
    Room,
    /// A kitchen table.
    Table,
}

impl Background {
    /// All ten.
    pub const ALL: [Self; 10] = [
        Self::Grass,
        Self::Sand,
        Self::Snow,
        Self::Sea,
        Self::Underwater,
        Self::Sky,
        Self::Night,
        Self::Street,
        Self::Room,
        Self::Table,
    ];

    /// The background's name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Grass => "grass",
            Self::Sand => "sand",
            Self::Snow => "snow",
            Self::Sea => "sea",
            Self::Underwater => "underwater",
            Self::Sky => "sky",
            Self::Night => "night",
            Self::Street => "street",
            Self::Room => "room",
            Self::Table => "table",
        }
    }
}

/// Which scenes may be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Seen styles, seen pairs of object and background.
    Train,
    /// As [`Split::Train`]; other pictures.
    Valid,
    /// Only [`Style::Fluent`]; seen pairs: the lecture's distribution shift.
    UnseenStyle,
    /// Seen styles; only pairs of object and background that occur in no other split ([`held_out`]).
    UnseenPairs,
}

impl Split {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Train, Self::Valid, Self::UnseenStyle, Self::UnseenPairs];

    /// The split's name in `splits.csv` and `truth.parquet`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::UnseenStyle => "unseen_style",
            Self::UnseenPairs => "unseen_pairs",
        }
    }
}

/// Where one kind of objects is, seen from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// To the left of it.
    LeftOf,
    /// To the right of it.
    RightOf,
    /// Above it.
    Above,
    /// Below it.
    Below,
}

impl Relation {
    /// The same seen from the other one.
    pub fn inverse(self) -> Self {
        match self {
            Self::LeftOf => Self::RightOf,
            Self::RightOf => Self::LeftOf,
            Self::Above => Self::Below,
            Self::Below => Self::Above,
        }
    }

    /// The relation's name in `truth.parquet`.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeftOf => "left_of",
            Self::RightOf => "right_of",
            Self::Above => "above",
            Self::Below => "below",
        }
    }
}

/// A kind of objects and how many of them there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kind {
    /// The object, an index of [`objects`].
    pub object: usize,
    /// How many, 1 to 4.
    pub count: usize,
}

/// One object in the picture. Coordinates are pixels of the 320 × 240 picture, from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placed {
    /// The object, an index of [`objects`].
    pub object: usize,
    /// The left of its box before tilting.
    pub x: f32,
    /// The top of its box before tilting.
    pub y: f32,
    /// The width of its box.
    pub w: f32,
    /// The height of its box.
    pub h: f32,
    /// Whether it is mirrored, left for right.
    pub flip: bool,
    /// How far it is turned clockwise about its centre, degrees.
    pub tilt: f32,
}

/// The ground truth of one picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// Who drew its objects.
    pub style: Style,
    /// Where it takes place.
    pub background: Background,
    /// One to three kinds of objects, the first one at home in the background.
    pub kinds: Vec<Kind>,
    /// Where the first kind is, seen from the second, if there are exactly two.
    pub relation: Option<Relation>,
    /// Every object, from the farthest to the nearest.
    pub objects: Vec<Placed>,
    /// Where ground (or water, or wall) begins, pixels from the top of the 320 × 240 picture.
    pub horizon: f32,
    /// What the colours of the objects are multiplied with.
    pub light: f32,
    /// The seed of everything painted that the captions do not say.
    pub paint: u64,
}
