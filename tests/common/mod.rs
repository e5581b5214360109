//! Tensors that PyTorch wrote (`tests/golden/*.py`), and comparison with them, name by name.
#![allow(dead_code)] // Each test file uses a part of it.

pub mod formula;

use std::collections::BTreeMap;
use std::path::Path;

use vision_language::candle_core::backprop::GradStore;
use vision_language::candle_core::{DType, Device, Tensor, Var};
use vision_language::checkpoint::{StateDict, load_safetensors};
use vision_language::nn::Params;

/// One file of fixtures: tensors named `case/what/name`.
pub struct Golden(StateDict);

impl Golden {
    /// `tests/golden/NAME.safetensors`
    pub fn load(name: &str) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = if here.ends_with("solutions") { here.parent().unwrap() } else { here };
        Self(load_safetensors(&root.join(format!("tests/golden/{name}.safetensors"))).unwrap())
    }

    /// Everything of `case` under `what`, by name.
    #[track_caller]
    pub fn all(&self, case: &str, what: &str) -> StateDict {
        let prefix = format!("{case}/{what}/");
        let below = |(key, value): (&String, &Tensor)| {
            key.strip_prefix(&prefix).map(|name| (name.to_string(), value.clone()))
        };
        self.0.iter().filter_map(below).collect()
    }

    /// One tensor.
    #[track_caller]
    pub fn get(&self, case: &str, what: &str, name: &str) -> Tensor {
        let key = format!("{case}/{what}/{name}");
        self.0.get(&key).unwrap_or_else(|| panic!("no `{key}` in the fixtures")).clone()
    }

    /// An input as a variable, so that it has a gradient.
    #[track_caller]
    pub fn var(&self, case: &str, name: &str) -> Var {
        Var::from_tensor(&self.get(case, "in", name)).unwrap()
    }

    /// An input of whole numbers, as token ids and masks are here.
    #[track_caller]
    pub fn ids(&self, case: &str, name: &str) -> Tensor {
        self.get(case, "in", name).to_dtype(DType::U32).unwrap()
    }
}

/// An empty tree of parameters on the CPU.
pub fn params() -> Params {
    Params::new(&Device::Cpu, 0)
}

/// The largest absolute value; 0 for no values.
pub fn largest(x: &Tensor) -> f64 {
    let values = x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
    assert!(values.iter().all(|v| v.is_finite()), "a value is not finite");
    values.iter().fold(0., |m, v| m.max(v.abs()))
}

/// Differentiates `Σ weight ⊙ y`.
pub fn backward(y: &Tensor, weight: &Tensor) -> GradStore {
    (y * weight).unwrap().sum_all().unwrap().backward().unwrap()
}

/// Gradients by name of every trainable parameter of `params`, and of `inputs`.
///
/// Fails with the names of those that have none.
#[track_caller]
pub fn gradients(grads: &GradStore, params: &Params, inputs: &[(&str, &Var)]) -> StateDict {
    let params = params.trainable();
    let named = params.iter().map(|p| (p.name(), p.var()));
    let all: Vec<(&str, &Var)> = named.chain(inputs.iter().copied()).collect();
    let (mut found, mut none) = (StateDict::new(), vec![]);
    for (name, var) in all {
        match grads.get(var.as_tensor()) {
            Some(grad) => drop(found.insert(name.to_string(), grad.clone())),
            None => none.push(name.to_string()),
        }
    }
    assert!(none.is_empty(), "no gradient reaches {}", none.join(", "));
    found
}

/// Every name the same, every shape the same, and every tensor within `tolerance`, as a part of its largest entry.
///
/// A tensor that is tiny beside the others (the gradient of DistilBERT's `k_lin.bias` is zero but for rounding) is
/// measured by a thousandth of the largest entry of all. Fails listing the worst; prints the worst in any case.
#[track_caller]
pub fn assert_close(what: &str, got: &StateDict, expected: &StateDict, tolerance: f64) {
    assert_eq!(names(got), names(expected), "{what}: names");
    let of_all = expected.values().map(largest).fold(0., f64::max);
    let mut errors: Vec<(f64, &str)> = vec![];
    for (name, expected) in expected {
        let got = &got[name];
        assert_eq!(got.dims(), expected.dims(), "{what}: shape of `{name}`");
        let size = largest(expected).max(1e-3 * of_all).max(f64::MIN_POSITIVE);
        let difference =
            (got.to_dtype(DType::F64).unwrap() - expected.to_dtype(DType::F64).unwrap()).unwrap();
        errors.push((largest(&difference) / size, name));
    }
    errors.sort_by(|a, b| b.0.total_cmp(&a.0));
    let worst = errors.first().expect("nothing to compare");
    println!("{what}: {} tensors, worst {:.1e} at `{}`", errors.len(), worst.0, worst.1);
    let list: Vec<_> = errors
        .iter()
        .filter(|e| e.0 > tolerance)
        .take(8)
        .map(|(e, name)| format!("`{name}` by {e:.1e}"))
        .collect();
    assert!(
        list.is_empty(),
        "{what}: off by more than {tolerance:.0e} of the largest entry: {}",
        list.join(", ")
    );
}

/// [`assert_close`] for one tensor.
#[track_caller]
pub fn assert_one(what: &str, got: &Tensor, expected: &Tensor, tolerance: f64) {
    let one = |t: &Tensor| BTreeMap::from([("y".to_string(), t.clone())]);
    assert_close(what, &one(got), &one(expected), tolerance);
}

fn names(state: &StateDict) -> Vec<&String> {
    state.keys().collect()
}
