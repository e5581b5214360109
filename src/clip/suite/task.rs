//! What can be asked of a scene.

use std::collections::BTreeMap;

use crate::dataset::scenes::{Background, Scene, Style, WIDTH, held_out, objects};

/// One classification task: a question that every picture of it has one answer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Task {
    /// Which of the 154 objects? Pictures with one kind.
    Object,
    /// Where does it take place? All pictures.
    Background,
    /// How many are there, one to four? Pictures with one kind.
    Count,
    /// Which colour has it? Pictures with one kind of an object that has a colour.
    Colour,
    /// Is it on the left or on the right? Pictures with one object that is not in the middle.
    Position,
    /// Who drew it? All pictures of the seen styles.
    Style,
    /// What kind of object is it: an animal, food, a vehicle? Pictures with one kind.
    Category,
    /// Which of six objects, and where: a dog on the grass, a car in the snow?
    Pair,
}

const COLOURS: [&str; 6] = ["green", "red", "blue", "brown", "yellow", "orange"];
const CATEGORIES: [&str; 9] =
    ["animal", "food", "vehicle", "household", "toy", "plant", "building", "clothing", "music"];
const STYLES: [&str; 3] = ["noto", "twemoji", "openmoji"];
const PAIRED: [&str; 6] = ["dog", "cat", "car", "bicycle", "tree", "house"];
const GROUNDS: [Background; 4] =
    [Background::Grass, Background::Sand, Background::Snow, Background::Street];

impl Task {
    /// All eight.
    pub const ALL: [Self; 8] = [
        Self::Object,
        Self::Background,
        Self::Count,
        Self::Colour,
        Self::Position,
        Self::Style,
        Self::Category,
        Self::Pair,
    ];

    /// The task's name in tables: `object`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Background => "background",
            Self::Count => "count",
            Self::Colour => "colour",
            Self::Position => "position",
            Self::Style => "style",
            Self::Category => "kind of object",
            Self::Pair => "pair",
        }
    }

    /// The names of its classes.
    pub fn class_names(self) -> Vec<String> {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        match self {
            Self::Object => objects().iter().map(|o| o.name.clone()).collect(),
            Self::Background => Background::ALL.iter().map(|b| place(*b).to_string()).collect(),
            Self::Count => owned(&["one", "two", "three", "four"]),
            Self::Colour => owned(&COLOURS),
            Self::Position => owned(&["left", "right"]),
            Self::Style => owned(&STYLES),
            Self::Category => owned(&CATEGORIES),
            Self::Pair => pairs()
                .into_iter()
                .map(|(object, ground)| format!("{} {}", objects()[object].name, at(ground)))
                .collect(),
        }
    }

    /// The class of a scene; none where the task does not fit it.
    pub fn label(self, scene: &Scene) -> Option<usize> {
        let alone = || match scene.kinds.as_slice() {
            [one] => Some(*one),
            _ => None,
        };
        match self {
            Self::Object => Some(alone()?.object),
            Self::Background => Background::ALL.iter().position(|b| *b == scene.background),
            Self::Count => Some(alone()?.count - 1),
            Self::Colour => {
                let colour = objects()[alone()?.object].colour.as_deref()?;
                COLOURS.iter().position(|known| *known == colour)
            }
            Self::Position => {
                let [only] = scene.objects.as_slice() else { return None };
                let middle = (only.x + 0.5 * only.w) / WIDTH as f32;
                match middle {
                    x if x < 0.4 => Some(0),
                    x if x > 0.6 => Some(1),
                    _ => None,
                }
            }
            Self::Style => Style::SEEN.iter().position(|style| *style == scene.style),
            Self::Category => {
                let category = objects()[alone()?.object].category.as_str();
                CATEGORIES.iter().position(|known| *known == category)
            }
            Self::Pair => {
                let named = |o: usize| PAIRED.contains(&objects()[o].name.as_str());
                let mut known = scene.kinds.iter().filter(|kind| named(kind.object));
                let (only, None) = (known.next()?, known.next()) else { return None };
                pairs().iter().position(|pair| *pair == (only.object, scene.background))
            }
        }
    }

    /// What guessing gets: one of the number of classes.
    pub fn chance(self) -> f64 {
        1. / self.class_names().len() as f64
    }

    /// The scenes that the task fits, `most` of each class at most, in their order.
    pub fn of_scenes(self, scenes: &[Scene], most: usize) -> TaskData {
        let (mut rows, mut labels) = (Vec::new(), Vec::new());
        let mut taken: BTreeMap<usize, usize> = BTreeMap::new();
        for (row, scene) in scenes.iter().enumerate() {
            let Some(label) = self.label(scene) else { continue };
            let count = taken.entry(label).or_default();
            if *count < most {
                *count += 1;
                rows.push(row);
                labels.push(label);
            }
        }
        TaskData { task: self, rows, labels }
    }
}

/// The pictures of a task: rows of a gallery, and the class of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskData {
    /// The task.
    pub task: Task,
    /// Which of the gallery's pictures.
    pub rows: Vec<usize>,
    /// Their classes.
    pub labels: Vec<usize>,
}

/// The pairs of the task that are seen in training.
fn pairs() -> Vec<(usize, Background)> {
    let index = |name: &&str| objects().iter().position(|o| o.name == **name);
    let found = PAIRED.iter().filter_map(index);
    let all = found.flat_map(|object| GROUNDS.map(|ground| (object, ground)));
    all.filter(|(object, ground)| !held_out(*object, *ground)).collect()
}

/// A background in the words of the captions.
fn place(background: Background) -> &'static str {
    match background {
        Background::Underwater => "under water",
        other => other.name(),
    }
}

fn at(ground: Background) -> &'static str {
    match ground {
        Background::Sand => "on the beach",
        Background::Snow => "in the snow",
        Background::Street => "on the street",
        _ => "on the grass",
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::dataset::scenes::Split;

    #[test]
    fn every_class_has_pictures_and_no_class_has_more_than_asked() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let scenes: Vec<Scene> = (0..6000).map(|_| Scene::sample(&mut rng, Split::Valid)).collect();
        for task in Task::ALL {
            let data = task.of_scenes(&scenes, 3);
            let classes = task.class_names().len();
            let mut counts = vec![0; classes];
            data.labels.iter().for_each(|label| counts[*label] += 1);
            assert!(counts.iter().all(|n| (1..=3).contains(n)), "{}: {counts:?}", task.name());
            for (row, label) in data.rows.iter().zip(&data.labels) {
                assert_eq!(task.label(&scenes[*row]), Some(*label));
            }
        }
    }

    #[test]
    fn a_scene_answers_as_it_was_made() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let one = |scene: &Scene| scene.kinds.len() == 1 && scene.kinds[0].count == 1;
        let scene = std::iter::repeat_with(|| Scene::sample(&mut rng, Split::Valid)).find(one);
        let scene = scene.unwrap();
        let name = |task: Task| task.label(&scene).map(|label| task.class_names()[label].clone());
        assert_eq!(name(Task::Object).as_ref(), Some(&objects()[scene.kinds[0].object].name));
        assert_eq!(name(Task::Count).as_deref(), Some("one"));
        assert_eq!(name(Task::Style).as_deref(), Some(scene.style.name()));
        let fluent = Scene { style: Style::Fluent, ..scene };
        assert_eq!(Task::Style.label(&fluent), None);
    }
}
