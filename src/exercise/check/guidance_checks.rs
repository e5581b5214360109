//! The checks of `guidance`.

use candle_core::{Device, Tensor};

use super::{Check, Miss, Outcome, distance, list, number, tensor, within};
use crate::exercise::ask::{Ask, Question};
use crate::exercise::report::Status;

const ID: &str = "guidance";

/// Sums of two products; the nearest wrong way is tenths away.
const TOLERANCE: f64 = 1e-4;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "noise",
        name: "A picture and its noise, mixed by the roots of ᾱ and 1 − ᾱ",
        points: 2,
        gate: false,
        run: noise,
    },
    Check {
        id: "each_its_own",
        name: "Every picture of the batch has an ᾱ of its own, whatever its dimensions",
        points: 2,
        gate: false,
        run: each_its_own,
    },
    Check {
        id: "dropped",
        name: "Whole conditions become zeros, the others stay",
        points: 2,
        gate: false,
        run: dropped,
    },
    Check {
        id: "gradients",
        name: "What is kept still learns, what is dropped does not",
        points: 1,
        gate: false,
        run: gradients,
    },
    Check {
        id: "guided",
        name: "From the unconditional prediction to the conditional one, and beyond",
        points: 3,
        gate: false,
        run: guided,
    },
];

/// Numbers without a pattern, the same each time.
fn numbers(dims: &[usize], start: f64) -> Result<Tensor, Miss> {
    let count: usize = dims.iter().product();
    let values: Vec<f32> = (0..count).map(|i| ((i as f64 + start) * 1.7).sin() as f32).collect();
    Ok(Tensor::from_vec(values, dims, &Device::Cpu)?)
}

fn vector(values: &[f32]) -> Result<Tensor, Miss> {
    Ok(Tensor::new(values, &Device::Cpu)?)
}

fn noised(who: &dyn Ask, x0: &Tensor, noise: &Tensor, left: &Tensor) -> Result<Tensor, Miss> {
    let question = Question::new(ID, "noise").tensor("x0", x0).tensor("noise", noise);
    let answer = who.ask(&question.tensor("alpha_bar", left))?;
    tensor(&answer, "x", "x_t", x0.dims())
}

fn noise(who: &dyn Ask) -> Outcome {
    // One number, so that every way of broadcasting gives the same.
    let (x0, eps) = (Tensor::new(&[[2f32]], &Device::Cpu)?, Tensor::new(&[[1f32]], &Device::Cpu)?);
    let came = noised(who, &x0, &eps, &vector(&[0.64])?)?;
    let value = f64::from(came.flatten_all()?.to_vec1::<f32>()?[0]);
    let ways = [
        (1.64, "no_root"),
        (1.96, "no_root"),
        (2.2 - 0.8 * 2. + 0.64 * 2., "no_root"),
        (2.0, "swapped"),
        (1.36, "swapped"),
        (1.8, "one_minus_the_root"),
        (2.6, "noise_added"),
        (3.0, "noise_added"),
        (1.0, "noise_subtracted"),
        (1.6, "noise_forgotten"),
    ];
    let near = ways.iter().find(|(other, _)| (value - other).abs() < 1e-3);
    within((value - 2.2).abs(), TOLERANCE, || {
        let expected = "2.2 for x₀ = 2, ε = 1, ᾱ = 0.64: 0.8 · 2 + 0.6 · 1";
        Miss::new(expected, number(value)).named(near.map(|(_, name)| *name))
    })
}

fn each_its_own(who: &dyn Ask) -> Outcome {
    let mut worst: f64 = 0.;
    // As many rows as columns: an ᾱ that is laid along the columns fits too.
    for dims in [&[3, 3][..], &[4, 3], &[3, 2, 3], &[3, 3, 2, 3]] {
        let (x0, eps) = (numbers(dims, 2.)?, numbers(dims, 7.)?);
        // None is a half, where the roots are equal and may be swapped.
        let left = [0.9f32, 0.6, 0.1, 0.3];
        let left = vector(&left[..dims[0]])?;
        let came = noised(who, &x0, &eps, &left).map_err(|miss| match miss.status {
            Status::Error | Status::Panic | Status::Shape => {
                let expected = format!("x_t of shape {} for one ᾱ a picture", super::shape(dims));
                Miss { expected, ..miss }.named("not_broadcast")
            }
            _ => miss,
        })?;
        for row in 0..dims[0] {
            let (x0, eps, left) =
                (x0.narrow(0, row, 1)?, eps.narrow(0, row, 1)?, left.narrow(0, row, 1)?);
            let alone = noised(who, &x0, &eps, &left)?;
            let far = distance(&came.narrow(0, row, 1)?, &alone)?;
            worst = worst.max(far);
            within(far, TOLERANCE, || {
                let expected = format!("picture {} of {} as it is alone", row + 1, dims[0]);
                let came = format!("one that differs by up to {far:.3}");
                Miss::new(expected, came).named("one_for_all")
            })?;
        }
    }
    within(worst, TOLERANCE, || Miss::new("", ""))
}

fn drop_question(condition: &Tensor, keep: &Tensor) -> Question {
    Question::new(ID, "drop").tensor("condition", condition).tensor("keep", keep)
}

