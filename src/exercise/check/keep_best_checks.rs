//! The checks of `keep_best`.

use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use serde::Deserialize;

use super::{Check, Miss, Outcome};
use crate::exercise::ask::{Ask, Failure, Question};
use crate::exercise::report::Status;

const ID: &str = "keep_best";

/// The folder of the questions. Nothing is written there: the model that is asked to save itself only takes notes.
const FOLDER: &str = "/models/clip";

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "first",
        name: "The first epoch's model is the best so far",
        points: 1,
        gate: true,
        run: first,
    },
    Check {
        id: "better",
        name: "A model is saved when it is better than the best so far",
        points: 3,
        gate: false,
        run: better,
    },
    Check {
        id: "file",
        name: "The file is best.pt in the folder",
        points: 2,
        gate: false,
        run: file,
    },
    Check {
        id: "rising",
        name: "When the loss only rises, the first model stays",
        points: 1,
        gate: false,
        run: rising,
    },
    Check {
        id: "equal",
        name: "An equal loss is no improvement",
        points: 1,
        gate: false,
        run: equal,
    },
    Check { id: "nan", name: "A loss of NaN is never the best", points: 1, gate: false, run: nan },
    Check {
        id: "full_disk",
        name: "When the file cannot be written, you say so",
        points: 1,
        gate: false,
        run: full_disk,
    },
];

#[derive(Deserialize)]
struct Saved {
    epoch: usize,
    path: PathBuf,
}

/// What happened in a training with these validation losses.
struct Story {
    saved: Vec<Saved>,
    bests: Vec<f64>,
}

impl Story {
    fn epochs(&self) -> Vec<usize> {
        self.saved.iter().map(|saved| saved.epoch).collect()
    }
}

fn question(losses: &[f64]) -> Result<Question, Miss> {
    let losses = Tensor::new(losses, &Device::Cpu)?;
    Ok(Question::new(ID, "epochs").tensor("valid_losses", &losses).word("folder", FOLDER))
}

fn story(who: &dyn Ask, losses: &[f64]) -> Result<Story, Miss> {
    let answer = who.ask(&question(losses)?)?;
    let json = answer.words.get("saved").map(String::as_str).unwrap_or("[]");
    let saved = serde_json::from_str(json).map_err(crate::Error::from)?;
    let bests = match answer.tensors.get("best_losses") {
        Some(bests) => bests.to_vec1::<f64>()?,
        None => Vec::new(),
    };
    if bests.len() != losses.len() {
        let expected = format!("{} best losses", losses.len());
        return Err(Miss::new(expected, bests.len().to_string()).of(Status::Error));
    }
    Ok(Story { saved, bests })
}

fn epochs(list: &[usize]) -> String {
    match list {
        [] => "never".into(),
        [one] => format!("after epoch {one}"),
        _ => {
            let all: Vec<String> = list.iter().map(ToString::to_string).collect();
            format!("after epochs {}", all.join(", "))
        }
    }
}

fn losses(list: &[f64]) -> String {
    let all: Vec<String> = list.iter().map(|v| format!("{v:?}")).collect();
    all.join(", ")
}

fn first(who: &dyn Ask) -> Outcome {
    let story = story(who, &[2.])?;
    if story.saved.is_empty() {
        let miss = Miss::new("a saved model after the first epoch (2.0 against infinity)", "none");
        return Err(miss.named("turned_around"));
    }
    if story.bests != [2.] {
        let came = losses(&story.bests);
        let name = story.bests[0].is_infinite().then_some("best_not_updated");
        return Err(Miss::new("2.0 as the best loss so far", came).named(name));
    }
    Ok(None)
}

fn better(who: &dyn Ask) -> Outcome {
    let came = [2.0, 1.5, 1.7, 1.2];
    let story = story(who, &came)?;
    let (saved, bests) = (story.epochs(), story.bests);
    let name = match (saved.as_slice(), bests.as_slice()) {
        (_, bests) if *bests == [2.0, 1.5, 1.7, 1.2] => Some("best_forgotten"),
        ([1, 2, 3, 4], _) => Some("always_saved"),
        ([1, 3], _) => Some("turned_around"),
        ([1], _) => Some("compared_with_the_first"),
        ([1, 2], _) => Some("rounded"),
        _ => None,
    };
    let said = losses(&came);
    if saved != [1, 2, 4] {
        let expected = format!("saving after epochs 1, 2, 4, when the losses are {said}");
        return Err(Miss::new(expected, epochs(&saved)).named(name));
    }
    if bests != [2.0, 1.5, 1.5, 1.2] {
        let expected = format!("2.0, 1.5, 1.5, 1.2 as the best losses, when the losses are {said}");
        return Err(Miss::new(expected, losses(&bests)).named(name));
    }
    Ok(None)
}

fn file(who: &dyn Ask) -> Outcome {
    let story = story(who, &[2., 1.])?;
    let wanted = Path::new(FOLDER).join("best.pt");
    let Some(other) = story.saved.iter().find(|saved| saved.path != wanted) else {
        return match story.saved.is_empty() {
            true => Err(Miss::new(wanted.display().to_string(), "no file at all")),
            false => Ok(None),
        };
    };
    let name = match other.path.starts_with(FOLDER) {
        true => "other_file_name",
        false => "folder_ignored",
    };
    Err(Miss::new(wanted.display().to_string(), other.path.display().to_string()).named(name))
}

fn rising(who: &dyn Ask) -> Outcome {
    let story = story(who, &[1., 1.5, 1.6, 1.55])?;
    if story.epochs() == [1] && story.bests == [1.; 4] {
        return Ok(None);
    }
    // Better than the epoch before is not better than the best.
    let name = match story.epochs().as_slice() {
        [1, 4] => "best_forgotten",
        [1, 2, 3, ..] => "turned_around",
        _ => "best_not_updated",
    };
    let came = format!("{}, best losses {}", epochs(&story.epochs()), losses(&story.bests));
    let expected = "after epoch 1 only, best loss 1.0, when the losses are 1.0, 1.5, 1.6, 1.55";
    Err(Miss::new(expected, came).named(name))
}

fn equal(who: &dyn Ask) -> Outcome {
    let story = story(who, &[1.5, 1.5, 1.5])?;
    if story.epochs() == [1] {
        return Ok(None);
    }
    let expected = "after epoch 1 only, when every loss is 1.5";
    Err(Miss::new(expected, epochs(&story.epochs())).named("equal_is_better"))
}

fn nan(who: &dyn Ask) -> Outcome {
    let story = story(who, &[2., f64::NAN, 1.5])?;
    if story.epochs() == [1, 3] && story.bests == [2., 2., 1.5] {
        return Ok(None);
    }
    let expected =
        "after epochs 1, 3, best losses 2.0, 2.0, 1.5, when the losses are 2.0, NaN, 1.5";
    let came = format!("{}, best losses {}", epochs(&story.epochs()), losses(&story.bests));
    Err(Miss::new(expected, came).of(Status::NotFinite).named("nan_wins"))
}

fn full_disk(who: &dyn Ask) -> Outcome {
    let expected = "the error of `save`, passed on (the disk is full in this question)";
    let miss = |came: &str| Miss::new(expected, came).named("error_swallowed");
    match who.ask(&question(&[2.])?.word("disk", "full")) {
        Err(Failure::Error(_)) => Ok(None),
        Err(Failure::Panic(message)) => Err(miss(&format!("a panic: {message}")).of(Status::Panic)),
        Err(failure) => Err(failure.into()),
        Ok(_) => Err(miss("no word about it: the best loss changed, and no file is there")),
    }
}
