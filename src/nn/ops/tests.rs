//! Our CPU operations against candle's own, values and gradients. (PyTorch's are in `tests/golden_nn.rs`.)

use candle_core::{Device, Tensor, Var};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::Result;

fn random(shape: &[usize], seed: u64) -> Var {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values: Vec<f32> =
        (0..shape.iter().product()).map(|_| crate::nn::normal(&mut rng)).collect();
    Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu).unwrap()).unwrap()
}

/// Both functions give the same values, and the same gradients of `Σ y ⊙ r` to every input. Sums of a few hundred f32
/// products in another order differ by some 1e-6 of their size: 2e-5 of the largest entry is allowed.
fn same(
    inputs: &[Var],
    f: impl Fn(&[Tensor]) -> Result<Tensor>,
    g: impl Fn(&[Tensor]) -> Result<Tensor>,
) {
    let tensors: Vec<Tensor> = inputs.iter().map(|v| v.as_tensor().clone()).collect();
    let (a, b) = (f(&tensors).unwrap(), g(&tensors).unwrap());
    close("values", &a, &b);
    let r = random(a.dims(), 99);
    let grads = |y: Tensor| (y * r.as_tensor()).unwrap().sum_all().unwrap().backward().unwrap();
    let (ga, gb) = (grads(a), grads(b));
    for (i, x) in tensors.iter().enumerate() {
        let name = format!("gradient of input {i}");
        close(&name, ga.get(x).expect("a gradient of ours"), gb.get(x).expect("candle's gradient"));
    }
}

fn close(what: &str, a: &Tensor, b: &Tensor) {
    assert_eq!(a.dims(), b.dims(), "{what}");
    let max = |t: &Tensor| {
        t.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap()
    };
    let (error, size) = (max(&(a - b).unwrap()), max(b));
    assert!(error <= 2e-5 * size.max(1e-3), "{what}: differ by {error} of {size}");
}

#[test]
fn conv2d_is_candles() {
    for (b, c, o, side, k, stride) in [
        (5, 3, 8, 17, 3, 2),
        (2, 4, 6, 9, 3, 1),
        (9, 8, 4, 5, 1, 1),
        (3, 6, 5, 8, 1, 2),
        (2, 3, 4, 21, 7, 2),
        (33, 16, 16, 4, 3, 1),
    ] {
        let inputs = [random(&[b, c, side, side + 2], 1), random(&[o, c, k, k], 2)];
        same(
            &inputs,
            |t| conv2d(&t[0], &t[1], stride, k / 2),
            |t| Ok(t[0].conv2d(&t[1], k / 2, stride, 1, 1)?),
        );
    }
}

#[test]
fn batch_norm_is_the_composed_one() {
    let inputs = [random(&[7, 5, 6, 3], 1), random(&[5], 2), random(&[5], 3)];
    same(
        &inputs,
        |t| {
            let (mean, var) = channel_moments(&t[0])?;
            batch_norm(&t[0], &t[1], &t[2], &mean, &var, 1e-5)
        },
        |t| fallback::batch_norm(&t[0], &t[1], &t[2], 1e-5),
    );
    same(
        &inputs,
        |t| scale_channels(&t[0], &t[1], &t[2]),
        |t| {
            let column = |t: &Tensor| t.reshape((1, 5, 1, 1));
            Ok(t[0].broadcast_mul(&column(&t[1])?)?.broadcast_add(&column(&t[2])?)?)
        },
    );
}

#[test]
fn rows_are_the_composed_ones() {
    let inputs = [random(&[130, 48], 1), random(&[48], 2), random(&[48], 3)];
    same(
        &inputs,
        |t| layer_norm(&t[0], &t[1], &t[2], 1e-5),
        |t| fallback::layer_norm(&t[0], &t[1], &t[2], 1e-5),
    );
    same(&inputs[..2], |t| add_bias(&t[0], &t[1]), |t| Ok(t[0].broadcast_add(&t[1])?));
}

#[test]
fn activations_and_pooling_are_the_composed_ones() {
    let x = [random(&[3, 4, 11, 8], 1)];
    same(&x, |t| relu(&t[0]), |t| fallback::relu(&t[0]));
    same(&x, |t| gelu(&t[0]), |t| Ok(t[0].gelu_erf()?));
    same(&x, |t| max_pool2d(&t[0], 3, 2, 1), |t| fallback::max_pool2d(&t[0], 3, 2, 1));
    same(&x, |t| max_pool2d(&t[0], 2, 2, 0), |t| fallback::max_pool2d(&t[0], 2, 2, 0));
}

#[test]
fn gelu_is_right_far_out() {
    let x =
        Tensor::new(&[-200f32, -20., -6., -1e-6, 0., 1e-6, 6., 20., 200.], &Device::Cpu).unwrap();
    let y: Vec<f32> = gelu(&x).unwrap().to_vec1().unwrap();
    let want = [0., 0., -5.9193e-9, -5e-7, 0., 5e-7, 6., 20., 200.];
    for (y, want) in y.iter().zip(want) {
        assert!((y - want).abs() <= 1e-6 * f32::abs(want).max(1.), "{y} {want}");
    }
}
