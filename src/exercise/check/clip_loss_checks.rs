//! The checks of `clip_loss`.

use candle_core::{DType, Device, Tensor};

use super::{Check, Miss, Outcome, distance, goldens, number, tensor, within};
use crate::exercise::ask::{Ask, Question};
use crate::exercise::report::Status;

const ID: &str = "clip_loss";

/// f32 leaves about 1e-6; the nearest wrong way in `goldens.json` is 0.08 away, and the nearest in any check 2.5e-3.
const TOLERANCE: f64 = 3e-4;

pub(super) const CHECKS: &[Check] = &[
    Check { id: "number", name: "The loss is one number", points: 1, gate: true, run: one_number },
    Check {
        id: "lengths",
        name: "Only the directions of the embeddings count, not their lengths",
        points: 2,
        gate: false,
        run: lengths,
    },
    Check {
        id: "temperature",
        name: "eᵗ multiplies the similarities",
        points: 1,
        gate: false,
        run: temperature,
    },
    Check {
        id: "both_sides",
        name: "Pictures ask for captions, and captions for pictures",
        points: 1,
        gate: false,
        run: both_sides,
    },
    Check {
        id: "pairs",
        name: "The right caption is the one in the same row",
        points: 2,
        gate: false,
        run: pairs,
    },
    Check { id: "value", name: "A worked example", points: 1, gate: false, run: value },
    Check {
        id: "gradients",
        name: "Pictures, captions and t all learn from it",
        points: 2,
        gate: false,
        run: gradients,
    },
];

/// The worked example's embeddings, `(3, 4)` each.
fn example() -> Result<(Tensor, Tensor), Miss> {
    let golden = goldens::of(ID);
    let [images, texts] = ["images", "texts"].map(|name| goldens::values(&golden[name], &[3, 4]));
    Ok((images?, texts?))
}

fn question(name: &str, images: &Tensor, texts: &Tensor, t: f64) -> Result<Question, Miss> {
    let t = Tensor::new(t as f32, &Device::Cpu)?;
    let question = Question::new(ID, name).tensor("image_embeddings", images);
    Ok(question.tensor("text_embeddings", texts).tensor("logit_scale", &t))
}

fn loss(who: &dyn Ask, images: &Tensor, texts: &Tensor, t: f64) -> Result<f64, Miss> {
    let answer = who.ask(&question("forward", images, texts, t)?)?;
    let loss = tensor(&answer, "loss", "the loss", &[])?;
    Ok(f64::from(loss.to_scalar::<f32>()?))
}

/// `b` pairs that match perfectly, at right angles to all others; `shift` moves the captions down.
fn perfect(b: usize, shift: usize) -> Result<(Tensor, Tensor), Miss> {
    let unit = Tensor::eye(b, DType::F32, &Device::Cpu)?;
    let rows: Vec<u32> = (0..b).map(|i| ((i + shift) % b) as u32).collect();
    let texts = unit.index_select(&Tensor::new(rows, &Device::Cpu)?, 0)?;
    Ok((unit, texts))
}

fn one_number(who: &dyn Ask) -> Outcome {
    let (images, texts) = example()?;
    let outcome = loss(who, &images, &texts, 0.7);
    outcome.map(|_| None).map_err(|miss| match miss.status {
        Status::Shape => miss.named("not_averaged"),
        // (b, p) times (b, p) is not defined, and there is no caption b.
        Status::Error if miss.came.contains("in matmul") => miss.named("no_transpose"),
        Status::Error if miss.came.contains("gather") => miss.named("wrong_labels"),
        _ => miss,
    })
}

fn lengths(who: &dyn Ask) -> Outcome {
    let (images, texts) = example()?;
    let as_they_are = loss(who, &images, &texts, 0.7)?;
    let longer = [
        ("the image embeddings", loss(who, &(&images * 3.)?, &texts, 0.7)?),
        ("the text embeddings", loss(who, &images, &(&texts * 3.)?, 0.7)?),
    ];
    let one = Tensor::new(&[[3f32], [1.], [1.]], &Device::Cpu)?;
    let one_row = loss(who, &images.broadcast_mul(&one)?, &texts, 0.7)?;
    let one_text = loss(who, &images, &texts.broadcast_mul(&one)?, 0.7)?;
    let moved = longer.map(|(what, came)| (what, came, (came - as_they_are).abs() > TOLERANCE));
    let expected = format!("{}, whatever the lengths", number(as_they_are));
    let name = match (moved[0].2, moved[1].2) {
        (true, true) => "not_normalised",
        (false, false) => "wrong_axis",
        _ => "one_side_not_normalised",
    };
    if let Some((what, came, _)) = moved.into_iter().find(|(_, _, moved)| *moved) {
        let came = format!("{} when {what} are three times as long", number(came));
        return Err(Miss::new(expected, came).named(name));
    }
    let far = (one_row - as_they_are).abs().max((one_text - as_they_are).abs());
    within(far, TOLERANCE, || {
        let came = format!("another loss, by {}, when one row is three times as long", number(far));
        Miss::new(expected, came).named(name)
    })
}

