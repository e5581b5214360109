//! The checks of `freeze_lm`.

use std::collections::BTreeSet;

use candle_core::{DType, Device, Tensor};
use serde_json::json;

use super::{Check, Miss, Outcome, number, tensor};
use crate::exercise::ask::{Answer, Ask, Question};
use crate::exercise::report::Status;

const ID: &str = "freeze_lm";

pub(super) const CHECKS: &[Check] = &[
    Check { id: "values", name: "Freezing changes no value", points: 2, gate: true, run: values },
    Check {
        id: "frozen",
        name: "No parameter of the language model trains afterwards",
        points: 4,
        gate: false,
        run: frozen,
    },
    Check {
        id: "gradients",
        name: "A gradient still passes through the model to what stands before it",
        points: 2,
        gate: false,
        run: gradients,
    },
    Check {
        id: "again",
        name: "What is frozen stays frozen when it is frozen again",
        points: 2,
        gate: false,
        run: again,
    },
];

/// A language model of two layers; `freeze_lm` is called this often.
fn asked(who: &dyn Ask, times: usize) -> Result<Answer, Miss> {
    let config = json!({
        "vocab_size": 7, "n_positions": 8, "n_embd": 4, "n_layer": 2, "n_head": 2,
        "layer_norm_epsilon": 1e-5, "dropout": 0.0
    });
    let prefix = Tensor::new(&[[[0.5f32, -1., 2., 0.], [1., 1., -1., 0.5]]], &Device::Cpu)?;
    let ids = Tensor::new(&[[3u32, 1, 4]], &Device::Cpu)?;
    let question = Question::new(ID, "trainable").seed(5).word("config", config);
    let question = question.word("times", times).tensor("prefix", &prefix);
    Ok(who.ask(&question.tensor("input_ids", &ids))?)
}

fn list(answer: &Answer, name: &str) -> Result<Vec<String>, Miss> {
    let json = answer.words.get(name).map(String::as_str).unwrap_or("[]");
    Ok(serde_json::from_str(json).map_err(crate::Error::from)?)
}

/// The language model's names among those that still train.
fn left(answer: &Answer) -> Result<Vec<String>, Miss> {
    let mut names = list(answer, "trainable")?;
    names.retain(|name| name.starts_with("text_encoder."));
    Ok(names)
}

fn some(names: &[String]) -> String {
    let more = if names.len() > 3 { ", …" } else { "" };
    let first: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    format!("{}{more}", first.join(", "))
}

fn values(who: &dyn Ask) -> Outcome {
    let changed = list(&asked(who, 1)?, "changed")?;
    if changed.is_empty() {
        return Ok(None);
    }
    let came = format!("{} of them changed: {}", changed.len(), some(&changed));
    Err(Miss::new("the values of the pretrained model as they were", came).named("values_changed"))
}

/// How many parameters the model of the question has.
const ALL: usize = 28;

fn frozen(who: &dyn Ask) -> Outcome {
    let left = left(&asked(who, 1)?)?;
    if left.is_empty() {
        return Ok(None);
    }
    let all = |of: &dyn Fn(&str) -> bool| left.iter().all(|name| of(name));
    let name = if left.len() == ALL {
        "nothing_frozen"
    } else if all(&|name| name.contains(".ln_")) {
        "norms_left"
    } else if all(&|name| name.contains(".wte.") || name.contains(".wpe.")) {
        "embeddings_left"
    } else if left.len() > 1 && all(&|name| name.ends_with("bias")) {
        "biases_left"
    } else {
        "some_left"
    };
    let came = format!("{} of {ALL} still train: {}", left.len(), some(&left));
    Err(Miss::new("none of its parameters trains", came).named(name))
}

fn gradients(who: &dyn Ask) -> Outcome {
    let answer = asked(who, 1)?;
    if !answer.tensors.contains_key("prefix") {
        let came = "none";
        return Err(Miss::new("a gradient for the prefix before the text", came));
    }
    let gradient = tensor(&answer, "prefix", "the gradient of the prefix", &[1, 2, 4])?;
    let size = gradient.to_dtype(DType::F64)?.abs()?.sum_all()?.to_scalar::<f64>()?;
    if size == 0. {
        let miss = Miss::new("a gradient for the prefix before the text", number(size));
        return Err(miss.named("values_changed"));
    }
    let reached: BTreeSet<&String> =
        answer.tensors.keys().filter(|name| name.starts_with("text_encoder.")).collect();
    if let Some(name) = reached.first() {
        let came = format!("one for {} of its parameters, such as {name}", reached.len());
        return Err(Miss::new("no gradient for the language model itself", came));
    }
    Ok(None)
}

fn again(who: &dyn Ask) -> Outcome {
    let once = left(&asked(who, 1)?)?.len();
    let twice = asked(who, 2).map_err(|miss| match miss.status {
        Status::Error | Status::Panic => {
            Miss { expected: "no complaint when it is called a second time".into(), ..miss }
        }
        _ => miss,
    })?;
    let twice = left(&twice)?;
    if twice.is_empty() {
        return Ok(None);
    }
    let came = format!("{} of {ALL} train after the second call: {}", twice.len(), some(&twice));
    let miss = Miss::new("none trains, however often it is called", came);
    Err(miss.named((once != twice.len()).then_some("toggled")))
}
