//! The exercises by id.

/// One exercise. Its id names it everywhere: stub, cell, check, hint, solution, report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exercise {
    /// The id: `projection_head`.
    pub id: &'static str,
    /// What it is about, in a line.
    pub title: &'static str,
    /// The module of the library that its contract lives in.
    pub chapter: &'static str,
    /// The contract: a trait, or the type of a function.
    pub contract: &'static str,
    /// The notebook that asks for it.
    pub notebook: &'static str,
}

const EXERCISES: [Exercise; 15] = [
    Exercise {
        id: "clip_dataset",
        title: "pictures and captions in pairs",
        chapter: "dataset",
        contract: "PairDataset",
        notebook: "01_data",
    },
    Exercise {
        id: "projection_head",
        title: "two kinds of features, one space",
        chapter: "clip",
        contract: "Projection",
        notebook: "02_clip",
    },
    Exercise {
        id: "clip_loss",
        title: "which caption belongs to which picture?",
        chapter: "clip",
        contract: "ClipLoss",
        notebook: "02_clip",
    },
    Exercise {
        id: "keep_best",
        title: "the model that was best on pictures it has not seen",
        chapter: "clip",
        contract: "KeepBest",
        notebook: "03_training",
    },
    Exercise {
        id: "find_matches",
        title: "the pictures that fit a sentence",
        chapter: "clip",
        contract: "FindMatches",
        notebook: "04_find_matches",
    },
    Exercise {
        id: "zero_shot_classifier",
        title: "a classifier made of words",
        chapter: "clip",
        contract: "ZeroShotClassifier",
        notebook: "05_zero_shot",
    },
    Exercise {
        id: "freeze_lm",
        title: "a language model that stays as it is",
        chapter: "frozen",
        contract: "FreezeLm",
        notebook: "07_frozen",
    },
    Exercise {
        id: "visual_prefix",
        title: "a picture in the place of words",
        chapter: "frozen",
        contract: "VisualPrefix",
        notebook: "07_frozen",
    },
    Exercise {
        id: "caption_loss",
        title: "the loss of a caption, given its picture",
        chapter: "frozen",
        contract: "CaptionLoss",
        notebook: "07_frozen",
    },
    Exercise {
        id: "perplexity",
        title: "among how many tokens does the model waver?",
        chapter: "language_model",
        contract: "Perplexity",
        notebook: "08_perplexity",
    },
    Exercise {
        id: "prompt_template",
        title: "a task in words",
        chapter: "prompting",
        contract: "PromptTemplate",
        notebook: "09_prompting",
    },
    Exercise {
        id: "few_shot_prompt",
        title: "zero, one, or a few examples",
        chapter: "prompting",
        contract: "FewShotPrompt",
        notebook: "09_prompting",
    },
    Exercise {
        id: "quantize",
        title: "a picture's code, soft in training, hard afterwards",
        chapter: "dalle",
        contract: "Quantize",
        notebook: "11_dalle",
    },
    Exercise {
        id: "dalle_sequence",
        title: "text and picture as one row of tokens",
        chapter: "dalle",
        contract: "DalleSequence",
        notebook: "11_dalle",
    },
    Exercise {
        id: "guidance",
        title: "with the condition, without it, and beyond",
        chapter: "unclip",
        contract: "Guidance",
        notebook: "12_dalle2",
    },
];

/// All exercises, in the lecture's order.
pub fn exercises() -> &'static [Exercise] {
    &EXERCISES
}

/// The exercise with this id.
pub fn exercise(id: &str) -> Option<&'static Exercise> {
    EXERCISES.iter().find(|e| e.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_finds_its_exercise_and_is_there_once() {
        for e in exercises() {
            assert_eq!(exercise(e.id), Some(e), "{} is listed twice", e.id);
        }
        assert_eq!(exercise("no_such_thing"), None);
    }
}
