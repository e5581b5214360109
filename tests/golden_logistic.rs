//! The linear probe against scikit-learn's `LogisticRegression` (`tests/golden/logistic.py`).

use std::path::Path;

use vision_language::candle_core::{DType, Tensor};
use vision_language::checkpoint::load_safetensors;
use vision_language::clip::probe::{Lbfgs, LinearProbe, ProbeOptions};

fn far(a: &Tensor, b: &Tensor) -> f64 {
    (a - b).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar().unwrap()
}

#[test]
fn the_minimum_is_scikit_learns() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/logistic.safetensors");
    let golden = load_safetensors(&path).unwrap();
    let x = golden["x"].to_dtype(DType::F64).unwrap();
    let labels: Vec<usize> =
        golden["labels"].to_vec1::<u32>().unwrap().into_iter().map(|l| l as usize).collect();
    let (train, test) = (x.narrow(0, 0, 90).unwrap(), x.narrow(0, 90, 40).unwrap());
    for (name, c) in [("0.03", 0.03), ("1", 1.), ("30", 30.)] {
        let minimiser = Lbfgs { tolerance: 1e-8, max_iterations: 5000, ..Lbfgs::default() };
        let probe =
            LinearProbe::fit(&train, &labels[..90], 4, &ProbeOptions { c, minimiser }, None)
                .unwrap();
        assert!(probe.converged, "C = {name}: {} steps", probe.iterations);
        // The penalty's curvature is 1 / (C n) at least: 3.7e-4 where C is 30, so that a gradient of 1e-8 is 3e-5 of the
        // weights at worst; the limit of 1e-5 is met. A line search by values sees no descent much nearer in float64.
        let weight = far(&probe.weight, &golden[&format!("weight.{name}")]);
        assert!(weight < 1e-5, "C = {name}: weights {weight}");
        let mean = probe.bias.mean_all().unwrap();
        let bias = far(&probe.bias.broadcast_sub(&mean).unwrap(), &golden[&format!("bias.{name}")]);
        assert!(bias < 1e-5, "C = {name}: bias {bias}");
        let probabilities = &golden[&format!("probabilities.{name}")].to_vec2::<f64>().unwrap();
        for (found, row) in probe.predict(&test).unwrap().iter().zip(probabilities) {
            for (class, expected) in row.iter().enumerate() {
                // Probabilities are given back in f32.
                let far = (f64::from(found.probability(class)) - expected).abs();
                assert!(far < 1e-6, "C = {name}, class {class}: {far}");
            }
        }
    }
}