fn temperature(who: &dyn Ask) -> Outcome {
    let (images, texts) = example()?;
    let other = texts.flip(&[0])?;
    let at = |t: f64| loss(who, &images, &texts, t);
    let (cold, none, two) = (at(-20.)?, at(0.)?, at(2.)?);
    if (none - two).abs() <= TOLERANCE {
        let expected = "another loss at t = 2 than at t = 0";
        let miss = Miss::new(expected, format!("{} at both", number(two)));
        return Err(miss.named("temperature_ignored"));
    }
    let guessing = 3f64.ln();
    let alike = |t: f64| -> Result<bool, Miss> {
        Ok((at(t)? - loss(who, &images, &other, t)?).abs() <= TOLERANCE)
    };
    let name = || {
        // At t = 0 the similarities themselves are compared; whoever multiplies by t compares zeros.
        if alike(0.).unwrap_or(false) {
            Some("temperature_not_exponent")
        } else if alike(20.).unwrap_or(false) {
            Some("temperature_divides")
        } else {
            ((cold - 2. * guessing).abs() <= TOLERANCE).then_some("not_halved")
        }
    };
    let far = (cold - guessing).abs();
    within(far, TOLERANCE, || {
        let expected = format!(
            "ln 3 = {} at t = −20: eᵗ is almost 0, and the model can only guess among three",
            number(guessing)
        );
        Miss::new(expected, number(cold)).named(name())
    })?;
    // And the other way: at t = 3 perfect pairs are a safe bet.
    let (images, texts) = perfect(3, 0)?;
    let sure = loss(who, &images, &texts, 3.)?;
    within(sure.abs().max(far), TOLERANCE, || {
        let expected = "0.0000 for three perfect pairs at t = 3: e³ = 20.1 makes the model sure";
        Miss::new(expected, number(sure)).named(name())
    })
}

fn both_sides(who: &dyn Ask) -> Outcome {
    let (images, texts) = example()?;
    let (there, back) = (loss(who, &images, &texts, 0.7)?, loss(who, &texts, &images, 0.7)?);
    // Whoever multiplies pictures with pictures does not see that captions are exchanged.
    let (flip, still) = (texts.flip(&[0])?, images.flip(&[0])?);
    for (what, came) in [
        ("captions", loss(who, &images, &flip, 0.7)?),
        ("pictures", loss(who, &still, &texts, 0.7)?),
    ] {
        if (came - there).abs() <= TOLERANCE {
            let expected = format!("another loss than {} with other {what}", number(there));
            let came = format!("the same: the {what} are not looked at");
            return Err(Miss::new(expected, came).named("one_modality"));
        }
    }
    within((there - back).abs(), TOLERANCE, || {
        let expected =
            format!("{}, the same loss, when pictures and captions change places", number(there));
        Miss::new(expected, number(back)).named("one_sided")
    })
}

