//! What people would write under a scene: five captions in lower case, the fullest first, made of the words of
//! [`vocabulary`] and commas.

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::{Background, Kind, ObjectInfo, Relation, Scene, objects};

pub(super) const NUMBERS: [&str; 5] = ["no", "one", "two", "three", "four"];
const PREFIXES: [&str; 5] =
    ["a photo of", "a picture of", "a drawing of", "an image of", "this is"];
/// Glue that stands in no table.
const GLUE: &str =
    "a an and there is are in the air with flying above some several couple of group";

/// How a place is called: what people say of things in it, of things that fly over it, and of itself.
struct Place {
    /// The first two are used in the fullest captions.
    at: &'static [&'static str],
    over: &'static str,
    scene: &'static [&'static str],
    tag: &'static str,
}

fn place(background: Background) -> Place {
    let (at, over, scene, tag): (&[_], _, &[_], _) = match background {
        Background::Grass => (
            &["on the grass", "on the green grass", "in a meadow", "on a lawn", "in a field"],
            "over the grass",
            &["a meadow", "a green field"],
            "grass",
        ),
        Background::Sand => (
            &["on the sand", "on the beach", "on a sandy beach", "by the sea"],
            "over the beach",
            &["a beach", "a sandy beach"],
            "beach",
        ),
        Background::Snow => (
            &["in the snow", "on the snow", "on a snowy day", "outside in winter"],
            "over the snow",
            &["a snowy day", "a winter day"],
            "snow",
        ),
        Background::Sea => (
            &["on the sea", "on the water", "on the waves", "out on the ocean"],
            "over the sea",
            &["the sea", "the ocean"],
            "sea",
        ),
        Background::Underwater => (
            &["under water", "under the sea", "deep in the sea", "on a dive"],
            "under water",
            &["an underwater world", "the bottom of the sea"],
            "underwater",
        ),
        Background::Sky => (
            &["in the sky", "up in the sky", "in the clouds", "high in the air"],
            "in the sky",
            &["the sky", "a sky with clouds"],
            "sky",
        ),
        Background::Night => (
            &["at night", "under the stars", "under the moon", "on a dark night"],
            "in the night sky",
            &["a night scene", "a dark night"],
            "night",
        ),
        Background::Street => (
            &["on the street", "on a street", "on the road", "in the city"],
            "over the street",
            &["a street", "a city street"],
            "street",
        ),
        Background::Room => (
            &["in a room", "in the room", "on the wooden floor", "inside at home"],
            "in a room",
            &["a room", "a room with a wooden floor"],
            "room",
        ),
        Background::Table => (
            &["on a table", "on the table", "on the kitchen table", "in the kitchen"],
            "on a table",
            &["a table", "a kitchen table"],
            "table",
        ),
    };
    Place { at, over, scene, tag }
}

fn relations(relation: Relation) -> &'static [&'static str] {
    match relation {
        Relation::LeftOf => &["to the left of", "left of"],
        Relation::RightOf => &["to the right of", "right of"],
        Relation::Above => &["above", "over"],
        Relation::Below => &["below", "under"],
    }
}

const BESIDE: [&str; 3] = ["next to", "beside", "near"];

/// How a kind is named.
#[derive(Clone, Copy)]
enum Form {
    /// `a dog`, `two dogs`.
    Counted,
    /// `one dog`, `two dogs`.
    Number,
    /// `a dog`, `dogs`.
    Bare,
    /// `a dog`, `some dogs`, `a couple of dogs`, `several dogs`, `a group of dogs`.
    Vague,
}

fn info(kind: Kind) -> &'static ObjectInfo {
    &objects()[kind.object]
}

