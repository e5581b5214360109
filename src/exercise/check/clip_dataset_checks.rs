//! The checks of `clip_dataset`.

use std::path::Path;

use candle_core::{Device, Tensor};
use image::{Rgb, RgbImage};

use super::{Check, Miss, Outcome, distance, tensor, within};
use crate::Error;
use crate::dataset::{Transform, load_image};
use crate::exercise::ask::{Answer, Ask, Failure, Question};
use crate::exercise::report::Status;
use crate::text::{Encoded, Tokenizer};

const ID: &str = "clip_dataset";

/// The side of the transformed pictures.
const SIZE: usize = 8;

/// The longest caption has seven tokens.
const TOKENS: usize = 7;

/// The same bytes go through the same transform; other channels or another picture are more than 0.1 off.
const TOLERANCE: f64 = 1e-3;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "item",
        name: "An item is a picture (3, s, s), ids (t), a mask (t), a caption",
        points: 2,
        gate: true,
        run: item,
    },
    Check {
        id: "picture",
        name: "The picture is the one of this pair, transformed",
        points: 2,
        gate: false,
        run: picture,
    },
    Check {
        id: "text",
        name: "Ids and mask are those of this pair's caption",
        points: 2,
        gate: false,
        run: text,
    },
    Check {
        id: "caption",
        name: "The caption comes back as it was written",
        points: 1,
        gate: false,
        run: caption,
    },
    Check {
        id: "batch",
        name: "All items have the same shapes, so that they make a batch",
        points: 1,
        gate: false,
        run: batch,
    },
    Check {
        id: "missing",
        name: "A picture that is missing is an error with its name and index",
        points: 2,
        gate: false,
        run: missing,
    },
];

const NAMES: [&str; 5] = ["red.png", "red.png", "blue.png", "green.png", "green.png"];
const CAPTIONS: [&str; 5] =
    ["A Red dog", "one dog on the grass", "a cat", "two cats on grass", "the cat"];

/// A folder with three pictures, and the questions about it.
struct Folder {
    folder: tempfile::TempDir,
    tokenizer: Tokenizer,
    names: Vec<String>,
}

impl Folder {
    fn new(who: &dyn Ask) -> Result<Self, Miss> {
        let place = who.folder();
        let mut folder = tempfile::Builder::new();
        // In a sandbox another user reads it.
        #[cfg(unix)]
        folder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
        let folder = folder.tempdir_in(&place).map_err(Error::io(&place))?;
        for (name, colour) in
            [("red", [230, 20, 40]), ("blue", [10, 60, 250]), ("green", [30, 200, 80])]
        {
            // Brighter to the right and to the bottom, so that a turned picture is another one.
            let picture = RgbImage::from_fn(12, 9, |x, y| {
                let light = |v: u8, by: u32| (u32::from(v) * (40 + by) / 100).min(255) as u8;
                let by = 3 * x + 2 * y;
                Rgb([light(colour[0], by), light(colour[1], 2 * by), light(colour[2], by)])
            });
            let path = folder.path().join(format!("{name}.png"));
            picture.save(&path).map_err(|e| Error::Plot(e.to_string()))?;
        }
        let words = ["a", "red", "dog", "one", "on", "the", "grass", "cat", "two", "cats"];
        let tokenizer = Tokenizer::from_words(&words.map(String::from))?;
        Ok(Self { folder, tokenizer, names: NAMES.map(String::from).to_vec() })
    }

