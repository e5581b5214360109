//! Our CPU operations against candle's own, values and gradients. (PyTorch's are in `tests/golden_nn.rs`.)

use candle_core::{DType, Device, Tensor, Var};
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
    for (b, c, o, side, k, stride, groups) in [
        (5, 3, 8, 17, 3, 2, 1),
        (2, 4, 6, 9, 3, 1, 1),
        (9, 8, 4, 5, 1, 1, 1),
        (3, 6, 5, 8, 1, 2, 1),
        (2, 3, 4, 21, 7, 2, 1),
        (33, 16, 16, 4, 3, 1, 1),
        // Several blocks of rows; several panels of outputs; a picture smaller than the kernel. (Strides above 2 are in
        // `golden_conv.rs`: candle's backward pass wants pictures whose sides leave the same remainder.)
        (1, 70, 3, 40, 3, 1, 1),
        (2, 3, 150, 6, 3, 2, 1),
        (1, 2, 2, 1, 3, 1, 1),
        // Groups of several channels; depthwise with one output a channel, and with two.
        (3, 6, 9, 8, 3, 1, 3),
        (2, 4, 4, 9, 1, 1, 2),
        (3, 5, 5, 9, 3, 1, 5),
        (2, 7, 7, 12, 5, 2, 7),
        (4, 3, 6, 7, 3, 2, 3),
    ] {
        let inputs = [random(&[b, c, side, side + 2], 1), random(&[o, c / groups, k, k], 2)];
        same(
            &inputs,
            |t| conv2d(&t[0], &t[1], stride, k / 2, groups),
            |t| Ok(t[0].conv2d(&t[1], k / 2, stride, 1, groups)?),
        );
    }
}

#[test]
fn conv2d_names_what_does_not_fit() {
    let (x, w) = (random(&[2, 6, 5, 5], 1), random(&[4, 3, 3, 3], 2));
    for (groups, padding) in [(1, 1), (3, 1), (0, 1)] {
        let error = conv2d(x.as_tensor(), w.as_tensor(), 1, padding, groups).unwrap_err();
        assert!(error.to_string().contains(&format!("in {groups} groups")), "{error}");
    }
    let small = random(&[2, 6, 2, 5], 1);
    let error = conv2d(small.as_tensor(), w.as_tensor(), 1, 0, 2).unwrap_err().to_string();
    assert!(error.contains("(b, 6, ≥ 3, ≥ 3)"), "{error}");
}

#[test]
fn group_norm_silu_and_upsampling_are_the_composed_ones() {
    let inputs = [random(&[3, 6, 4, 5], 1), random(&[3, 6], 2), random(&[3, 6], 3)];
    for (groups, silu) in [(1, false), (2, false), (3, true), (6, true)] {
        same(
            &inputs,
            |t| group_norm(&t[0], &t[1], &t[2], groups, 1e-5, silu),
            |t| fallback::group_norm(&t[0], &t[1], &t[2], groups, 1e-5, silu),
        );
    }
    same(&[random(&[7, 3], 4)], |t| silu(&t[0]), |t| Ok(t[0].silu()?));
    same(
        &[random(&[2, 3, 4, 5], 5)],
        |t| upsample2(&t[0]),
        |t| {
            let wide = t[0].reshape((2, 3, 4, 1, 5, 1))?.broadcast_as((2, 3, 4, 2, 5, 2))?;
            Ok(wide.reshape((2, 3, 8, 10))?)
        },
    );
    let error = group_norm(inputs[0].as_tensor(), &inputs[1], &inputs[2], 4, 1e-5, true);
    assert!(error.unwrap_err().to_string().contains("a multiple of 4"));
}

