//! The checks of `projection_head`.

use std::collections::BTreeMap;

use candle_core::{D, DType, Device, Tensor};

use super::{Check, Miss, Outcome, distance, goldens, list, shape, tensor, within};
use crate::exercise::ask::{Ask, Question};
use crate::exercise::report::Status;

const ID: &str = "projection_head";

/// GELU's tanh form is 6e-4 away on these numbers and as good; the nearest wrong way (ReLU) is 0.35 away.
const TOLERANCE: f64 = 5e-3;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "parameters",
        name: "The head has the parameters of the slide",
        points: 2,
        gate: true,
        run: parameters,
    },
    Check {
        id: "shape",
        name: "Features (b, d) become embeddings (b, p)",
        points: 1,
        gate: true,
        run: shapes,
    },
    Check {
        id: "skip",
        name: "The skip connection adds what the projection gave",
        points: 2,
        gate: false,
        run: skip,
    },
    Check {
        id: "normalised",
        name: "A layer normalisation comes last",
        points: 1,
        gate: false,
        run: normalised,
    },
    Check { id: "value", name: "A worked example", points: 1, gate: false, run: value },
    Check {
        id: "dropout",
        name: "Dropout, after fc, in training only",
        points: 1,
        gate: false,
        run: dropout,
    },
    Check {
        id: "gradients",
        name: "Every parameter learns",
        points: 2,
        gate: false,
        run: gradients,
    },
];

type State = BTreeMap<String, Tensor>;

/// A question to a head of these sizes, with these values as its parameters.
fn question(name: &str, state: &State, x: &Tensor, mode: &str, dropout: f64) -> Question {
    let (from, to) = match state.get("projection.weight").map(Tensor::dims) {
        Some([to, from]) => (*from, *to),
        _ => (0, 0),
    };
    let mut question = sized(name, from, to).word("dropout", dropout).word("mode", mode);
    question.tensors = state.clone();
    question.tensor("x", x)
}

fn sized(name: &str, from: usize, to: usize) -> Question {
    let question = Question::new(ID, name).word("embedding_dim", from).word("dropout", 0);
    question.word("projection_dim", to)
}

fn forward(who: &dyn Ask, question: &Question) -> Result<Tensor, Miss> {
    let (b, p) = (question.tensors["x"].dims()[0], question.tensors["fc.bias"].dims()[0]);
    let answer = who.ask(question)?;
    tensor(&answer, "y", "the embeddings", &[b, p])
}

/// The worked example: the parameters, d = 3, p = 4, and x `(2, 3)`.
fn example() -> Result<(State, Tensor), Miss> {
    let golden = goldens::of(ID);
    Ok((goldens::state(&golden["params"])?, goldens::values(&golden["x"], &[2, 3])?))
}

fn parameters(who: &dyn Ask) -> Outcome {
    let (d, p) = (6, 4);
    let answer = who.ask(&sized("keys", d, p)).map_err(|failure| {
        let miss = Miss::from(failure);
        // Two layers that take their parameters from one place stumble over each other's shape.
        let stumbled = miss.came.contains("parameter `");
        if stumbled { miss.named("other_name") } else { miss }
    })?;
    let json = answer.words.get("shapes").map(String::as_str).unwrap_or("{}");
    let mut came: BTreeMap<String, Vec<usize>> =
        serde_json::from_str(json).map_err(crate::Error::from)?;
    let expected: [(&str, &[usize]); 6] = [
        ("projection.weight", &[p, d]),
        ("projection.bias", &[p]),
        ("fc.weight", &[p, p]),
        ("fc.bias", &[p]),
        ("layer_norm.weight", &[p]),
        ("layer_norm.bias", &[p]),
    ];
    for (name, dims) in expected {
        let words = format!("`{name}` of shape {} for d = {d}, p = {p}", shape(dims));
        match came.remove(name) {
            Some(found) if found == dims => {}
            Some(found) => {
                let mistake = if name == "projection.weight" && found == [d, p] {
                    Some("swapped_sizes")
                } else {
                    name.starts_with("projection").then_some("wrong_sizes")
                };
                return Err(Miss::new(words, shape(&found)).of(Status::Shape).named(mistake));
            }
            None => {
                let others: Vec<&str> = came.keys().map(String::as_str).collect();
                let all = expected.iter().map(|(name, _)| *name);
                let strangers: Vec<&str> =
                    others.iter().copied().filter(|o| all.clone().all(|e| e != *o)).collect();
                let mistake = match (name, strangers.is_empty()) {
                    ("projection.bias", true) => Some("no_bias"),
                    (_, false) => Some("other_name"),
                    _ => None,
                };
                let came = match strangers.is_empty() {
                    true => "no such parameter".to_string(),
                    false => format!("`{}` instead", strangers.join("`, `")),
                };
                return Err(Miss::new(words, came).named(mistake));
            }
        }
    }
    match came.keys().next() {
        Some(extra) => {
            let miss = Miss::new("these six parameters and no other", format!("`{extra}` too"));
            Err(miss.named("other_name"))
        }
        None => Ok(None),
    }
}

