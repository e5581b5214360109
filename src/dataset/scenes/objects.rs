//! The objects: what they are called, how large they are, where they may be; read from `data/sprites/index.json`.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::Background;

const INDEX: &str = include_str!("../../../data/sprites/index.json");

/// Names that no object has: what a few examples can teach.
pub const MADE_UP: [&str; 12] = [
    "dax", "blicket", "wug", "toma", "fep", "zav", "glorp", "plim", "kiv", "nork", "tulver", "bosa",
];

/// How large an object is in real life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SizeClass {
    /// It fits on a table.
    Small,
    /// It fits in a room.
    Medium,
    /// It stays outside.
    Large,
}

/// One everyday object, drawn in every style.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// What people call it, as `hot dog`.
    pub name: String,
    /// More than one of it, as `hot dogs`.
    pub plural: String,
    /// `a` or `an`.
    pub article: String,
    /// `animal`, `food`, `vehicle`, `plant`, `household`, `clothing`, `music`, `toy` or `building`.
    pub category: String,
    /// How large it is.
    pub size: SizeClass,
    /// Whether it can stand on the ground.
    pub ground: bool,
    /// Whether it can fly.
    pub air: bool,
    /// Whether it can be on the water.
    pub water: bool,
    /// Whether it can be under water.
    pub underwater: bool,
    /// Its colour, where all four drawings plainly have the same.
    pub colour: Option<String>,
    /// The drawing's name in all four sets.
    pub icon: String,
    /// The drawing's rectangle in each style's atlas, in the order of [`super::Style::ALL`]: x, y, width, height.
    pub rects: [[u32; 4]; 4],
}

impl ObjectInfo {
    /// Whether it only flies.
    pub fn flies_only(&self) -> bool {
        self.air && !self.ground
    }

    /// Whether it is at home in the background: stands, swims or flies there on its own.
    pub fn at_home(&self, background: Background) -> bool {
        match background {
            Background::Grass | Background::Sand | Background::Snow | Background::Street => {
                self.ground
            }
            Background::Night => self.ground || self.air,
            Background::Sea => self.water,
            Background::Underwater => self.underwater,
            Background::Sky => self.air,
            Background::Room => self.ground && self.size != SizeClass::Large,
            Background::Table => self.ground && self.size == SizeClass::Small,
        }
    }

    /// Whether it may fly over objects that are at home in the background.
    pub fn flies_over(&self, background: Background) -> bool {
        use Background::{Grass, Night, Sand, Sea, Snow, Street};
        self.flies_only() && matches!(background, Grass | Sand | Snow | Sea | Street | Night)
    }
}

/// Where a style's drawings come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The style's name in the tables.
    pub style: String,
    /// The atlas in `data/sprites`.
    pub file: String,
    /// The set's own name.
    pub title: String,
    /// The package that the drawings were taken from.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// Who drew them.
    pub author: String,
    /// The set's home.
    pub url: String,
    /// The licence's SPDX identifier.
    pub license: String,
    /// The licence's address.
    pub license_url: String,
}

#[derive(Deserialize)]
struct Index {
    styles: Vec<Provenance>,
    objects: Vec<ObjectInfo>,
}

fn index() -> &'static Index {
    static CELL: OnceLock<Index> = OnceLock::new();
    CELL.get_or_init(|| {
        serde_json::from_str(INDEX).expect("the embedded index is whole: a test reads it")
    })
}

/// All objects, in a fixed order: the classes of zero-shot and naming tasks.
pub fn objects() -> &'static [ObjectInfo] {
    &index().objects
}

/// Where the drawings of the four styles come from, in the order of [`super::Style::ALL`].
pub fn provenance() -> &'static [Provenance] {
    &index().styles
}

/// Whether the pair of object and background is seen only in [`super::Split::UnseenPairs`]: about one pair in ten, by
/// a hash of both names, of the objects that have at least three backgrounds.
pub fn held_out(object: usize, background: Background) -> bool {
    let info = &objects()[object];
    let may = |b: Background| info.at_home(b) || info.flies_over(b);
    if !may(background) || Background::ALL.iter().filter(|b| may(**b)).count() < 3 {
        return false;
    }
    // FNV-1a, finished with a multiplication: the same on every machine and in every version.
    let text = format!("{}|{}", info.icon, background.name());
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 32 < (1 << 32) / 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_whole() {
        assert_eq!(provenance().len(), 4);
        assert!(objects().len() >= 120);
        let mut names: Vec<_> = objects().iter().map(|o| o.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), objects().len(), "a name is given twice");
        for object in objects() {
            assert!(
                object.ground || object.air || object.water || object.underwater,
                "{} is nowhere",
                object.name
            );
        }
    }

    #[test]
    fn a_tenth_of_the_pairs_is_held_out_and_no_object_is_lost() {
        let (mut all, mut out) = (0, 0);
        for (i, info) in objects().iter().enumerate() {
            let may: Vec<_> = Background::ALL
                .into_iter()
                .filter(|b| info.at_home(*b) || info.flies_over(*b))
                .collect();
            let held = may.iter().filter(|b| held_out(i, **b)).count();
            let home = may.iter().filter(|b| info.at_home(**b) && !held_out(i, **b)).count();
            assert!(home > 0, "{} is never seen", info.name);
            all += may.len();
            out += held;
        }
        let share = out as f64 / all as f64;
        assert!((0.07..0.13).contains(&share), "{out} of {all}");
    }
}
