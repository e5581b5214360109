//! The checks of `zero_shot_classifier`.

use candle_core::{Device, Tensor};
use serde_json::Value;

use super::goldens::{self, recognised};
use super::{Check, Miss, Outcome, distance, list, number, tensor, within};
use crate::exercise::ask::{Ask, Question};
use crate::exercise::report::Status;

const ID: &str = "zero_shot_classifier";

/// Numbers of length 1 in f32, rounded to seven digits in the goldens.
const TOLERANCE: f64 = 1e-4;

pub(super) const CHECKS: &[Check] = &[
    Check { id: "rows", name: "A row a class comes back", points: 1, gate: true, run: rows },
    Check {
        id: "sentences",
        name: "The text encoder gets each template with the class's name in it",
        points: 2,
        gate: true,
        run: sentences,
    },
    Check { id: "unit", name: "Every row has length 1", points: 2, gate: false, run: unit },
    Check {
        id: "mean",
        name: "A class is the mean of its sentences' directions: each counts the same",
        points: 3,
        gate: false,
        run: mean,
    },
    Check { id: "order", name: "Row i belongs to class i", points: 1, gate: false, run: order },
    Check {
        id: "one",
        name: "One template and one class are an ensemble, too",
        points: 1,
        gate: false,
        run: one,
    },
];

fn question(names: &[&str], templates: &[&str], texts: &[String], table: &Tensor) -> Question {
    let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    Question::new(ID, "build")
        .list("class_names", &owned(names))
        .list("templates", &owned(templates))
        .list("texts", texts)
        .tensor("table", table)
}

/// The sentences of all classes, class by class.
fn filled(names: &[&str], templates: &[&str]) -> Vec<String> {
    let of = |name: &str, template: &str| template.replace("{label}", name);
    names.iter().flat_map(|name| templates.iter().map(move |t| of(name, t))).collect()
}

/// The worked example.
fn worked() -> Result<Question, Miss> {
    let golden = goldens::of(ID);
    let strings = |key: &str| -> Vec<String> {
        let list = golden[key].as_array().into_iter().flatten();
        list.filter_map(Value::as_str).map(String::from).collect()
    };
    Ok(Question::new(ID, "build")
        .list("class_names", &strings("class_names"))
        .list("templates", &strings("templates"))
        .list("texts", &strings("texts"))
        .tensor("table", &goldens::values(&golden["table"], &[9, 4])?))
}

/// What was asked for that is no class's name in a template.
fn stranger(miss: Miss) -> Miss {
    let Some((_, text)) = miss.came.split_once("a class's name in a template, got ") else {
        return miss;
    };
    let text = text.trim_matches('"').replace("\\\"", "\"");
    let bare = ["dog", "cat", "boat", "hot dog", "UFO", "tree"].contains(&text.as_str());
    let name = match text.as_str() {
        t if t.contains("{label}") && (t.contains("dog") || t.contains("UFO")) => "filled_once",
        t if t.contains("{label}") => "template_not_filled",
        t if t.contains('{') || t.contains('}') => "braces_left",
        _ if bare => "bare_label",
        _ => "text_changed",
    };
    let expected = "sentences such as \"a photo of a dog.\", the templates with the names in them";
    Miss { expected: expected.into(), came: format!("{text:?}"), ..miss }.named(name)
}

fn rows(who: &dyn Ask) -> Outcome {
    // Whatever is asked for has an embedding, so that only the shape is in question.
    let (names, templates) =
        (["dog", "cat", "boat"], ["a photo of a {label}.", "{label} at night"]);
    let mut texts = filled(&names, &templates);
    texts.extend(names.iter().chain(&templates).map(ToString::to_string));
    let values: Vec<f32> = (0..texts.len() * 4).map(|i| (i as f32 * 1.7).sin()).collect();
    let table = Tensor::from_vec(values, (texts.len(), 4), &Device::Cpu)?;
    let answer = who.ask(&question(&names, &templates, &texts, &table)).map_err(Miss::from);
    let answer = answer.map_err(|miss| match miss.status {
        Status::Error if miss.came.contains("a class's name in a template") => stranger(miss),
        _ => miss,
    })?;
    tensor(&answer, "weights", "the classifier", &[3, 4]).map_err(|miss| {
        let dims = answer.tensors.get("weights").map(|w| w.dims().to_vec());
        let name = match dims.as_deref() {
            Some([4, 3]) => Some("columns"),
            Some([6, 4] | [3, 2, 4] | [2, 3, 4]) => Some("not_averaged"),
            Some([4] | [1, 4]) => Some("classes_averaged"),
            Some([2, 4]) => Some("classes_mixed_up"),
            _ => None,
        };
        miss.named(name)
    })?;
    Ok(None)
}