#[test]
fn batch_norm_is_the_composed_one() {
    let inputs = [random(&[7, 5, 6, 3], 1), random(&[5], 2), random(&[5], 3)];
    same(
        &inputs,
        |t| Ok(batch_norm(&t[0], &t[1], &t[2], 1e-5, false)?.0),
        |t| fallback::batch_norm(&t[0], &t[1], &t[2], 1e-5),
    );
    same(
        &inputs,
        |t| Ok(batch_norm(&t[0], &t[1], &t[2], 1e-5, true)?.0),
        |t| fallback::relu(&fallback::batch_norm(&t[0], &t[1], &t[2], 1e-5)?),
    );
    same(
        &inputs,
        |t| scale_channels(&t[0], &t[1], &t[2], false),
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
    same(
        &inputs[..2],
        |t| rms_norm(&t[0], &t[1], 1e-2),
        |t| fallback::rms_norm(&t[0], &t[1], 1e-2),
    );
}

#[test]
fn rotary_positions_are_the_composed_ones() {
    let places = Tensor::new(&[[0u32, 1, 2, 3, 900], [0, 0, 0, 1, 2]], &Device::Cpu).unwrap();
    let (cos, sin) = rotary_angles(&places, 8, 1e4).unwrap();
    let inputs = [random(&[2, 5, 24], 1)];
    same(&inputs, |t| rotary(&t[0], &cos, &sin), |t| fallback::rotary(&t[0], &cos, &sin));
    // A turn changes no length, and place 0 nothing.
    let x = inputs[0].as_tensor();
    let y = rotary(x, &cos, &sin).unwrap();
    close("place 0", &y.narrow(1, 0, 1).unwrap(), &x.narrow(1, 0, 1).unwrap());
    close("lengths", &y.sqr().unwrap().sum(2).unwrap(), &x.sqr().unwrap().sum(2).unwrap());
    assert!(rotary(&x.narrow(2, 0, 20).unwrap(), &cos, &sin).is_err());
    assert!(rotary_angles(&places, 7, 1e4).is_err());
}

#[test]
fn activations_and_pooling_are_the_composed_ones() {
    let x = [random(&[3, 4, 11, 8], 1)];
    same(&x, |t| relu(&t[0]), |t| fallback::relu(&t[0]));
    let two = [random(&[3, 4, 11, 8], 1), random(&[3, 4, 11, 8], 2)];
    same(&two, |t| add_relu(&t[0], &t[1]), |t| fallback::relu(&(&t[0] + &t[1])?));
    same(&x, |t| gelu(&t[0]), |t| Ok(t[0].gelu_erf()?));
    same(&x, |t| gelu_tanh(&t[0]), |t| Ok(t[0].gelu()?));
    same(&x, |t| quick_gelu(&t[0]), |t| fallback::quick_gelu(&t[0]));
    same(&two, |t| silu_gate(&t[0], &t[1]), |t| fallback::silu_gate(&t[0], &t[1]));
    same(&x, |t| max_pool2d(&t[0], 3, 2, 1), |t| fallback::max_pool2d(&t[0], 3, 2, 1));
    same(&x, |t| max_pool2d(&t[0], 2, 2, 0), |t| fallback::max_pool2d(&t[0], 2, 2, 0));
    for k in [1, 2, 3] {
        same(&x, |t| avg_pool2d(&t[0], k), |t| fallback::avg_pool2d(&t[0], k));
    }
    assert!(avg_pool2d(&x[0], 99).unwrap_err().to_string().contains("a window of 99"));
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

#[test]
fn linear_is_the_composed_one() {
    let inputs = [random(&[3, 7, 10], 1), random(&[6, 10], 2), random(&[6], 3)];
    same(
        &inputs,
        |t| linear(&t[0], &t[1], Some(&t[2])),
        |t| fallback::linear(&t[0], &t[1], Some(&t[2])),
    );
    same(&inputs[..2], |t| linear(&t[0], &t[1], None), |t| fallback::linear(&t[0], &t[1], None));
    // Products that several threads share: more rows than outputs, more outputs than rows, more than a task has, and
    // sums longer than what is taken at once.
    // And few rows, which are computed another way.
    let few = [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17, 32, 33].map(|rows| (rows, 75, 530));
    let many = [(300, 96, 200), (20, 96, 200), (17, 300, 450), (450, 300, 17)];
    for (rows, inner, out) in many.into_iter().chain(few) {
        let inputs = [random(&[rows, inner], 1), random(&[out, inner], 2), random(&[out], 3)];
        same(
            &inputs,
            |t| linear(&t[0], &t[1], Some(&t[2])),
            |t| fallback::linear(&t[0], &t[1], Some(&t[2])),
        );
    }
}

/// A weight in bfloat16 counts as what it is rounded to, in values and in the gradient of the input; odd numbers of inputs and
/// whole vectors, every number of rows that goes another way, and one that does not.
#[test]
fn a_weight_in_bfloat16_is_its_rounded_self() {
    for rows in [1, 2, 3, 4, 5, 6, 7, 8, 9, 32, 40] {
        for (inner, out) in [(75, 530), (256, 50), (1, 3), (2, 1), (33, 9)] {
            let (x, bias) = (random(&[rows, inner], 1), random(&[out], 3).as_detached_tensor());
            let short = random(&[out, inner], 2).as_detached_tensor();
            let short = short.to_dtype(DType::BF16).unwrap();
            let rounded = short.to_dtype(DType::F32).unwrap();
            let run = |weight: &Tensor| {
                let y = linear(x.as_tensor(), weight, Some(&bias)).unwrap();
                let grads = y.sqr().unwrap().sum_all().unwrap().backward().unwrap();
                (y.detach(), grads.get(x.as_tensor()).expect("a gradient").clone())
            };
            let ((y, dx), (wanted, wanted_dx)) = (run(&short), run(&rounded));
            close(&format!("{rows} rows of {inner}, {out} outputs"), &y, &wanted);
            close("gradient", &dx, &wanted_dx);
        }
    }
}

#[test]
fn attention_is_the_composed_one() {
    for (s, drops) in [(5, None), (1, None), (5, Some(Drops::new(0.3, 7 << 33 | 5)))] {
        let inputs = [random(&[3, s, 12], 1), random(&[3, 5, 12], 2), random(&[3, 5, 12], 3)];
        let mask: [[u32; 5]; 3] = [[1; 5], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]];
        let mask = Tensor::new(&mask, &Device::Cpu).unwrap();
        same(
            &inputs,
            |t| attention(&t[0], &t[1], &t[2], &mask, 3, drops),
            |t| fallback::attention(&t[0], &t[1], &t[2], &mask, 3, drops),
        );
    }
}

#[test]
fn causal_attention_is_the_composed_one() {
    // Four new places of six; the first text is padded on its left.
    let inputs = [random(&[2, 4, 12], 1), random(&[2, 6, 12], 2), random(&[2, 6, 12], 3)];
    let mask = Tensor::new(&[[0u32, 0, 1, 1, 1, 1], [1; 6]], &Device::Cpu).unwrap();
    for drops in [None, Some(Drops::new(0.3, 7))] {
        same(
            &inputs,
            |t| causal_attention(&t[0], &t[1], &t[2], &mask, 3, drops),
            |t| fallback::causal_attention(&t[0], &t[1], &t[2], &mask, 3, drops),
        );
    }
    // More queries than keys: there is nothing before the first.
    let (q, k) = (random(&[2, 6, 12], 1), random(&[2, 4, 12], 2));
    let mask = Tensor::ones((2, 4), candle_core::DType::U32, &Device::Cpu).unwrap();
    assert!(causal_attention(&q, &k, &k, &mask, 3, None).is_err());
}

/// Six heads of queries share three, and then one, of keys and values.
#[test]
fn attention_with_shared_keys_is_the_composed_one() {
    let mask = Tensor::new(&[[0u32, 0, 1, 1, 1, 1], [1; 6]], &Device::Cpu).unwrap();
    for narrow in [12, 4] {
        let inputs =
            [random(&[2, 4, 24], 1), random(&[2, 6, narrow], 2), random(&[2, 6, narrow], 3)];
        for drops in [None, Some(Drops::new(0.3, 7))] {
            same(
                &inputs,
                |t| causal_attention(&t[0], &t[1], &t[2], &mask, 6, drops),
                |t| fallback::causal_attention(&t[0], &t[1], &t[2], &mask, 6, drops),
            );
        }
    }
    // Heads that cannot be shared out.
    let (q, k) = (random(&[2, 6, 24], 1), random(&[2, 6, 16], 2));
    assert!(attention(&q, &k, &k, &mask, 6, None).is_err());
}

/// One new place and several; keys with room behind them, as in a cache, and apart from their values; heads that fill vectors
/// and do not.
#[test]
fn attention_reads_keys_from_a_larger_memory() {
    let mask = Tensor::new(&[[0u32, 0, 1, 1, 1, 1], [1; 6]], &Device::Cpu).unwrap();
    for (s, d, narrow) in [(1, 12, 12), (1, 192, 192), (1, 120, 60), (1, 96, 16), (3, 120, 60)] {
        let inputs =
            [random(&[2, s, d], 1), random(&[2, 9, narrow], 2), random(&[2, 9, narrow], 3)];
        let starts = [(1, 1), (1, 3)];
        for (first, other) in starts {
            let read =
                |t: &[Tensor], op: fn(&Tensor, &Tensor, &Tensor, &Tensor) -> Result<Tensor>| {
                    op(&t[0], &t[1].narrow(1, first, 6)?, &t[2].narrow(1, other, 6)?, &mask)
                };
            same(
                &inputs,
                |t| read(t, |q, k, v, mask| causal_attention(q, k, v, mask, 6, None)),
                |t| read(t, |q, k, v, mask| fallback::causal_attention(q, k, v, mask, 6, None)),
            );
        }
        // Texts of another length: their keys lie at other places than their values.
        let longer = [inputs[0].clone(), inputs[1].clone(), random(&[2, 6, narrow], 3)];
        let first = |t: &[Tensor]| t[1].narrow(1, 0, 6);
        same(
            &longer,
            |t| causal_attention(&t[0], &first(t)?, &t[2], &mask, 6, None),
            |t| fallback::causal_attention(&t[0], &first(t)?, &t[2], &mask, 6, None),
        );
    }
}

#[test]
fn attention_names_what_does_not_fit() {
    let q = random(&[2, 5, 12], 1).as_tensor().clone();
    let mask = Tensor::ones((2, 5), candle_core::DType::U32, &Device::Cpu).unwrap();
    let error = attention(&q, &q, &q, &mask, 5, None).unwrap_err().to_string();
    assert!(error.contains("heads that divide d") && error.contains("and 5"), "{error}");
    let error = attention(&q, &q, &q, &mask.narrow(1, 0, 4).unwrap(), 3, None).unwrap_err();
    assert!(error.to_string().contains("mask (b, t)"), "{error}");
}

#[test]
fn dropout_is_the_composed_one_and_drops_its_share() {
    let x = [random(&[7, 5000], 1)];
    let drops = Drops::new(0.1, 3);
    same(&x, |t| dropout(&t[0], drops), |t| fallback::dropout(&t[0], drops));
    // The share of 400,000 places is binomial: its deviation is 4.7e-4, and four of them are allowed.
    for seed in [0, 1, 2, 1 << 32, u64::MAX] {
        let factors = Drops::new(0.1, seed).factors(400_000);
        let dropped = factors.iter().filter(|f| **f == 0.).count() as f64 / 4e5;
        assert!((dropped - 0.1).abs() < 2e-3, "seed {seed}: {dropped}");
        assert!(factors.iter().all(|f| *f == 0. || *f == 1. / 0.9), "seed {seed}");
        // Neighbours, and the same place under another seed, fall away independently: 0.01 of the pairs (± 4 · 1.6e-4).
        let other = Drops::new(0.1, seed.wrapping_add(1)).factors(400_000);
        let both = |a: &[f32], b: &[f32]| {
            a.iter().zip(b).filter(|(a, b)| **a == 0. && **b == 0.).count() as f64 / 4e5
        };
        let pairs = [both(&factors, &factors[1..]), both(&factors, &other)];
        assert!(pairs.iter().all(|p| (p - 0.01).abs() < 7e-4), "seed {seed}: {pairs:?}");
    }
}

/// Ours and candle's own operations in one graph: outputs with several users of both kinds, an input that comes in twice,
/// and a second backward pass.
#[test]
fn gradients_meet_candles() {
    let inputs = [random(&[5, 8], 1), random(&[8, 8], 2), random(&[8], 3)];
    let through = |linear: fn(&Tensor, &Tensor, Option<&Tensor>) -> Result<Tensor>,
                   relu: fn(&Tensor) -> Result<Tensor>,
                   add_relu: fn(&Tensor, &Tensor) -> Result<Tensor>| {
        move |t: &[Tensor]| {
            let y = linear(&t[0], &t[1], Some(&t[2]))?;
            let z = relu(&y)?;
            let twice = add_relu(&z, &z)?;
            let mixed = ((&z * 3.)? + y.sqr()?)?;
            linear(&(twice + mixed)?, &t[1], None)
        }
    };
    let composed = |x: &Tensor, y: &Tensor| fallback::relu(&(x + y)?);
    same(
        &inputs,
        through(linear, relu, add_relu),
        through(fallback::linear, fallback::relu, composed),
    );

    let x = random(&[6], 1);
    let loss = relu(&gelu(x.as_tensor()).unwrap()).unwrap().sum_all().unwrap();
    let grad = || loss.backward().unwrap().get(x.as_tensor()).unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(grad(), grad());
}

#[test]
fn a_constant_makes_no_graph() {
    let x = random(&[4, 8], 1);
    let y = gelu(&x.as_detached_tensor()).unwrap();
    assert!(!y.track_op());
    let frozen = random(&[8, 8], 2).as_detached_tensor();
    let y = linear(x.as_tensor(), &frozen, None).unwrap();
    let grads = y.sum_all().unwrap().backward().unwrap();
    assert!(grads.get(x.as_tensor()).is_some() && grads.get(&frozen).is_none());
}
