//! The worked numbers of `tests/golden/exercises.py`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use candle_core::{Device, Tensor};
use serde_json::Value;

use super::{Miss, distance};
use crate::exercise::hint;

/// The part of `goldens.json` that belongs to an exercise.
pub(super) fn of(id: &str) -> &'static Value {
    static GOLDENS: OnceLock<Value> = OnceLock::new();
    let json = include_str!("goldens.json");
    &GOLDENS.get_or_init(|| serde_json::from_str(json).expect("goldens.json is JSON"))[id]
}

/// A list of numbers as a tensor.
pub(super) fn values(json: &Value, dims: &[usize]) -> Result<Tensor, Miss> {
    let numbers: Vec<f32> =
        json.as_array().into_iter().flatten().map(|v| v.as_f64().unwrap_or(0.) as f32).collect();
    Ok(Tensor::from_vec(numbers, dims, &Device::Cpu)?)
}

/// The named tensors with a shape each.
pub(super) fn state(json: &Value) -> Result<BTreeMap<String, Tensor>, Miss> {
    let mut state = BTreeMap::new();
    for (name, entry) in json.as_object().into_iter().flatten() {
        let dims: Vec<usize> =
            serde_json::from_value(entry["shape"].clone()).map_err(crate::Error::from)?;
        state.insert(name.clone(), values(&entry["values"], &dims)?);
    }
    Ok(state)
}

/// The misconception whose numbers these are: the nearest, if it is within `tolerance`.
pub(super) fn recognised(
    id: &str,
    case: &str,
    came: &Tensor,
    tolerance: f64,
) -> Result<Option<&'static str>, Miss> {
    let mut nearest: Option<(f64, &'static str)> = None;
    for (name, numbers) in of(id)[case].as_object().into_iter().flatten() {
        // Two ways to the same misconception differ by a space.
        let Some(name) = hint::known(id, name.trim_end()) else { continue };
        let far = distance(came, &values(numbers, came.dims())?)?;
        if far <= tolerance && nearest.is_none_or(|(least, _)| far < least) {
            nearest = Some((far, name));
        }
    }
    Ok(nearest.map(|(_, name)| name))
}