/// `a dog`, with its colour before it where asked and known: `a red car`.
fn noun(kind: Kind, form: Form, coloured: bool, rng: &mut ChaCha8Rng) -> String {
    let info = info(kind);
    let colour = info.colour.as_deref().filter(|_| coloured);
    let named = |name: &str| colour.map_or_else(|| name.to_string(), |c| format!("{c} {name}"));
    let (one, many) = (named(&info.name), named(&info.plural));
    let article = match colour {
        Some(c) if c.starts_with('o') => "an",
        Some(_) => "a",
        None => &info.article,
    };
    match (kind.count, form) {
        (1, Form::Number) => format!("one {one}"),
        (1, _) => format!("{article} {one}"),
        (_, Form::Bare) => many,
        (2, Form::Vague) => format!("{} {many}", pick(rng, &["a couple of", "some"])),
        (_, Form::Vague) => format!("{} {many}", pick(rng, &["some", "several", "a group of"])),
        (n, _) => format!("{} {many}", NUMBERS[n]),
    }
}

fn pick<'a>(rng: &mut ChaCha8Rng, from: &[&'a str]) -> &'a str {
    from.choose(rng).expect("a table with rows")
}

/// `a dog`, `two dogs`.
pub(super) fn counted(kind: Kind) -> String {
    let info = info(kind);
    match kind.count {
        1 => format!("{} {}", info.article, info.name),
        n => format!("{} {}", NUMBERS[n], info.plural),
    }
}

/// `on the grass`.
pub(super) fn at(background: Background) -> &'static str {
    place(background).at[0]
}

/// `on the grass`, `on the green grass`: what the fullest captions say.
pub(super) fn places(background: Background) -> &'static [&'static str] {
    &place(background).at[..2]
}

