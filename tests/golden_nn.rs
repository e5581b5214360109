//! The layers, the optimiser and the scheduler against PyTorch's: `tests/golden/nn.py`.

mod common;

use candle_core::{DType, Tensor, Var};
use common::{Golden, assert_close, assert_one, backward, gradients, params};
use vision_language::Result;
use vision_language::nn::{
    AdamW, BatchNorm2d, Conv2d, Embedding, LayerNorm, Linear, Mode, ParamGroup, Params,
    ReduceLrOnPlateau, ops,
};

/// Single layers: sums of at most a few hundred products, in another order than PyTorch's. f32 rounds by 6e-8; twenty
/// to fifty roundings of one direction are allowed.
const TOLERANCE: f64 = 2e-6;

/// Runs a layer on its case's input: the output, the gradient of the input and of every parameter, the buffers after.
#[track_caller]
fn check(
    golden: &Golden,
    case: &str,
    params: &Params,
    forward: impl FnOnce(&Tensor) -> Result<Tensor>,
    tolerance: f64,
) {
    params.load_state_dict(&golden.all(case, "param")).unwrap();
    let x = golden.var(case, "x");
    let y = forward(x.as_tensor()).unwrap();
    assert_one(&format!("{case}: output"), &y, &golden.get(case, "out", "y"), tolerance);
    let grads = backward(&y, &golden.get(case, "in", "weight"));
    let got = gradients(&grads, params, &[("x", &x)]);
    assert_close(&format!("{case}: gradients"), &got, &golden.all(case, "grad"), tolerance);
    let mut after = params.state_dict();
    after.retain(|name, _| name.contains("running_"));
    if !after.is_empty() {
        assert_close(&format!("{case}: statistics"), &after, &golden.all(case, "after"), tolerance);
    }
}

#[test]
fn linear() {
    let g = Golden::load("nn");
    for case in ["linear", "linear_3d"] {
        let p = params();
        let layer = Linear::new(5, 7, &p).unwrap();
        check(&g, case, &p, |x| layer.forward(x), TOLERANCE);
    }
    let p = params();
    let layer = Linear::no_bias(5, 7, &p).unwrap();
    check(&g, "linear_no_bias", &p, |x| layer.forward(x), TOLERANCE);
}

#[test]
fn layer_norm() {
    let g = Golden::load("nn");
    // In the flat rows (values near 1 that differ by 1e-3) a difference keeps 4 digits of 7: 6e-8 / 1e-3, few times.
    let cases = [
        ("layer_norm", 10, 1e-5, TOLERANCE),
        ("layer_norm_3d", 6, 1e-12, TOLERANCE),
        ("layer_norm_flat", 6, 1e-5, 3e-4),
    ];
    for (case, features, eps, tolerance) in cases {
        let p = params();
        let layer = LayerNorm::new(features, eps, &p).unwrap();
        check(&g, case, &p, |x| layer.forward(x), tolerance);
    }
}

#[test]
fn embedding() {
    let (g, p) = (Golden::load("nn"), params());
    let layer = Embedding::new(9, 4, &p).unwrap();
    p.load_state_dict(&g.all("embedding", "param")).unwrap();
    let y = layer.forward(&g.ids("embedding", "x")).unwrap();
    assert_one("output", &y, &g.get("embedding", "out", "y"), 0.);
    let grads = backward(&y, &g.get("embedding", "in", "weight"));
    // Token 1 stands there three times: its rows add up.
    assert_close("gradients", &gradients(&grads, &p, &[]), &g.all("embedding", "grad"), TOLERANCE);
}

#[test]
fn convolution() {
    let g = Golden::load("nn");
    for (k, stride) in [(1, 1), (1, 2), (3, 1), (3, 2), (7, 1), (7, 2)] {
        let p = params();
        let layer = Conv2d::new(3, 5, k, stride, &p).unwrap();
        check(&g, &format!("conv_{k}_{stride}"), &p, |x| layer.forward(x), TOLERANCE);
    }
    let p = params();
    let layer = Conv2d::new(4, 2, 3, 2, &p).unwrap();
    check(&g, "conv_even", &p, |x| layer.forward(x), TOLERANCE);
}

#[test]
fn batch_norm() {
    let g = Golden::load("nn");
    let p = params();
    let layer = BatchNorm2d::new(4, &p).unwrap();
    check(&g, "batch_norm_eval", &p, |x| layer.forward(x, Mode::Eval), TOLERANCE);
    check(&g, "batch_norm_1", &p, |x| layer.forward(x, Mode::Train), TOLERANCE);
    // The second step without loading: our statistics of the first go on.
    let kept = p.state_dict();
    assert_close("carried over", &kept, &g.all("batch_norm_2", "param"), TOLERANCE);
    check(&g, "batch_norm_2", &p, |x| layer.forward(x, Mode::Train), TOLERANCE);

    // Mean 100, deviation 1: x − mean keeps 1e-5 of its size at worst (6e-8 · 100), the outputs a few times that. A
    // variance by E[x²] − E[x]² would be off by 1e-3.
    let p = params();
    let layer = BatchNorm2d::new(2, &p).unwrap();
    check(&g, "batch_norm_far", &p, |x| layer.forward(x, Mode::Train), 3e-5);
}

