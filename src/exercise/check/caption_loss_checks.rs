//! The checks of `caption_loss`.

use candle_core::{DType, Device, Tensor};

use super::{Check, Miss, Outcome, distance, goldens, number, tensor, within};
use crate::exercise::ask::{Ask, Question};
use crate::exercise::report::Status;

const ID: &str = "caption_loss";

/// f32 leaves about 1e-6; the nearest wrong way in `goldens.json` is 0.01 away.
const TOLERANCE: f64 = 3e-4;

/// The words are 0 to 4; this is the image token.
const IMAGE: u32 = 5;
const V: usize = 6;

pub(super) const CHECKS: &[Check] = &[
    Check { id: "number", name: "The loss is one number", points: 1, gate: true, run: one_number },
    Check {
        id: "shift",
        name: "Each place predicts the token that comes next",
        points: 2,
        gate: false,
        run: shift,
    },
    Check { id: "padding", name: "Padding is not predicted", points: 2, gate: false, run: padding },
    Check {
        id: "images",
        name: "Image tokens are not predicted, and the word after them is",
        points: 2,
        gate: false,
        run: images,
    },
    Check { id: "value", name: "A worked example", points: 2, gate: false, run: value },
    Check {
        id: "gradients",
        name: "The logits learn from it",
        points: 1,
        gate: false,
        run: gradients,
    },
];

/// Two texts, the second shorter, with a picture between its words.
fn texts() -> Result<(Tensor, Tensor), Miss> {
    let ids =
        Tensor::new(&[[IMAGE, IMAGE, 1u32, 4, 0, 2], [3, IMAGE, IMAGE, 2, 0, 0]], &Device::Cpu)?;
    let mask = Tensor::new(&[[1u32; 6], [1, 1, 1, 1, 1, 0]], &Device::Cpu)?;
    Ok((ids, mask))
}

fn question(name: &str, logits: &Tensor, ids: &Tensor, mask: &Tensor) -> Question {
    let question = Question::new(ID, name).tensor("logits", logits).tensor("input_ids", ids);
    question.tensor("attention_mask", mask).word("image_token_id", IMAGE)
}

fn loss(who: &dyn Ask, logits: &Tensor, ids: &Tensor, mask: &Tensor) -> Result<f64, Miss> {
    let answer = who.ask(&question("forward", logits, ids, mask))?;
    let loss = tensor(&answer, "loss", "the loss", &[])?;
    Ok(f64::from(loss.to_scalar::<f32>()?))
}

fn logits() -> Result<Tensor, Miss> {
    goldens::values(&goldens::of(ID)["logits"], &[2, 6, V])
}

/// Logits that are sure of one token at each place: 30 for it, 0 for the others.
fn sure(tokens: &Tensor) -> Result<Tensor, Miss> {
    let table = (Tensor::eye(V, DType::F32, &Device::Cpu)? * 30.)?;
    let (b, t) = tokens.dims2()?;
    Ok(table.index_select(&tokens.flatten_all()?, 0)?.reshape((b, t, V))?)
}

/// Each row moved by one place, round about.
fn moved(ids: &Tensor, to_the_left: bool) -> Result<Tensor, Miss> {
    let t = ids.dim(1)?;
    let cut = if to_the_left { 1 } else { t - 1 };
    Ok(Tensor::cat(&[&ids.narrow(1, cut, t - cut)?, &ids.narrow(1, 0, cut)?], 1)?)
}

/// Other logits in these places `(row, place)`.
fn disturbed(logits: &Tensor, places: &[(usize, usize)]) -> Result<Tensor, Miss> {
    let mut values = logits.to_vec3::<f32>()?;
    for (row, place) in places {
        for (token, value) in values[*row][*place].iter_mut().enumerate() {
            *value += [4., -3., 2., -1., 5., -4.][token];
        }
    }
    Ok(Tensor::new(values, &Device::Cpu)?)
}

fn one_number(who: &dyn Ask) -> Outcome {
    let (ids, mask) = texts()?;
    loss(who, &logits()?, &ids, &mask).map(|_| None).map_err(|miss| match miss.status {
        Status::Shape => miss.named("not_averaged"),
        _ => miss,
    })
}