fn pairs(who: &dyn Ask) -> Outcome {
    let mut worst: f64 = 0.;
    // Three first: there a table turned around and labels turned around are told apart.
    for b in [3, 2, 5] {
        let (images, texts) = perfect(b, 0)?;
        let right = loss(who, &images, &texts, 3.).map_err(|miss| match miss.status {
            Status::Error | Status::Panic | Status::Shape if b != 3 => {
                Miss { expected: format!("a loss of {b} pairs"), ..miss.named("batch_of_three") }
            }
            _ => miss,
        })?;
        let (images, moved) = perfect(b, 1)?;
        let wrong = loss(who, &images, &moved, 3.)?;
        // Rows of a one-hot distribution, made to a distribution once more: ln(e + b − 1) − 1.
        let twice = (1f64.exp() + b as f64 - 1.).ln() - 1.;
        let far = 3f64.exp() + (b as f64 - 1.).ln();
        let name = if right.min(wrong) < -TOLERANCE {
            Some("log_softmax_sign")
        } else if (right - twice).abs() <= 0.02 {
            Some("softmax_twice")
        } else if (right - far).abs() <= 0.02 {
            Some("far_for_near")
        } else {
            // Labels that are off cost e³ in some rows; something in between is another mistake.
            (right > 5. || right.abs() <= TOLERANCE).then_some("wrong_labels")
        };
        worst = worst.max(right.abs());
        within(right.abs(), TOLERANCE, || {
            let expected = format!("0.0000 for {b} perfect pairs at t = 3");
            Miss::new(expected, number(right)).named(name)
        })?;
        if wrong < 10. {
            let expected =
                format!("a large loss, e³ = {}, when every caption is one row off", 20.1);
            return Err(Miss::new(expected, number(wrong)).named(name));
        }
    }
    within(worst, TOLERANCE, || Miss::new("", ""))
}

fn value(who: &dyn Ask) -> Outcome {
    let (unit, same) = perfect(2, 0)?;
    let two = loss(who, &unit, &same, 0.)?;
    let expected = (1. + (-1f64).exp()).ln();
    let (images, texts) = example()?;
    let came = loss(who, &images, &texts, 0.7)?;
    let right = goldens::values(&goldens::of(ID)["general"]["right"], &[])?;
    let far = distance(&Tensor::new(came as f32, &Device::Cpu)?, &right)?;
    let name =
        goldens::recognised(ID, "general", &Tensor::new(came as f32, &Device::Cpu)?, TOLERANCE)?;
    let name = name.or((two - 2. * expected).abs().le(&TOLERANCE).then_some("not_halved"));
    within((two - expected).abs(), TOLERANCE, || {
        let expected = format!("{} for the two pairs of the statement", number(expected));
        Miss::new(expected, number(two)).named(name)
    })?;
    let right = f64::from(right.to_scalar::<f32>()?);
    within(far, TOLERANCE, || {
        let expected = format!("{} for a batch of three, worked out beforehand", number(right));
        Miss::new(expected, number(came)).named(name)
    })
}

fn gradients(who: &dyn Ask) -> Outcome {
    let (images, texts) = example()?;
    let answer = who.ask(&question("gradients", &images, &texts, 0.7)?)?;
    let step = 1e-2;
    let mut worst: f64 = 0.;
    for (name, what) in [
        ("image_embeddings", "the image embeddings"),
        ("text_embeddings", "the text embeddings"),
        ("logit_scale", "t"),
    ] {
        let dims: &[usize] = if name == "logit_scale" { &[] } else { &[3, 4] };
        if !answer.tensors.contains_key(name) {
            let came = "none: the loss does not use them, or something on the way stops gradients";
            let miss = Miss::new(format!("a gradient for {what}"), came);
            return Err(miss.named("detached"));
        }
        let gradient = tensor(&answer, name, &format!("the gradient of {what}"), dims)?;
        // The slope along a fixed direction, measured by two losses, is what the gradient says.
        let direction = if dims.is_empty() {
            Tensor::new(1f32, &Device::Cpu)?
        } else {
            Tensor::new(
                &[[1f32, -1., 1., 1.], [-1., 1., 1., -1.], [1., 1., -1., 1.]],
                &Device::Cpu,
            )?
        };
        let said = f64::from((gradient * &direction)?.sum_all()?.to_scalar::<f32>()?);
        let at = |sign: f64| -> Result<f64, Miss> {
            let shift = (&direction * (sign * step))?;
            match name {
                "image_embeddings" => loss(who, &(&images + shift)?, &texts, 0.7),
                "text_embeddings" => loss(who, &images, &(&texts + shift)?, 0.7),
                _ => loss(who, &images, &texts, 0.7 + sign * step),
            }
        };
        let slope = (at(1.)? - at(-1.)?) / (2. * step);
        worst = worst.max((said - slope).abs());
        within((said - slope).abs(), 2e-3, || {
            let expected = format!("the loss to change with {what} by {} a step", number(slope));
            let came = format!("a gradient that says {}", number(said));
            Miss::new(expected, came).named("detached")
        })?;
    }
    within(worst, 2e-3, || Miss::new("", ""))
}
