//! The checks of `quantize`.

use candle_core::{D, Device, Tensor};

use super::{Check, Miss, Outcome, distance, goldens, list, tensor, within};
use crate::exercise::ask::{Ask, Question};
use crate::exercise::report::Status;

const ID: &str = "quantize";

/// f32 leaves about 1e-6; the nearest wrong way in `goldens.json` is 0.02 away.
const TOLERANCE: f64 = 3e-4;

const DIMS: [usize; 4] = [2, 3, 2, 2];
const TEMPERATURE: f64 = 0.7;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "shape",
        name: "A code for every logit, with noise and without",
        points: 1,
        gate: true,
        run: right_shape,
    },
    Check {
        id: "hard",
        name: "Without noise: 1 at the largest logit of each place, 0 elsewhere",
        points: 3,
        gate: false,
        run: hard,
    },
    Check {
        id: "sums",
        name: "With noise: the codes of a place sum to 1",
        points: 1,
        gate: false,
        run: sums,
    },
    Check { id: "value", name: "A worked example", points: 2, gate: false, run: value },
    Check {
        id: "cold",
        name: "At a low temperature the soft code becomes a hard one",
        points: 1,
        gate: false,
        run: cold,
    },
    Check {
        id: "gradients",
        name: "The encoder learns through the soft code",
        points: 2,
        gate: false,
        run: gradients,
    },
];

fn question(name: &str, logits: &Tensor, temperature: f64, noise: Option<&Tensor>) -> Question {
    let question =
        Question::new(ID, name).tensor("logits", logits).word("temperature", temperature);
    match noise {
        Some(noise) => question.tensor("noise", noise),
        None => question,
    }
}

fn codes(
    who: &dyn Ask,
    logits: &Tensor,
    temperature: f64,
    noise: Option<&Tensor>,
) -> Result<Tensor, Miss> {
    let answer = who.ask(&question("forward", logits, temperature, noise))?;
    tensor(&answer, "codes", "the codes", logits.dims())
}

/// The logits, the noise or the weights of the worked example.
fn worked(name: &str) -> Result<Tensor, Miss> {
    goldens::values(&goldens::of(ID)[name], &DIMS)
}

fn right_shape(who: &dyn Ask) -> Outcome {
    codes(who, &worked("logits")?, TEMPERATURE, None).map_err(|miss| match miss.status {
        Status::Error | Status::Panic => {
            Miss { expected: "codes where `noise` is `None`: it is inference then".into(), ..miss }
        }
        _ => miss,
    })?;
    codes(who, &worked("logits")?, TEMPERATURE, Some(&worked("noise")?))?;
    // Other sizes: nothing may be written down.
    let values: Vec<f32> = (0..40).map(|i| (i as f32 * 1.7).sin()).collect();
    let other = Tensor::from_vec(values, (1, 5, 2, 4), &Device::Cpu)?;
    codes(who, &other, 1., None)?;
    codes(who, &other, 1., Some(&other))?;
    Ok(None)
}

/// The codes of a place, `(k)`.
fn at(x: &Tensor, (b, row, column): (usize, usize, usize)) -> candle_core::Result<Tensor> {
    x.get(b)?.narrow(1, row, 1)?.narrow(2, column, 1)?.flatten_all()
}

/// The first place that differs: where it is, what its codes should be, and what they are.
fn other_place(right: &Tensor, came: &Tensor) -> Result<(String, String, String), Miss> {
    let (b, _, h, w) = right.dims4()?;
    let places = (0..b).flat_map(|b| (0..h).flat_map(move |i| (0..w).map(move |j| (b, i, j))));
    for place in places {
        let (right, came) = (at(right, place)?, at(came, place)?);
        if distance(&right, &came)? > TOLERANCE {
            let (b, row, column) = place;
            let where_it_is = format!("for the codes of picture {b}, row {row}, column {column}");
            return Ok((where_it_is, list(&right)?, list(&came)?));
        }
    }
    Ok((String::new(), list(right)?, list(came)?))
}

fn hard(who: &dyn Ask) -> Outcome {
    for temperature in [TEMPERATURE, 2.] {
        let came = codes(who, &worked("logits")?, temperature, None)?;
        let right = goldens::values(&goldens::of(ID)["hard"]["right"], &DIMS)?;
        let far = distance(&came, &right)?;
        if far > TOLERANCE {
            let soft = came.flatten_all()?.to_vec1::<f32>()?;
            let between = soft.iter().any(|v| *v > 0.01 && *v < 0.99);
            let named = match goldens::recognised(ID, "hard", &came, TOLERANCE)? {
                Some(name) => Some(name),
                None => between.then_some("soft_at_inference"),
            };
            let (place, expected, came) = other_place(&right, &came)?;
            return Err(Miss::new(format!("{expected} {place}"), came).named(named));
        }
    }
    Ok(None)
}

