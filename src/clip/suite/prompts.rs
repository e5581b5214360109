//! How each task is put into words: the label alone, one sentence, or many.

use super::Task;
use crate::clip::scene_templates;
use crate::dataset::scenes::objects;

/// A way of prompting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prompts {
    /// The label alone, as Visual N-Grams did.
    Bare,
    /// One sentence that fits the task.
    One,
    /// An ensemble of sentences.
    Ensemble,
}

impl Prompts {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Bare, Self::One, Self::Ensemble];

    /// What tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "label",
            Self::One => "sentence",
            Self::Ensemble => "ensemble",
        }
    }
}

impl Task {
    /// The templates of the task, in the words of the scenes' captions where those have any for it.
    pub fn templates(self, prompts: Prompts) -> Vec<String> {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        match (prompts, self) {
            (Prompts::Bare, _) => owned(&["{label}"]),
            (Prompts::One, Self::Background) => owned(&["a photo of the {label}"]),
            (Prompts::One, Self::Count) => owned(&["there are {label}"]),
            (Prompts::One, Self::Colour) => owned(&["this is {label}"]),
            (Prompts::One, Self::Position) => owned(&["on the {label}"]),
            (Prompts::One, Self::Style) => owned(&["a {label} drawing"]),
            (Prompts::One, _) => owned(&["a photo of a {label}"]),
            (_, Self::Background) => owned(&[
                "on the {label}",
                "in the {label}",
                "a {label}",
                "at {label}",
                "a dog on the {label}",
                "two birds over the {label}",
                "a picture of the {label}",
                "{label} with a tree",
            ]),
            (_, Self::Count) => named(|_, plural| format!("{{label}} {plural}")),
            (_, Self::Colour) => named(|name, _| format!("a {{label}} {name}")),
            (_, Self::Position) => {
                let mut all = named(|name, _| format!("a {name} on the {{label}}"));
                all.extend(named(|name, _| format!("a {name} to the {{label}} of a tree")));
                all
            }
            (_, Self::Style) => owned(&[
                "a {label} drawing",
                "a drawing of a dog by {label}",
                "a picture of a cat by {label}",
                "an image of a {label}",
                "a {label} dog on the grass",
            ]),
            (_, Self::Object | Self::Category | Self::Pair) => scene_templates(),
        }
    }
}

/// A sentence with each of twenty objects, every eighth of the list.
fn named(sentence: impl Fn(&str, &str) -> String) -> Vec<String> {
    objects().iter().step_by(8).map(|o| sentence(&o.name, &o.plural)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_has_its_place() {
        for task in Task::ALL {
            for prompts in Prompts::ALL {
                let templates = task.templates(prompts);
                assert!(templates.iter().all(|t| t.contains("{label}")), "{templates:?}");
                assert_eq!(templates.len() == 1, prompts != Prompts::Ensemble);
            }
        }
    }
}
