//! The lecture's CLIP model, with the masters of its head and loss, against PyTorch: `tests/golden/clip.py`.
//!
//! Embeddings and loss; the gradient of every parameter; every parameter after one training step.

#[path = "../../tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;

use common::{Golden, assert_close, assert_one, gradients, largest};
use solutions::{ProjectionHead, clip_loss};
use vision_language::candle_core::Tensor;
use vision_language::clip::{ClipModel, head};
use vision_language::config::{Config, DistilBertConfig, ResNetConfig, ResidualLayer, Start, Stem};
use vision_language::nn::Mode;
use vision_language::text::Tokenizer;

/// Some fifteen layers in another order of summation.
const OUTPUT: f64 = 1e-5;
/// And back again, with similarities times 14 in between.
const GRADIENT: f64 = 1e-4;

fn model(golden: &Golden) -> ClipModel {
    let config = Config {
        device: "cpu".into(),
        size: 20,
        max_length: 7,
        image_encoder: ResNetConfig {
            embedding_size: 6,
            hidden_sizes: vec![6, 10],
            depths: vec![1, 2],
            layer: ResidualLayer::Basic,
            stem: Stem::Small,
        }
        .into(),
        text_encoder: DistilBertConfig {
            vocab_size: 23,
            max_position_embeddings: 12,
            dim: 16,
            n_layers: 1,
            n_heads: 4,
            hidden_dim: 24,
            dropout: 0.,
        }
        .into(),
        projection_dim: 8,
        dropout: 0.,
        image_start: Start::Scratch,
        text_start: Start::Scratch,
        image_encoder_lr: 1e-4,
        text_encoder_lr: 1e-5,
        head_lr: 1e-3,
        weight_decay: 1e-3,
        ..Config::tiny()
    };
    let tokenizer = Tokenizer::from_words(&["dog".to_string()]).unwrap();
    let model = ClipModel::bare(&config, tokenizer, head::<ProjectionHead>(), clip_loss).unwrap();
    model.params().load_state_dict(&golden.all("eval", "param")).unwrap();
    model
}

fn batch(golden: &Golden) -> (Tensor, Tensor, Tensor) {
    (golden.get("eval", "in", "x"), golden.ids("eval", "ids"), golden.ids("eval", "mask"))
}

#[test]
fn embeddings_and_loss() {
    let golden = Golden::load("clip");
    let (model, (x, ids, mask)) = (model(&golden), batch(&golden));
    let got = BTreeMap::from([
        ("image".into(), model.encode_image(&x, Mode::Eval).unwrap()),
        ("text".into(), model.encode_text(&ids, &mask, Mode::Eval).unwrap()),
        ("loss".into(), model.loss(&x, &ids, &mask, Mode::Eval).unwrap()),
    ]);
    assert_close("embeddings and loss", &got, &golden.all("eval", "out"), OUTPUT);
}

#[test]
fn one_training_step() {
    let golden = Golden::load("clip");
    let (model, (x, ids, mask)) = (model(&golden), batch(&golden));
    let mut optimizer = model.optimizer();
    let loss = model.loss(&x, &ids, &mask, Mode::Train).unwrap();
    assert_one("loss", &loss, &golden.get("train", "out", "loss"), OUTPUT);
    let grads = loss.backward().unwrap();
    let expected = golden.all("train", "grad");
    assert_close("gradients", &gradients(&grads, model.params(), &[]), &expected, GRADIENT);
    optimizer.step(&grads).unwrap();
    model.clamp_logit_scale().unwrap();

    // AdamW's first step is the learning rate times g / (|g| + 1e-8): the sign of each gradient. So every entry must
    // have gone the way that PyTorch's went, by the same length, but for those whose gradient is zero within its
    // rounding (GRADIENT of the largest): of these only the length is bounded.
    let (before, after) = (golden.all("eval", "param"), golden.all("train", "after"));
    let of_all = expected.values().map(largest).fold(0., f64::max);
    let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let rate = |name: &str| match name {
        n if n.starts_with("image_encoder") => 1e-4f64,
        n if n.starts_with("text_encoder") => 1e-5,
        _ => 1e-3,
    };
    let (mut checked, mut unsure) = (0, 0);
    let now = model.params().state_dict();
    assert_eq!(now.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (name, grad) in &expected {
        let (from, to, got) = (values(&before[name]), values(&after[name]), values(&now[name]));
        let noise = GRADIENT * largest(grad).max(1e-3 * of_all);
        let rate = rate(name);
        for (i, g) in values(grad).into_iter().enumerate() {
            // Both steps are stored as differences of values near `from`: a few roundings of it.
            let rounding = 4. * f64::from(f32::EPSILON) * f64::from(from[i].abs().max(rate as f32));
            let difference = f64::from((got[i] - to[i]).abs());
            let sure = f64::from(g.abs()) > noise;
            let allowed = if sure { 1e-2 * rate + rounding } else { 2.1 * rate };
            assert!(
                difference <= allowed,
                "`{name}`[{i}]: {} → {}, expected {}",
                from[i],
                got[i],
                to[i]
            );
            checked += usize::from(sure);
            unsure += usize::from(!sure);
        }
    }
    println!("{checked} entries compared, {unsure} with a gradient of zero");
    assert!(unsure * 10 < checked, "{unsure} of {}", checked + unsure);
    let statistics = |state: &BTreeMap<String, Tensor>| -> BTreeMap<String, Tensor> {
        state
            .iter()
            .filter(|(n, _)| n.contains("running_"))
            .map(|(n, t)| (n.clone(), t.clone()))
            .collect()
    };
    assert_close("running statistics", &statistics(&now), &statistics(&after), OUTPUT);
}