fn sums(who: &dyn Ask) -> Outcome {
    let came = codes(who, &worked("logits")?, TEMPERATURE, Some(&worked("noise")?))?;
    let sums = came.sum(1)?;
    let far = distance(&sums, &sums.ones_like()?)?;
    within(far, TOLERANCE, || {
        let name = goldens::recognised(ID, "soft", &came, TOLERANCE).ok().flatten();
        let one = |axis: usize| -> Option<bool> {
            let sums = came.sum(axis).ok()?;
            Some(distance(&sums, &sums.ones_like().ok()?).ok()? <= TOLERANCE)
        };
        let other = [0, 2, 3].into_iter().any(|axis| one(axis) == Some(true));
        let name = name.or(other.then_some("wrong_axis"));
        let shown = list(&sums).unwrap_or_default();
        Miss::new("sums over the codes of 1 at every place", shown).named(name)
    })
}

fn value(who: &dyn Ask) -> Outcome {
    let came = codes(who, &worked("logits")?, TEMPERATURE, Some(&worked("noise")?))?;
    let right = goldens::values(&goldens::of(ID)["soft"]["right"], &DIMS)?;
    let name = goldens::recognised(ID, "soft", &came, TOLERANCE)?;
    let far = distance(&came, &right)?;
    within(far, TOLERANCE, || {
        let shown = |t: &Tensor| list(t).unwrap_or_default();
        let expected = format!("{}, worked out beforehand at temperature 0.7", shown(&right));
        Miss::new(expected, shown(&came)).named(name)
    })
}

fn cold(who: &dyn Ask) -> Outcome {
    let (logits, noise) = (worked("logits")?, worked("noise")?);
    let came = codes(who, &logits, 0.002, Some(&noise))?;
    let largest = came.max(1)?.flatten_all()?.min(0)?.to_scalar::<f32>()?;
    if largest < 0.99 {
        let sums = came.sum(1)?;
        let far_from_one = distance(&sums, &sums.ones_like()?)?;
        let expected = "codes near 0 and 1 at temperature 0.002";
        let came = format!("one place whose largest code is {largest:.3}");
        // Where codes do not sum to 1, it is not the temperature's fault.
        let named = (far_from_one <= TOLERANCE).then_some("temperature_multiplies");
        return Err(Miss::new(expected, came).named(named));
    }
    // Where noise and logits disagree, the sum decides.
    let chosen = came.argmax(1)?.flatten_all()?.to_vec1::<u32>()?;
    let decides = (&logits + noise)?.argmax(1)?.flatten_all()?.to_vec1::<u32>()?;
    if chosen != decides {
        let expected = format!("the codes {decides:?}, largest in logits + noise");
        let without = logits.argmax(1)?.flatten_all()?.to_vec1::<u32>()?;
        let named = (chosen == without).then_some("noise_forgotten");
        return Err(Miss::new(expected, format!("the codes {chosen:?}")).named(named));
    }
    Ok(None)
}

fn gradients(who: &dyn Ask) -> Outcome {
    let (logits, noise) = (worked("logits")?, worked("noise")?);
    let asked = question("gradients", &logits, TEMPERATURE, Some(&noise));
    let answer = who.ask(&asked.tensor("g", &worked("weights")?))?;
    if !answer.tensors.contains_key("logits") {
        let came = "none: something on the way stops gradients";
        return Err(Miss::new("a gradient for the logits", came).named("detached"));
    }
    let gradient = tensor(&answer, "logits", "the gradient of the logits", &DIMS)?;
    let size = gradient.abs()?.flatten_all()?.max(D::Minus1)?.to_scalar::<f32>()?;
    if size == 0. {
        let came = "0 everywhere";
        return Err(Miss::new("a gradient for the logits", came).named("detached"));
    }
    let right = goldens::values(&goldens::of(ID)["gradient"], &DIMS)?;
    let far = distance(&gradient, &right)?;
    within(far, TOLERANCE, || {
        let came = format!("one that differs by up to {far:.3}");
        Miss::new("the gradient of the softmax of (logits + noise) / τ", came)
    })
}
