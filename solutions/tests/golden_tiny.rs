//! One training step of the whole preset `tiny`, every parameter, against PyTorch: `tests/golden/tiny.py`.
//!
//! The parameters come from a formula that both sides know; of every gradient and every changed parameter some entries
//! are compared, and the norm of all of them.

#[path = "../../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;

use common::formula::{parameter, values};
use common::{Golden, assert_close, assert_one, gradients};
use solutions::{ProjectionHead, clip_loss};
use vision_language::candle_core::{DType, Device, Tensor};
use vision_language::checkpoint::StateDict;
use vision_language::clip::{ClipModel, head};
use vision_language::config::{Config, DistilBertConfig, Start};
use vision_language::nn::Mode;
use vision_language::text::Tokenizer;

/// Entries of a tensor that are compared.
const SAMPLES: usize = 256;
/// Some twenty layers in another order of summation.
const OUTPUT: f64 = 1e-5;
/// And back, through eight batch norms of few pixels, with similarities times 14 in between.
const GRADIENT: f64 = 1e-3;

fn sample(state: &StateDict) -> StateDict {
    let mut out = BTreeMap::new();
    for (name, tensor) in state {
        let flat = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let step = flat.len().div_ceil(SAMPLES).max(1);
        let some: Vec<f32> = flat.iter().step_by(step).copied().collect();
        let norm = flat.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt() as f32;
        out.insert(format!("{name}/some"), Tensor::new(some, &Device::Cpu).unwrap());
        out.insert(format!("{name}/norm"), Tensor::new(norm, &Device::Cpu).unwrap());
    }
    out
}

#[test]
fn one_training_step_of_every_parameter() {
    let golden = Golden::load("tiny");
    let mut config = Config {
        device: "cpu".into(),
        dropout: 0.,
        image_start: Start::Scratch,
        text_start: Start::Scratch,
        image_encoder_lr: 1e-4,
        text_encoder_lr: 1e-5,
        ..Config::tiny()
    };
    config.text_encoder =
        DistilBertConfig { vocab_size: 500, dropout: 0., ..DistilBertConfig::tiny() }.into();
    let tokenizer = Tokenizer::from_words(&["dog".to_string()]).unwrap();
    let model = ClipModel::bare(&config, tokenizer, head::<ProjectionHead>(), clip_loss).unwrap();
    let before: StateDict = model
        .params()
        .state_dict()
        .into_iter()
        .map(|(name, t)| (name.clone(), parameter(&name, t.dims())))
        .collect();
    model.params().load_state_dict(&before).unwrap();

    let images = values("images", &[8, 3, config.size, config.size], 0., 3.);
    let (ids, mask) = (golden.ids("step", "ids"), golden.ids("step", "mask"));
    let mut optimizer = model.optimizer();
    let loss = model.loss(&images, &ids, &mask, Mode::Train).unwrap();
    assert_one("loss", &loss, &golden.get("step", "out", "loss"), OUTPUT);
    let grads = loss.backward().unwrap();
    let got = gradients(&grads, model.params(), &[]);
    println!("{} parameters", got.len());
    assert_close("gradients", &sample(&got), &golden.all("step", "grad"), GRADIENT);

    optimizer.step(&grads).unwrap();
    let (after, grads) = (golden.all("step", "after"), golden.all("step", "grad"));
    let now = sample(&model.params().state_dict());
    assert_eq!(now.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    let rate = |name: &str| match name {
        n if n.starts_with("image_encoder") => 1e-4f64,
        n if n.starts_with("text_encoder") => 1e-5,
        _ => 1e-3,
    };
    let of_all =
        grads.iter().filter(|(n, _)| n.ends_with("/some")).map(|(_, g)| common::largest(g));
    let of_all = of_all.fold(0., f64::max);
    let (mut checked, mut unsure) = (0, 0);
    for (name, to) in after.iter().filter(|(name, _)| name.ends_with("/some")) {
        let list = |t: &Tensor| t.to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
        let Some(grad) = grads.get(name) else {
            // Running statistics.
            assert_one(name, &now[name], to, OUTPUT);
            continue;
        };
        // AdamW's first step is the learning rate with the gradient's sign: sure where that is beyond rounding.
        let noise = GRADIENT * common::largest(grad).max(1e-3 * of_all);
        let rate = rate(name);
        for (i, (g, (got, to))) in
            list(grad).into_iter().zip(list(&now[name]).into_iter().zip(list(to))).enumerate()
        {
            let rounding = 4. * f64::from(f32::EPSILON) * to.abs().max(rate);
            let sure = g.abs() > noise;
            let allowed = if sure { 1e-2 * rate + rounding } else { 2.1 * rate };
            assert!((got - to).abs() <= allowed, "`{name}`[{i}]: {got}, expected {to}");
            checked += usize::from(sure);
            unsure += usize::from(!sure);
        }
    }
    println!("{checked} changed entries compared, {unsure} with a gradient of zero");
    assert!(checked > 10_000 && unsure < checked, "{checked} sure, {unsure} unsure");
}