fn shift(who: &dyn Ask) -> Outcome {
    // A text without pictures and padding.
    let ids = Tensor::new(&[[1u32, 4, 0, 2, 3], [0, 3, 1, 4, 2]], &Device::Cpu)?;
    let mask = ids.ones_like()?;
    let next = loss(who, &sure(&moved(&ids, true)?)?, &ids, &mask)?;
    let same = loss(who, &sure(&ids)?, &ids, &mask)?;
    let before = loss(who, &sure(&moved(&ids, false)?)?, &ids, &mask)?;
    let name = if same < 1. {
        Some("not_shifted")
    } else if before < 1. {
        Some("shifted_back")
    } else if next < -1. {
        Some("sign")
    } else if (next - 1.).abs() < 0.2 && same < 3. {
        // ln Σ e^p of a one-hot p, less 1: between 0.9 and 1.1 for six tokens.
        Some("softmax_twice")
    } else {
        None
    };
    within(next.abs(), TOLERANCE, || {
        let expected = "0.0000, when every place is sure of the token that comes next";
        Miss::new(expected, number(next)).named(name)
    })
}

/// How much the loss moves when logits in these places do.
fn moves(who: &dyn Ask, places: &[(usize, usize)]) -> Result<f64, Miss> {
    let (ids, mask) = texts()?;
    let logits = logits()?;
    let there = loss(who, &logits, &ids, &mask)?;
    Ok((loss(who, &disturbed(&logits, places)?, &ids, &mask)? - there).abs())
}

fn padding(who: &dyn Ask) -> Outcome {
    // Place 4 of the second text would predict padding; the last places have nothing to predict.
    for (places, expected) in [
        (&[(1, 4)][..], "the same loss, whatever stands before padding"),
        (&[(0, 5), (1, 5)], "the same loss, whatever the last place says: nothing comes after it"),
    ] {
        let far = moves(who, places)?;
        within(far, TOLERANCE, || {
            let came = format!("one that differs by {}", number(far));
            Miss::new(expected, came).named("padding_counted")
        })?;
    }
    let last = moves(who, &[(0, 4)])?;
    if last <= TOLERANCE {
        // A number that logits hardly move, such as a share of right words, has lost no word.
        let moves_at_all = moves(who, &[(0, 1), (0, 2), (0, 3), (1, 2)])? > TOLERANCE;
        let expected = "another loss, when the place before the last word says something else";
        let miss = Miss::new(expected, "the same loss");
        return Err(miss.named(moves_at_all.then_some("last_word_lost")));
    }
    Ok(None)
}

fn images(who: &dyn Ask) -> Outcome {
    let far = moves(who, &[(0, 0), (1, 0), (1, 1)])?;
    within(far, TOLERANCE, || {
        let expected = "the same loss, whatever stands before an image token";
        let came = format!("one that differs by {}", number(far));
        Miss::new(expected, came).named("images_counted")
    })?;
    let words = [moves(who, &[(0, 1)])?, moves(who, &[(1, 2)])?];
    if let Some(text) = words.iter().position(|far| *far <= TOLERANCE) {
        // In one text alone: it is not the first word that is lost, but a text.
        let both = words.iter().all(|far| *far <= TOLERANCE);
        let moves_at_all = moves(who, &[(0, 2), (0, 3), (1, 3)])? > TOLERANCE;
        let which = ["first", "second"][text];
        let expected =
            format!("another loss, when the {which} text's last image token predicts another word");
        let name = (both && moves_at_all).then_some("first_word_lost");
        return Err(Miss::new(expected, "the same loss").named(name));
    }
    Ok(None)
}

fn value(who: &dyn Ask) -> Outcome {
    let (ids, mask) = texts()?;
    let came = loss(who, &logits()?, &ids, &mask)?;
    let right = goldens::values(&goldens::of(ID)["general"]["right"], &[])?;
    let tensor = Tensor::new(came as f32, &Device::Cpu)?;
    let name = goldens::recognised(ID, "general", &tensor, TOLERANCE)?;
    let far = distance(&tensor, &right)?;
    let right = f64::from(right.to_scalar::<f32>()?);
    within(far, TOLERANCE, || {
        let expected = format!("{} for two texts, worked out beforehand", number(right));
        Miss::new(expected, number(came)).named(name)
    })
}

fn gradients(who: &dyn Ask) -> Outcome {
    let (ids, mask) = texts()?;
    let answer = who.ask(&question("gradients", &logits()?, &ids, &mask))?;
    if !answer.tensors.contains_key("logits") {
        let came = "none: something on the way stops gradients";
        return Err(Miss::new("a gradient for the logits", came).named("detached"));
    }
    let gradient = tensor(&answer, "logits", "the gradient of the logits", &[2, 6, V])?;
    let right = goldens::values(&goldens::of(ID)["gradient"], &[2, 6, V])?;
    let far = distance(&gradient, &right)?;
    within(far, TOLERANCE, || {
        let came = format!("one that differs by up to {far:.3}");
        Miss::new("the gradient of the mean cross-entropy", came)
    })
}
