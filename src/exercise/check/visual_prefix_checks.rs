//! The checks of `visual_prefix`.

use candle_core::{DType, Device, Tensor};

use super::{Check, Miss, Outcome, distance, list, shape, tensor, within};
use crate::exercise::ask::{Ask, Question};
use crate::exercise::report::Status;

const ID: &str = "visual_prefix";

/// Products of three numbers; the nearest wrong way is tenths away.
const TOLERANCE: f64 = 1e-4;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "shape",
        name: "n vectors of the language model's width for each picture",
        points: 2,
        gate: true,
        run: right_shape,
    },
    Check {
        id: "order",
        name: "The first d numbers are the first vector, the next d the second",
        points: 3,
        gate: false,
        run: order,
    },
    Check {
        id: "batch",
        name: "Every picture has its own prefix, whatever stands beside it",
        points: 2,
        gate: false,
        run: batch,
    },
    Check {
        id: "linear",
        name: "Nothing but the linear layer changes the features",
        points: 1,
        gate: false,
        run: linear,
    },
    Check {
        id: "gradients",
        name: "The vision encoder and the projection both learn",
        points: 2,
        gate: false,
        run: gradients,
    },
];

/// Numbers without a pattern, the same each time.
fn numbers(dims: &[usize], start: f64) -> Result<Tensor, Miss> {
    let count: usize = dims.iter().product();
    let values: Vec<f32> = (0..count).map(|i| ((i as f64 + start) * 1.7).sin() as f32).collect();
    Ok(Tensor::from_vec(values, dims, &Device::Cpu)?)
}

fn question(name: &str, features: &Tensor, weight: &Tensor, bias: &Tensor, n: usize) -> Question {
    let question = Question::new(ID, name).tensor("features", features).word("n", n);
    question.tensor("weight", weight).tensor("bias", bias)
}

/// The prefix of `features (b, 3)` by a projection to `n` vectors of `d`.
fn prefix(who: &dyn Ask, features: &Tensor, n: usize, d: usize) -> Result<Tensor, Miss> {
    let (weight, bias) = (numbers(&[n * d, 3], 1.)?, numbers(&[n * d], 2.)?);
    let answer = who.ask(&question("forward", features, &weight, &bias, n))?;
    tensor(&answer, "prefix", "the prefix", &[features.dim(0)?, n, d])
}

fn right_shape(who: &dyn Ask) -> Outcome {
    for (b, n, d) in [(2, 2, 4), (1, 2, 4), (5, 2, 4), (3, 3, 2), (2, 1, 6)] {
        let outcome = prefix(who, &numbers(&[b, 3], 3.)?, n, d);
        outcome.map_err(|miss| match miss.status {
            Status::Shape => {
                let name = if miss.came == shape(&[n, b, d]) {
                    Some("pictures_mixed")
                } else if (b, n, d) != (2, 2, 4) {
                    // The first shape was right.
                    Some("sizes_written_down")
                } else if miss.came == shape(&[b, n * d]) {
                    Some("not_reshaped")
                } else if miss.came == shape(&[b * n, d]) {
                    Some("pictures_not_apart")
                } else if miss.came == shape(&[b, d, n]) {
                    Some("turned")
                } else {
                    None
                };
                miss.named(name)
            }
            Status::Error | Status::Panic if (b, n, d) != (2, 2, 4) => {
                let expected = format!("a prefix {} for {b} pictures", shape(&[b, n, d]));
                Miss { expected, ..miss }.named("sizes_written_down")
            }
            _ => miss,
        })?;
    }
    Ok(None)
}

fn order(who: &dyn Ask) -> Outcome {
    // A weight of zeros: what comes is the bias, whatever the picture.
    let features = numbers(&[1, 3], 3.)?;
    let weight = Tensor::zeros((8, 3), DType::F32, &Device::Cpu)?;
    let bias = Tensor::arange(1f32, 9., &Device::Cpu)?;
    let answer = who.ask(&question("forward", &features, &weight, &bias, 2))?;
    let came = tensor(&answer, "prefix", "the prefix", &[1, 2, 4])?;
    let right = bias.reshape((1, 2, 4))?;
    let name =
        if distance(&came, &bias.reshape((1, 4, 2))?.transpose(1, 2)?.contiguous()?)? < TOLERANCE {
            Some("turned")
        } else if distance(&came, &right.flip(&[1])?.contiguous()?)? < TOLERANCE {
            Some("back_to_front")
        } else if distance(&came.narrow(1, 0, 1)?, &came.narrow(1, 1, 1)?)? < TOLERANCE {
            Some("repeated")
        } else {
            // Other numbers than the layer's, in whatever order.
            let sum = came.sum_all()?.to_scalar::<f32>()?;
            ((sum - 36.).abs() > 1e-3).then_some("not_linear")
        };
    within(distance(&came, &right)?, TOLERANCE, || {
        let came = list(&came).unwrap_or_default();
        let expected = "[1, 2, 3, 4] and [5, 6, 7, 8], when the layer gives 1 to 8 and n = 2";
        Miss::new(expected, came).named(name)
    })
}