    fn build(&self, who: &dyn Ask) -> Result<(), Miss> {
        let question = Question::new(ID, "build").list("image_filenames", &self.names);
        let question = question.list("captions", &CAPTIONS.map(String::from));
        let question = question.word("tokenizer", self.tokenizer.to_json()?).word("size", SIZE);
        let question = question.word("folder", self.path().display()).word("max_length", 20);
        let len = who.ask(&question)?.words.get("len").cloned().unwrap_or_default();
        if len == CAPTIONS.len().to_string() {
            return Ok(());
        }
        Err(Miss::new("5 pairs", len))
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn image(&self, name: &str) -> Result<Tensor, Miss> {
        let picture = load_image(&self.path().join(name), 0)?;
        Ok(Transform::imagenet(SIZE).apply(&picture)?)
    }

    fn encoded(&self) -> Result<Encoded, Miss> {
        Ok(self.tokenizer.encode_batch(&CAPTIONS, 20, &Device::Cpu)?)
    }
}

fn get(who: &dyn Ask, index: usize) -> Result<Answer, Failure> {
    who.ask(&Question::new(ID, "get").word("index", index))
}

fn item(who: &dyn Ask) -> Outcome {
    let folder = Folder::new(who)?;
    folder.build(who)?;
    let answer = get(who, 1)?;
    let named = |name: &'static str| {
        move |miss: Miss| match miss.status {
            Status::Shape => miss.named(name),
            _ => miss,
        }
    };
    let dims = answer.tensors.get("image").map(|image| image.dims().to_vec()).unwrap_or_default();
    let mistake = match dims.as_slice() {
        [SIZE, SIZE, 3] => "channels_last",
        [1, 3, SIZE, SIZE] => "extra_dimension",
        _ => "not_transformed",
    };
    tensor(&answer, "image", "the picture", &[3, SIZE, SIZE]).map_err(named(mistake))?;
    for name in ["input_ids", "attention_mask"] {
        let dims = answer.tensors.get(name).map(|t| t.dims().to_vec()).unwrap_or_default();
        let mistake = match dims.as_slice() {
            [5, TOKENS] => "whole_table",
            [1, TOKENS] => "extra_dimension",
            _ => "not_padded",
        };
        tensor(&answer, name, name, &[TOKENS]).map_err(named(mistake))?;
    }
    Ok(None)
}

fn picture(who: &dyn Ask) -> Outcome {
    let folder = Folder::new(who)?;
    folder.build(who)?;
    let mut worst: f64 = 0.;
    for (index, name) in NAMES.iter().enumerate() {
        let image = tensor(&get(who, index)?, "image", "the picture", &[3, SIZE, SIZE])?;
        let right = folder.image(name)?;
        let far = distance(&image, &right)?;
        worst = worst.max(far);
        let is = |other: &Tensor| Ok::<_, Miss>(distance(&image, other)? <= TOLERANCE);
        let mut others = NAMES.iter().filter(|other| *other != name);
        let other = others.find(|other| folder.image(other).is_ok_and(|o| is(&o).unwrap_or(false)));
        let (came, mistake) = if let Some(other) = other {
            (format!("the picture {other}"), Some("other_picture"))
        } else if is(&right.flip(&[0])?)? {
            ("red and blue have changed places".into(), Some("bgr"))
        } else if is(&right.transpose(1, 2)?.contiguous()?)? {
            ("the picture, turned".into(), Some("sides_swapped"))
        } else {
            let (low, high) = (image.min_all()?, image.max_all()?);
            let (low, high) = (low.to_scalar::<f32>()?, high.to_scalar::<f32>()?);
            let mistake = (low >= 0. && high > 0.).then_some("not_transformed");
            (format!("other values, from {low:.2} to {high:.2}"), mistake)
        };
        within(far, TOLERANCE, || {
            let expected = format!("item {index}: {name} through the transform");
            Miss::new(expected, came).named(mistake)
        })?;
    }
    within(worst, TOLERANCE, || Miss::new("", ""))
}

