//! Tensors that Python and we know without a file between us: `values` and `parameter` of `tests/golden/tiny.py`.

use vision_language::candle_core::{Device, Tensor};

/// Numbers in `centre ± width / 2` that depend on the name and the place alone: FNV-1a, then two rounds of mixing.
pub fn values(name: &str, shape: &[usize], centre: f64, width: f64) -> Tensor {
    let seed =
        name.bytes().fold(2_166_136_261_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(16_777_619));
    let one = |i: usize| {
        let mut x = (i as u32).wrapping_add(seed).wrapping_mul(2_654_435_761);
        x ^= x >> 15;
        x = x.wrapping_mul(2_246_822_519);
        x ^= x >> 13;
        (centre + width * (f64::from(x) / 4_294_967_296. - 0.5)) as f32
    };
    let all: Vec<f32> = (0..shape.iter().product()).map(one).collect();
    Tensor::from_vec(all, shape, &Device::Cpu).unwrap()
}

/// The value of the parameter of this name and shape.
pub fn parameter(name: &str, shape: &[usize]) -> Tensor {
    match name {
        "logit_scale" => Tensor::new((1f32 / 0.07).ln(), &Device::Cpu).unwrap(),
        n if n.ends_with("running_mean") => values(n, shape, 0., 0.5),
        n if n.ends_with("running_var") => values(n, shape, 1., 0.8),
        n if shape.len() == 1 => values(n, shape, f64::from(u8::from(n.ends_with("weight"))), 0.5),
        n if n.contains("embeddings.weight") => values(n, shape, 0., 0.5),
        n => {
            let fan_in: usize = shape[1..].iter().product();
            values(n, shape, 0., (12. / fan_in as f64).sqrt())
        }
    }
}