fn dropped(who: &dyn Ask) -> Outcome {
    let mut worst: f64 = 0.;
    for dims in [&[3, 3][..], &[4, 2], &[3, 2, 3]] {
        let condition = (numbers(dims, 5.)? + 2.)?;
        let keep = &[1f32, 0., 1., 0.][..dims[0]];
        let answer = who.ask(&drop_question(&condition, &vector(keep)?)).map_err(|failure| {
            let miss = Miss::from(failure);
            match miss.status {
                Status::Error | Status::Panic => {
                    let expected =
                        format!("conditions {} and keep ({},)", super::shape(dims), dims[0]);
                    Miss { expected, ..miss }.named("keep_not_broadcast")
                }
                _ => miss,
            }
        })?;
        let came = tensor(&answer, "x", "the conditions", dims).map_err(|miss| {
            let fewer = answer.tensors.get("x").is_some_and(|x| x.dims().first() < dims.first());
            if fewer { miss.named("rows_removed") } else { miss }
        })?;
        for (row, &keep) in keep.iter().enumerate() {
            let (right, got) = (condition.narrow(0, row, 1)?, came.narrow(0, row, 1)?);
            let zeros = right.zeros_like()?;
            let expected = if keep == 1. { &right } else { &zeros };
            let far = distance(&got, expected)?;
            worst = worst.max(far);
            let ratio = (&got / &right)?.flatten_all()?.to_vec1::<f32>()?;
            let scaled = ratio.iter().all(|r| (r - ratio[0]).abs() < 1e-3);
            let name = match keep == 1. {
                true if distance(&got, &zeros)? < TOLERANCE => Some("kept_and_dropped"),
                true if scaled => Some("scaled"),
                false if distance(&got, &right)? < TOLERANCE => Some("kept_and_dropped"),
                // Some of its numbers were dropped, or kept, and others not.
                _ => {
                    let (got, right) = (got.flatten_all()?, right.flatten_all()?);
                    let mut pairs = got.to_vec1::<f32>()?.into_iter().zip(right.to_vec1::<f32>()?);
                    let either = |(came, whole): (f32, f32)| came == 0. || came == whole;
                    pairs.all(either).then_some("columns_dropped")
                }
            };
            within(far, TOLERANCE, || {
                let which = format!("condition {}, whose keep is {keep}", row + 1);
                let expected = list(expected).unwrap_or_default();
                let got = list(&got).unwrap_or_default();
                Miss::new(format!("{expected} for {which}"), got).named(name)
            })?;
        }
    }
    within(worst, TOLERANCE, || Miss::new("", ""))
}

fn gradients(who: &dyn Ask) -> Outcome {
    let (condition, g) = (numbers(&[3, 4], 5.)?, numbers(&[3, 4], 11.)?);
    let keep = vector(&[1., 0., 1.])?;
    let answer = who.ask(&drop_question(&condition, &keep).tensor("g", &g))?;
    if !answer.tensors.contains_key("condition") {
        let came = "none: something on the way stops gradients";
        return Err(
            Miss::new("a gradient for the conditions that are kept", came).named("detached")
        );
    }
    let came = tensor(&answer, "condition", "the gradient of the conditions", &[3, 4])?;
    let right = g.broadcast_mul(&keep.reshape((3, 1))?)?;
    let far = distance(&came, &right)?;
    within(far, TOLERANCE, || {
        let expected = "the gradient of what came out where keep is 1, zeros where it is 0";
        Miss::new(expected, format!("one that differs by up to {far:.3}"))
    })
}

fn guided(who: &dyn Ask) -> Outcome {
    let ask = |c: &Tensor, u: &Tensor, scale: f64| -> Result<Tensor, Miss> {
        let question =
            Question::new(ID, "guide").tensor("conditional", c).tensor("unconditional", u);
        tensor(&who.ask(&question.word("scale", scale))?, "x", "the guided prediction", c.dims())
    };
    let one = |value: f32| Tensor::new(&[[value]], &Device::Cpu);
    let (c, u) = (one(3.)?, one(1.)?);
    let at = |scale: f64| -> Result<f64, Miss> {
        Ok(f64::from(ask(&c, &u, scale)?.flatten_all()?.to_vec1::<f32>()?[0]))
    };
    let came = [at(0.)?, at(1.)?, at(2.)?];
    let ways: [([f64; 3], &str); 8] = [
        ([3., 5., 7.], "counted_from_the_conditional"),
        ([3., 1., -1.], "swapped_predictions"),
        ([0., 2., 4.], "unconditional_forgotten"),
        ([0., 3., 6.], "unconditional_forgotten"),
        ([1., 4., 7.], "difference_forgotten"),
        ([1., -1., -3.], "sign"),
        ([3., 3., 3.], "scale_ignored"),
        ([1., 2., 3.], "halved"),
    ];
    let near =
        |(other, _): &&([f64; 3], &str)| came.iter().zip(other).all(|(x, y)| (x - y).abs() < 1e-3);
    let named = ways.iter().find(near).map(|(_, name)| *name);
    let off = came.iter().zip([1., 3., 5.]).map(|(x, y)| (x - y).abs()).fold(0., f64::max);
    within(off, TOLERANCE, || {
        let expected = "1, 3, 5 for the scales 0, 1, 2, where ε(c) = 3 and ε(∅) = 1";
        let said: Vec<String> = came.iter().map(|x| format!("{x:.3}")).collect();
        Miss::new(expected, said.join(", ")).named(named)
    })?;
    let (c, u) = (numbers(&[2, 3, 2, 2], 3.)?, numbers(&[2, 3, 2, 2], 8.)?);
    let mut worst = off;
    for scale in [0.5, 3.25, 10.] {
        let right = ((&u * (1. - scale))? + (&c * scale)?)?;
        let far = distance(&ask(&c, &u, scale)?, &right)?;
        worst = worst.max(far);
        within(far, TOLERANCE * scale.max(1.), || {
            let expected = format!("ε(∅) + {scale} · (ε(c) − ε(∅)) in every place");
            Miss::new(expected, format!("numbers that differ by up to {far:.3}"))
                .named("scale_ignored")
        })?;
    }
    within(worst, TOLERANCE * 10., || Miss::new("", ""))
}