/// `a dog, two cats and a tree`.
pub(super) fn list(nouns: &[String]) -> String {
    match nouns {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

impl Scene {
    /// Five different captions. The first is the fullest: every kind with its count, the background, and, of two
    /// kinds, where one is seen from the other. The second says the same without the place of each; the others leave
    /// more and more away.
    pub fn captions(&self, rng: &mut ChaCha8Rng) -> [String; 5] {
        let mut out: [String; 5] = Default::default();
        for i in 0..5 {
            let mut caption = self.caption(i, rng);
            for _ in 0..50 {
                if !out[..i].contains(&caption) {
                    break;
                }
                caption = self.caption(i, rng);
            }
            out[i] = caption;
        }
        out
    }

    fn caption(&self, i: usize, rng: &mut ChaCha8Rng) -> String {
        match i {
            0 => self.fullest(rng),
            1 => self.all_there(rng),
            2 => self.one_there(rng),
            3 => self.objects_only(rng),
            _ => match rng.random_range(0..4) {
                0 => self.place_with(rng),
                1 => self.one_only(rng),
                2 => self.one_there(rng),
                _ => self.all_there(rng),
            },
        }
    }

    /// What is to be seen, as tags in any order, without saying how it belongs together: `grass two dogs ball`.
    pub(crate) fn tags(&self, rng: &mut ChaCha8Rng) -> String {
        let mut tags: Vec<String> =
            self.kinds.iter().map(|k| noun(*k, Form::Number, false, rng)).collect();
        for (tag, kind) in tags.iter_mut().zip(&self.kinds) {
            // One is mostly not counted; and at times it is not said how many.
            if kind.count == 1 || rng.random_bool(0.2) {
                *tag = info(*kind).name.clone();
            }
        }
        if rng.random_bool(0.8) {
            tags.push(place(self.background).tag.into());
        }
        tags.shuffle(rng);
        tags.join(" ")
    }

    /// Whether a kind flies over a place where others stand.
    fn over(&self, kind: Kind) -> bool {
        info(kind).flies_over(self.background)
    }

    fn fullest(&self, rng: &mut ChaCha8Rng) -> String {
        let at = pick(rng, &place(self.background).at[..2]);
        let nouns: Vec<_> =
            self.kinds.iter().map(|k| noun(*k, Form::Counted, false, rng)).collect();
        match (self.kinds.as_slice(), self.relation) {
            ([_, second], Some(relation)) => {
                let mirrored = rng.random_bool(0.5);
                let (a, b) = if mirrored { (&nouns[1], &nouns[0]) } else { (&nouns[0], &nouns[1]) };
                let relation = if mirrored { relation.inverse() } else { relation };
                let words = pick(rng, relations(relation));
                // The place belongs to what stands there: "a dog on the grass below a kite".
                if self.over(*second) && relation == Relation::Below {
                    format!("{a} {at} {words} {b}")
                } else {
                    format!("{a} {words} {b} {at}")
                }
            }
            ([.., last], _) if self.kinds.len() == 3 && self.over(*last) && !self.aloft() => {
                let words = pick(rng, relations(Relation::Below));
                format!("{} {at} {words} {}", list(&nouns[..2]), nouns[2])
            }
            _ => format!("{} {at}", list(&nouns)),
        }
    }

    /// Whether the whole scene takes place in the air.
    fn aloft(&self) -> bool {
        self.background == Background::Sky || self.kinds.iter().all(|k| info(*k).flies_only())
    }

    fn all_there(&self, rng: &mut ChaCha8Rng) -> String {
        let at = pick(rng, place(self.background).at);
        let mut kinds = self.kinds.clone();
        if kinds.len() == 2 && rng.random_bool(0.5) && !self.over(kinds[1]) {
            kinds.reverse();
        }
        let form = *[Form::Counted, Form::Counted, Form::Number].choose(rng).expect("three");
        let nouns: Vec<_> = kinds.iter().map(|k| noun(*k, form, false, rng)).collect();
        let start = match rng.random_range(0..5) {
            0 if kinds[0].count == 1 => "there is ",
            0 => "there are ",
            1 => "a picture of ",
            _ => "",
        };
        match nouns.as_slice() {
            [standing @ .., flying] if !self.aloft() && self.over(kinds[kinds.len() - 1]) => {
                format!("{start}{} {at} and {flying} in the air", list(standing))
            }
            [a, b] if matches!(self.relation, Some(Relation::LeftOf | Relation::RightOf)) => {
                match rng.random_range(0..3) {
                    0 => format!("{start}{a} {} {b} {at}", pick(rng, &BESIDE)),
                    _ => format!("{start}{a} and {b} {at}"),
                }
            }
            _ => format!("{start}{} {at}", list(&nouns)),
        }
    }

    fn one_there(&self, rng: &mut ChaCha8Rng) -> String {
        let kind = *self.kinds.choose(rng).expect("a kind");
        let form = *[Form::Bare, Form::Bare, Form::Vague, Form::Counted].choose(rng).expect("four");
        let coloured = rng.random_bool(0.35);
        let noun = noun(kind, form, coloured, rng);
        let place = place(self.background);
        if self.over(kind) && !self.aloft() {
            format!("{noun} flying {}", place.over)
        } else {
            format!("{noun} {}", pick(rng, place.at))
        }
    }

    fn objects_only(&self, rng: &mut ChaCha8Rng) -> String {
        let form = *[Form::Counted, Form::Vague, Form::Number].choose(rng).expect("three");
        let coloured = rng.random_bool(0.3);
        let nouns: Vec<_> = self.kinds.iter().map(|k| noun(*k, form, coloured, rng)).collect();
        let text = match (nouns.as_slice(), self.relation) {
            ([a, b], Some(relation)) if rng.random_bool(0.5) => match relation {
                Relation::Above | Relation::Below => {
                    format!("{a} {} {b}", pick(rng, relations(relation)))
                }
                _ => format!("{a} {} {b}", pick(rng, &BESIDE)),
            },
            _ => list(&nouns),
        };
        if rng.random_bool(0.5) { format!("{} {text}", pick(rng, &PREFIXES[..4])) } else { text }
    }

    fn one_only(&self, rng: &mut ChaCha8Rng) -> String {
        let kind = *self.kinds.choose(rng).expect("a kind");
        let form =
            *[Form::Counted, Form::Bare, Form::Vague, Form::Number].choose(rng).expect("four");
        let noun = noun(kind, form, rng.random_bool(0.4), rng);
        match (rng.random_range(0..3), kind.count) {
            (0, _) => noun,
            (1, 1) => format!("{} {noun}", pick(rng, &PREFIXES)),
            _ => format!("{} {noun}", pick(rng, &PREFIXES[..4])),
        }
    }

    fn place_with(&self, rng: &mut ChaCha8Rng) -> String {
        let form = *[Form::Counted, Form::Vague].choose(rng).expect("two");
        let mut nouns: Vec<_> = self.kinds.iter().map(|k| noun(*k, form, false, rng)).collect();
        if rng.random_bool(0.4) {
            nouns.truncate(1);
        }
        let scene = pick(rng, place(self.background).scene);
        let glue = if scene.contains(" with ") { "and" } else { "with" };
        format!("{scene} {glue} {}", list(&nouns))
    }
}

/// Every word that a caption can contain, in lower case, sorted. Captions hold these and commas.
pub fn vocabulary() -> Vec<String> {
    let mut words = BTreeSet::new();
    let mut add = |text: &str| words.extend(text.split_whitespace().map(str::to_string));
    for object in objects() {
        add(&object.name);
        add(&object.plural);
        add(object.colour.as_deref().unwrap_or_default());
    }
    for background in Background::ALL {
        let place = place(background);
        place.at.iter().chain(place.scene).for_each(|text| add(text));
        add(place.over);
    }
    for relation in [Relation::LeftOf, Relation::RightOf, Relation::Above, Relation::Below] {
        relations(relation).iter().for_each(|text| add(text));
    }
    NUMBERS[1..].iter().chain(&PREFIXES).chain(&BESIDE).for_each(|text| add(text));
    add(GLUE);
    words.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand_chacha::rand_core::SeedableRng;

    use super::super::Split;
    use super::*;

    #[test]
    fn captions_keep_to_the_vocabulary_and_differ() {
        let vocabulary = vocabulary();
        assert!(vocabulary.len() <= 600, "{} words", vocabulary.len());
        assert!(vocabulary.is_sorted());
        let known: HashSet<_> = vocabulary.iter().map(String::as_str).collect();
        let mut used = HashSet::new();
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        for i in 0..8000 {
            let scene = Scene::sample(&mut rng, Split::ALL[i % 4]);
            let captions = scene.captions(&mut rng);
            for caption in &captions {
                for word in caption.split([' ', ',']).filter(|w| !w.is_empty()) {
                    assert!(known.contains(word), "{word:?} in {caption:?}");
                    used.insert(word.to_string());
                }
            }
            let different: HashSet<_> = captions.iter().collect();
            assert_eq!(different.len(), 5, "{captions:?}");
        }
        let unused: Vec<_> = vocabulary.iter().filter(|w| !used.contains(*w)).collect();
        assert!(unused.is_empty(), "no caption says {unused:?}");
    }

    #[test]
    fn the_fullest_caption_says_kinds_counts_and_place() {
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        for _ in 0..2000 {
            let scene = Scene::sample(&mut rng, Split::Train);
            let full = &scene.captions(&mut rng)[0];
            assert!(place(scene.background).at[..2].iter().any(|at| full.contains(at)), "{full}");
            for kind in &scene.kinds {
                let info = info(*kind);
                let said = match kind.count {
                    1 => format!("{} {}", info.article, info.name),
                    n => format!("{} {}", NUMBERS[n], info.plural),
                };
                assert!(full.contains(&said), "{said:?} not in {full:?}");
            }
            if let Some(relation) = scene.relation {
                let both = relations(relation).iter().chain(relations(relation.inverse()));
                assert!(both.into_iter().any(|words| full.contains(words)), "{full}");
            }
        }
    }

    #[test]
    fn articles_and_plurals() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let mut say = |name: &str, count: usize, coloured: bool| {
            let object = objects().iter().position(|o| o.name == name).expect(name);
            noun(Kind { object, count }, Form::Counted, coloured, &mut rng)
        };
        assert_eq!(say("dog", 1, false), "a dog");
        assert_eq!(say("dog", 2, false), "two dogs");
        assert_eq!(say("apple", 1, false), "an apple");
        assert_eq!(say("umbrella", 1, false), "an umbrella");
        assert_eq!(say("ufo", 1, false), "a ufo");
        assert_eq!(say("mouse", 3, false), "three mice");
        assert_eq!(say("sheep", 4, false), "four sheep");
        assert_eq!(say("butterfly", 2, false), "two butterflies");
        assert_eq!(say("carrot", 1, true), "an orange carrot");
        assert_eq!(say("car", 2, true), "two red cars");
    }
}