fn shapes(who: &dyn Ask) -> Outcome {
    let (state, x) = example()?;
    let five = Tensor::cat(&[&x, &x, &x.narrow(0, 0, 1)?], 0)?;
    for x in [x, five] {
        forward(who, &question("forward", &state, &x, "eval", 0.)).map_err(|miss| {
            // d is not p here, so whoever adds x itself stumbles.
            let added =
                miss.came.contains("mismatch in add") || miss.came.contains("broadcast_add");
            if added { miss.named("features_added") } else { miss }
        })?;
    }
    Ok(None)
}

fn skip(who: &dyn Ask) -> Outcome {
    let (mut state, x) = example()?;
    for name in ["fc.weight", "fc.bias"] {
        let zeros = state[name].zeros_like()?;
        state.insert(name.into(), zeros);
    }
    let y = forward(who, &question("forward", &state, &x, "eval", 0.))?;
    compare(&y, "fc_zero", "when fc gives only zeros, what the projection gave, normalised")
}

fn value(who: &dyn Ask) -> Outcome {
    let (state, x) = example()?;
    let y = forward(who, &question("forward", &state, &x, "eval", 0.))?;
    compare(&y, "general", "for numbers worked out beforehand")
}

/// Compares with a case of the goldens.
fn compare(y: &Tensor, case: &str, words: &str) -> Outcome {
    let right = goldens::values(&goldens::of(ID)[case]["right"], &[2, 4])?;
    let name = goldens::recognised(ID, case, y, TOLERANCE)?;
    let (said, came) = (list(&right)?, list(y)?);
    within(distance(y, &right)?, TOLERANCE, || {
        Miss::new(format!("{said}, {words}"), came).named(name)
    })
}

fn normalised(who: &dyn Ask) -> Outcome {
    let (mut state, x) = example()?;
    let ones = state["layer_norm.weight"].ones_like()?;
    state.insert("layer_norm.weight".into(), ones);
    let zeros = state["layer_norm.bias"].zeros_like()?;
    state.insert("layer_norm.bias".into(), zeros);
    let y = forward(who, &question("forward", &state, &x, "eval", 0.))?;
    let mean = y.mean_keepdim(D::Minus1)?;
    let deviation = y.broadcast_sub(&mean)?.sqr()?.mean_keepdim(D::Minus1)?.sqrt()?;
    let off = distance(&mean, &mean.zeros_like()?)?;
    let off = off.max(distance(&deviation, &deviation.ones_like()?)?);
    let (means, deviations) = (list(&mean)?, list(&deviation)?);
    within(off, TOLERANCE, || {
        let expected = "each row with mean 0 and deviation 1 (its weight is 1, its bias 0 here)";
        let came = format!("means {means}, deviations {deviations}");
        Miss::new(expected, came).named("no_layer_norm")
    })
}

/// A head with p = 16, so that dropping nothing by chance is out of the question.
fn wide() -> Result<(State, Tensor), Miss> {
    let (d, p, b) = (5, 16, 4);
    let wave = |count: usize, step: f32| -> Vec<f32> {
        (0..count).map(|i| (i as f32 * step).sin()).collect()
    };
    let of = |values: Vec<f32>, dims: &[usize]| Tensor::from_vec(values, dims, &Device::Cpu);
    let mut state = State::new();
    state.insert("projection.weight".into(), of(wave(p * d, 1.7), &[p, d])?);
    state.insert("projection.bias".into(), of(wave(p, 0.9), &[p])?);
    state.insert("fc.weight".into(), of(wave(p * p, 2.3), &[p, p])?);
    state.insert("fc.bias".into(), of(wave(p, 1.3), &[p])?);
    state.insert("layer_norm.weight".into(), Tensor::ones(p, DType::F32, &Device::Cpu)?);
    state.insert("layer_norm.bias".into(), Tensor::zeros(p, DType::F32, &Device::Cpu)?);
    Ok((state, of(wave(b * d, 0.7), &[b, d])?))
}