#[test]
fn pooling_and_activations() {
    let g = Golden::load("nn");
    for case in ["max_pool", "max_pool_even"] {
        check(&g, case, &params(), |x| ops::max_pool2d(x, 3, 2, 1), TOLERANCE);
    }
    check(&g, "global_pool", &params(), ops::global_avg_pool, TOLERANCE);
    check(&g, "gelu", &params(), ops::gelu, TOLERANCE);
    // Exact: the gradient at 0 and −0 is 0.
    check(&g, "relu", &params(), ops::relu, 0.);
}

#[test]
fn adamw() {
    let (g, p) = (Golden::load("nn"), params());
    let start = g.all("adamw", "param");
    for (name, value) in &start {
        p.get(value.dims(), name, vision_language::nn::Init::Const(0.)).unwrap();
    }
    p.load_state_dict(&start).unwrap();
    let group = |name: &str, lr, weight_decay| ParamGroup {
        name: name.into(),
        params: p.pp(name).all(),
        lr,
        weight_decay,
    };
    let mut optimizer = AdamW::new(vec![group("a", 1e-1, 1e-2), group("b", 1e-3, 0.)]);
    for step in 1..=5 {
        let mut loss = Tensor::new(0f32, p.device()).unwrap();
        for param in p.all() {
            let target = g.get("adamw", "in", param.name());
            let square = (param.tensor() - target).unwrap().sqr().unwrap().sum_all().unwrap();
            loss = (loss + square).unwrap();
        }
        optimizer.backward_step(&loss).unwrap();
        let expected = g.all(&format!("adamw_{step}"), "after");
        // Of five steps of 0.1 on values near 1: each step's length, √v of f32 moments, is within 1e-5.
        assert_close(&format!("step {step}"), &p.state_dict(), &expected, 5e-6);
        // The way, not only where it leads: `b` moves by 1e-3 a step, which f32 keeps to 1e-4 of it.
        let moved = |now: &Tensor| (now - &start["b"]).unwrap();
        let (got, expected) = (p.state_dict()["b"].clone(), expected["b"].clone());
        assert_one(&format!("step {step}: way"), &moved(&got), &moved(&expected), 2e-4);
    }
}

#[test]
fn plateau() {
    let g = Golden::load("nn");
    let losses = g.get("plateau", "in", "losses").to_vec1::<f64>().unwrap();
    let rates = g.get("plateau", "out", "y").to_vec1::<f64>().unwrap();
    assert!(rates.windows(2).filter(|w| w[0] != w[1]).count() >= 2, "the fixture lowers it");
    let group = ParamGroup { name: "all".into(), params: vec![], lr: 1., weight_decay: 0. };
    let mut optimizer = AdamW::new(vec![group]);
    let mut scheduler = ReduceLrOnPlateau::new(1, 0.8);
    for (i, (loss, expected)) in losses.iter().zip(rates).enumerate() {
        scheduler.step(*loss, &mut optimizer);
        let rate = optimizer.groups()[0].lr;
        assert!((rate - expected).abs() < 1e-12, "after loss {i}: {rate}, expected {expected}");
    }
}

/// The comparison itself: it fails on a wrong value, a wrong name and a missing gradient, and names it.
#[test]
fn the_comparison_can_fail() {
    let message = |f: fn()| {
        let error = std::panic::catch_unwind(f).expect_err("no failure");
        error.downcast_ref::<String>().unwrap().clone()
    };
    let wrong = message(|| {
        let t = |v: f32| Tensor::new(&[1f32, v], &candle_core::Device::Cpu).unwrap();
        let one = |v| std::collections::BTreeMap::from([("fc.weight".to_string(), t(v))]);
        assert_close("test", &one(0.5), &one(0.5001), 1e-5);
    });
    assert!(wrong.contains("fc.weight"), "{wrong}");
    let missing = message(|| {
        let p = params();
        p.get(3, "unused", vision_language::nn::Init::Const(1.)).unwrap();
        let x = Var::ones(2, DType::F32, p.device()).unwrap();
        gradients(&x.as_tensor().sum_all().unwrap().backward().unwrap(), &p, &[("x", &x)]);
    });
    assert!(missing.contains("unused"), "{missing}");
}
