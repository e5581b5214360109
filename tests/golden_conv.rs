//! Convolutions in groups against PyTorch's: `tests/golden/conv.py`.

mod common;

use common::{Golden, assert_close, assert_one, backward, gradients, params};
use vision_language::nn::Conv2d;

/// Sums of at most 2 · 108 products (a weight's gradient), in another order than PyTorch's: as in `golden_nn.rs`.
const TOLERANCE: f64 = 2e-6;

#[test]
fn grouped_and_depthwise() {
    let g = Golden::load("conv");
    for (case, inp, out, k, stride, groups, padding) in [
        ("groups", 6, 9, 3, 1, 3, 1),
        ("groups_2", 4, 6, 3, 2, 2, 1),
        ("depthwise_3_1", 5, 5, 3, 1, 5, 1),
        ("depthwise_3_2", 5, 5, 3, 2, 5, 1),
        ("depthwise_5_1", 4, 4, 5, 1, 4, 2),
        ("depthwise_5_2", 4, 4, 5, 2, 4, 2),
        ("depthwise_double", 3, 6, 3, 1, 3, 1),
        ("no_padding", 3, 4, 3, 2, 1, 0),
        ("stride_over_kernel", 5, 4, 1, 3, 1, 0),
        ("stride_3", 3, 4, 2, 3, 1, 1),
    ] {
        let p = params();
        let layer = Conv2d::grouped(inp, out, k, stride, groups, &p).unwrap();
        let layer = layer.with_padding(padding);
        p.load_state_dict(&g.all(case, "param")).unwrap();
        let x = g.var(case, "x");
        let y = layer.forward(x.as_tensor()).unwrap();
        assert_one(&format!("{case}: output"), &y, &g.get(case, "out", "y"), TOLERANCE);
        let grads = backward(&y, &g.get(case, "in", "weight"));
        let got = gradients(&grads, &p, &[("x", &x)]);
        assert_close(&format!("{case}: gradients"), &got, &g.all(case, "grad"), TOLERANCE);
    }
}

#[test]
fn groups_that_do_not_fit_are_named() {
    for groups in [0, 4, 9] {
        let error = Conv2d::grouped(6, 9, 3, 1, groups, &params()).unwrap_err().to_string();
        assert!(error.contains("a divisor of 6 and of 9"), "{error}");
    }
}