fn batch(who: &dyn Ask) -> Outcome {
    let features = numbers(&[3, 3], 3.)?;
    let together = prefix(who, &features, 2, 4)?;
    let mut worst: f64 = 0.;
    for picture in 0..3 {
        let alone = prefix(who, &features.narrow(0, picture, 1)?, 2, 4)?;
        let far = distance(&together.narrow(0, picture, 1)?, &alone)?;
        worst = worst.max(far);
        within(far, TOLERANCE, || {
            let expected = format!("picture {}'s prefix, as it is when it is alone", picture + 1);
            Miss::new(expected, "another one in a batch of three").named("pictures_mixed")
        })?;
    }
    let apart = distance(&together.narrow(0, 0, 1)?, &together.narrow(0, 1, 1)?)?;
    if apart < TOLERANCE {
        let miss = Miss::new("another prefix for another picture", "the same for both");
        return Err(miss.named("pictures_mixed"));
    }
    within(worst, TOLERANCE, || Miss::new("", ""))
}

fn linear(who: &dyn Ask) -> Outcome {
    // An affine function of x and y has f(x) + f(y) = f(x + y) + f(0).
    let (x, y) = (numbers(&[1, 3], 3.)?, numbers(&[1, 3], 9.)?);
    let of = |features: &Tensor| prefix(who, features, 2, 4);
    let sum = (of(&x)? + of(&y)?)?;
    let other = (of(&(&x + &y)?)? + of(&x.zeros_like()?)?)?;
    let far = distance(&sum, &other)?;
    within(far, TOLERANCE, || {
        let came = format!("sums that differ by {far:.3}: something bends or rescales the prefix");
        Miss::new("the sum of two pictures' prefixes for the sum of their features", came)
            .named("not_linear")
    })?;
    // And the layer's own weight and bias, once each.
    let (weight, bias) = (numbers(&[8, 3], 1.)?, numbers(&[8], 2.)?);
    let right = x.matmul(&weight.t()?)?.broadcast_add(&bias)?.reshape((1, 2, 4))?;
    let far = distance(&of(&x)?, &right)?;
    within(far, TOLERANCE, || {
        let came = format!("numbers that differ by up to {far:.3}");
        Miss::new("what the layer gives, unchanged", came).named("not_linear")
    })
}

fn gradients(who: &dyn Ask) -> Outcome {
    let features = numbers(&[2, 3], 3.)?;
    let (weight, bias, g) = (numbers(&[8, 3], 1.)?, numbers(&[8], 2.)?, numbers(&[2, 2, 4], 4.)?);
    let answer = who.ask(&question("gradients", &features, &weight, &bias, 2).tensor("g", &g))?;
    let flat = g.reshape((2, 8))?;
    let mut worst: f64 = 0.;
    for (name, what, right) in [
        ("features", "the features", flat.matmul(&weight)?),
        ("weight", "the projection's weight", flat.t()?.matmul(&features)?),
        ("bias", "the projection's bias", flat.sum(0)?),
    ] {
        if !answer.tensors.contains_key(name) {
            let came = "none: something on the way stops gradients";
            return Err(Miss::new(format!("a gradient for {what}"), came).named("detached"));
        }
        let gradient = tensor(&answer, name, &format!("the gradient of {what}"), right.dims())?;
        let far = distance(&gradient, &right.contiguous()?)?;
        worst = worst.max(far);
        within(far, TOLERANCE, || {
            let expected = format!("the gradient of {what} that the linear layer has");
            Miss::new(expected, format!("one that differs by up to {far:.3}"))
        })?;
    }
    within(worst, TOLERANCE, || Miss::new("", ""))
}