fn text(who: &dyn Ask) -> Outcome {
    let folder = Folder::new(who)?;
    folder.build(who)?;
    let encoded = folder.encoded()?;
    let ids = encoded.input_ids.to_vec2::<u32>()?;
    let masks = encoded.attention_mask.to_vec2::<u32>()?;
    for (index, (ids_wanted, mask_wanted)) in ids.iter().zip(&masks).enumerate() {
        let answer = get(who, index)?;
        let row = |name: &str| -> Result<Vec<u32>, Miss> {
            let row = tensor(&answer, name, name, &[TOKENS]).map_err(|miss| match miss.status {
                Status::Shape => miss.named("not_padded"),
                _ => miss,
            })?;
            let row = row.to_vec1::<f32>()?;
            Ok(row.into_iter().map(|v| v as u32).collect())
        };
        let (came, mask) = (row("input_ids")?, row("attention_mask")?);
        let caption = CAPTIONS[index];
        if came != *ids_wanted {
            let other = ids.iter().position(|row| *row == came);
            let (came, mistake) = match other {
                Some(row) => (format!("the ids of \"{}\"", CAPTIONS[row]), Some("other_text")),
                None if came == *mask_wanted => (format!("{came:?}"), Some("ids_and_mask_swapped")),
                None => (format!("{came:?}"), None),
            };
            let expected = format!("item {index}: the ids of \"{caption}\", {ids_wanted:?}");
            return Err(Miss::new(expected, came).named(mistake));
        }
        if mask != *mask_wanted {
            let mistake = if mask == *ids_wanted {
                "ids_for_mask"
            } else if mask.iter().all(|m| *m == 1) {
                "mask_of_ones"
            } else {
                "other_text"
            };
            let expected =
                format!("item {index}: the mask {mask_wanted:?}, 1 where there is a token");
            return Err(Miss::new(expected, format!("{mask:?}")).named(mistake));
        }
    }
    Ok(None)
}

fn caption(who: &dyn Ask) -> Outcome {
    let folder = Folder::new(who)?;
    folder.build(who)?;
    for (index, caption) in CAPTIONS.iter().enumerate() {
        let came = get(who, index)?.words.get("caption").cloned().unwrap_or_default();
        if came == *caption {
            continue;
        }
        let mistake = match came.as_str() {
            other if CAPTIONS.contains(&other) => Some("other_text"),
            other if other == caption.to_lowercase() => Some("decoded_caption"),
            other if NAMES.contains(&other) => Some("file_name_for_caption"),
            _ => None,
        };
        let expected = format!("item {index}: \"{caption}\"");
        return Err(Miss::new(expected, format!("\"{came}\"")).named(mistake));
    }
    Ok(None)
}

fn batch(who: &dyn Ask) -> Outcome {
    let folder = Folder::new(who)?;
    folder.build(who)?;
    for index in 0..CAPTIONS.len() {
        let answer = get(who, index)?;
        for (name, dims) in [("image", vec![3, SIZE, SIZE]), ("input_ids", vec![TOKENS])] {
            tensor(&answer, name, &format!("item {index}, {name}"), &dims).map_err(|miss| {
                miss.named(if name == "image" { None } else { Some("not_padded") })
            })?;
        }
    }
    Ok(None)
}

fn missing(who: &dyn Ask) -> Outcome {
    let mut folder = Folder::new(who)?;
    folder.names[3] = "nowhere.png".into();
    folder.build(who)?;
    let expected = "an error that names nowhere.png and item 3";
    match get(who, 3) {
        Err(Failure::Error(message)) if !message.contains("nowhere.png") => {
            Err(Miss::new(expected, message).named("error_without_name"))
        }
        Err(Failure::Error(message)) if !message.contains("item 3") => {
            Err(Miss::new(expected, message).named("index_not_passed_on"))
        }
        Err(Failure::Error(_)) => Ok(None),
        Err(Failure::Panic(message)) => {
            let miss = Miss::new(expected, format!("a panic: {message}")).of(Status::Panic);
            Err(miss.named("unwrapped"))
        }
        Err(failure) => Err(failure.into()),
        Ok(_) => {
            Err(Miss::new(expected, "an item, as if nothing were wrong").named("other_picture"))
        }
    }
}