fn sentences(who: &dyn Ask) -> Outcome {
    // Capitals, several words, the place twice, and at the sentence's end.
    let names = ["hot dog", "UFO", "tree"];
    let templates = ["A photo of the {label}!", "{label}, a kind of {label}", "there is a {label}"];
    let texts = filled(&names, &templates);
    let values: Vec<f32> = (0..texts.len() * 4).map(|i| (i as f32 * 0.9).cos()).collect();
    let table = Tensor::from_vec(values, (texts.len(), 4), &Device::Cpu)?;
    who.ask(&question(&names, &templates, &texts, &table)).map_err(|e| stranger(e.into()))?;
    Ok(None)
}

fn unit(who: &dyn Ask) -> Outcome {
    let answer = who.ask(&worked()?)?;
    let weights = tensor(&answer, "weights", "the classifier", &[3, 4])?;
    let lengths = weights.sqr()?.sum(1)?.sqrt()?.to_vec1::<f32>()?;
    let off = |length: &f32| (f64::from(*length) - 1.).abs();
    let worst = lengths.iter().map(off).fold(0., f64::max);
    let name = recognised(ID, "general", &weights, TOLERANCE)?
        .filter(|name| ["not_normalised", "wrong_axis"].contains(name))
        .unwrap_or("not_unit_length");
    within(worst, TOLERANCE, || {
        let shown: Vec<String> = lengths.iter().map(|l| number(f64::from(*l))).collect();
        Miss::new("rows of length 1", format!("rows of length {}", shown.join(", "))).named(name)
    })
}

fn mean(who: &dyn Ask) -> Outcome {
    let answer = who.ask(&worked()?)?;
    let weights = tensor(&answer, "weights", "the classifier", &[3, 4])?;
    let right = goldens::values(&goldens::of(ID)["general"]["right"], &[3, 4])?;
    // Only the direction is in question: the length is another check's.
    let lengths = weights.sqr()?.sum_keepdim(1)?.sqrt()?;
    let turned = weights.broadcast_div(&(lengths + 1e-12)?)?;
    let far = distance(&turned, &right)?;
    let name = match recognised(ID, "general", &weights, TOLERANCE)? {
        None => recognised(ID, "general", &turned, TOLERANCE)?,
        found => found,
    };
    let (first, came) = (list(&right.get(0)?)?, list(&turned.get(0)?)?);
    within(far, TOLERANCE, || {
        Miss::new(format!("{first} for the class `dog`"), came)
            .named(name.filter(|name| !["not_unit_length", "not_normalised"].contains(name)))
    })
}

fn order(who: &dyn Ask) -> Outcome {
    // Orthogonal classes, in no order of the alphabet.
    let (names, templates) = (["tree", "boat", "cat", "dog"], ["a {label}", "one {label}"]);
    let texts = filled(&names, &templates);
    let mut values = vec![0f32; 8 * 4];
    for row in 0..8 {
        values[row * 4 + row / 2] = 1. + row as f32;
    }
    let table = Tensor::from_vec(values, (8, 4), &Device::Cpu)?;
    let answer = who.ask(&question(&names, &templates, &texts, &table))?;
    let rows = tensor(&answer, "weights", "the classifier", &[4, 4])?.to_vec2::<f32>()?;
    let class = |row: &Vec<f32>| {
        let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        best.map_or("", |(at, _)| names[at])
    };
    let came: Vec<&str> = rows.iter().map(class).collect();
    if came == names {
        return Ok(None);
    }
    let miss = Miss::new(format!("rows for {}", names.join(", ")), came.join(", "));
    // With one name twice it is no question of order.
    let mut different = came.clone();
    different.sort_unstable();
    different.dedup();
    Err(miss.named((different.len() == 4).then_some("rows_mixed_up")))
}

fn one(who: &dyn Ask) -> Outcome {
    for (names, templates) in [
        (&["cat", "dog"][..], &["a {label}"][..]),
        (&["cat"][..], &["a {label}", "one {label}"][..]),
    ] {
        let texts = filled(names, templates);
        // Both sentences of the cat point the same way.
        let values = if names.len() == 2 { [3f32, 4., 0., 2.] } else { [3., 4., 6., 8.] };
        let table = Tensor::from_vec(values.to_vec(), (2, 2), &Device::Cpu)?;
        let answer = who.ask(&question(names, templates, &texts, &table))?;
        let dims = [names.len(), 2];
        let weights = tensor(&answer, "weights", "the classifier", &dims)?;
        let right = [0.6f32, 0.8, 0., 1.][..2 * names.len()].to_vec();
        let right = Tensor::from_vec(right, &dims, &Device::Cpu)?;
        let far = distance(&weights, &right)?;
        let (expected, came) = (list(&right)?, list(&weights)?);
        within(far, TOLERANCE, || Miss::new(expected, came))?;
    }
    Ok(None)
}