fn dropout(who: &dyn Ask) -> Outcome {
    let (mut state, x) = wide()?;
    let y = |state: &State, mode: &str, seed: u64| {
        forward(who, &question("forward", state, &x, mode, 0.5).seed(seed))
    };
    let eval = y(&state, "eval", 1)?;
    let other = distance(&eval, &y(&state, "eval", 2)?)?;
    within(other, 1e-6, || {
        let miss = Miss::new("the same embeddings each time when the model is used", "others");
        miss.named("dropout_always")
    })?;
    if distance(&eval, &y(&state, "train", 1)?)? < 1e-3 {
        let expected = "other embeddings in training, half of them dropped, than in use";
        return Err(Miss::new(expected, "the same").named("no_dropout"));
    }
    // What fc gives is its bias now: dropout before fc drops nothing, dropout after it does.
    let zeros = state["fc.weight"].zeros_like()?;
    state.insert("fc.weight".into(), zeros);
    if distance(&y(&state, "eval", 1)?, &y(&state, "train", 1)?)? < 1e-3 {
        let expected = "dropout on what fc gives";
        return Err(Miss::new(expected, "dropout before fc").named("dropout_before_fc"));
    }
    // fc gives zeros now: dropping them changes nothing, dropping of the projection would.
    let zeros = state["fc.bias"].zeros_like()?;
    state.insert("fc.bias".into(), zeros);
    within(distance(&y(&state, "eval", 1)?, &y(&state, "train", 1)?)?, 1e-5, || {
        let expected = "dropout on the branch through fc alone";
        Miss::new(expected, "dropout on the skip connection too").named("dropout_on_the_sum")
    })
}

fn gradients(who: &dyn Ask) -> Outcome {
    let (state, x) = example()?;
    let g = Tensor::new(&[[1f32, -2., 0.5, 1.], [-1., 0.3, 2., -0.7]], &Device::Cpu)?;
    let answer = who.ask(&question("gradients", &state, &x, "eval", 0.).tensor("g", &g))?;
    let said = |state: &State, x: &Tensor| -> Result<f64, Miss> {
        let y = forward(who, &question("forward", state, x, "eval", 0.))?;
        Ok(f64::from((y * &g)?.sum_all()?.to_scalar::<f32>()?))
    };
    let (step, tolerance, mut worst) = (1e-2, 2e-2, 0f64);
    let mut inputs = state.clone();
    inputs.insert("x".into(), x.clone());
    for (name, value) in inputs {
        let what = if name == "x" { "the features".to_string() } else { format!("`{name}`") };
        if !answer.tensors.contains_key(&name) {
            let expected = format!("a gradient for {what}");
            return Err(Miss::new(expected, "none: it would never learn").named("detached"));
        }
        let gradient = tensor(&answer, &name, &format!("the gradient of {what}"), value.dims())?;
        // Along a direction of alternating signs, the gradient says how the sum changes; two sums measure it.
        let count = value.elem_count();
        let signs: Vec<f32> = (0..count).map(|i| if i * i % 3 == 1 { -1. } else { 1. }).collect();
        let direction = Tensor::from_vec(signs, value.dims(), &Device::Cpu)?;
        let slope = f64::from((gradient * &direction)?.sum_all()?.to_scalar::<f32>()?);
        let at = |sign: f64| -> Result<f64, Miss> {
            let moved = (&value + (&direction * (sign * step))?)?;
            if name == "x" {
                return said(&state, &moved);
            }
            let mut state = state.clone();
            state.insert(name.clone(), moved);
            said(&state, &x)
        };
        let measured = (at(1.)? - at(-1.)?) / (2. * step);
        let off = (slope - measured).abs() / measured.abs().max(1.);
        worst = worst.max(off);
        within(off, tolerance, || {
            let expected = format!("the embeddings to change with {what} by {measured:.3} a step");
            let came = format!("a gradient that says {slope:.3}");
            Miss::new(expected, came).named("detached")
        })?;
    }
    within(worst, tolerance, || Miss::new("", ""))
}
