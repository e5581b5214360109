//! ResNet and DistilBERT against transformers': `tests/golden/encoders.py`.
//!
//! Outputs, running statistics, and the gradient of the input and of every parameter.

mod common;

use candle_core::Tensor;
use common::{Golden, assert_close, assert_one, backward, gradients, params};
use vision_language::config::{DistilBertConfig, ResNetConfig, ResidualLayer, Stem};
use vision_language::encoder::{DistilBert, ImageEncoder, ResNet, TextEncoder};
use vision_language::nn::Mode;

/// A forward pass through some ten layers, in another order of summation.
const OUTPUT: f64 = 1e-5;
/// And back again; batch norm over a few dozen values cancels most of what it gets.
const GRADIENT: f64 = 1e-4;

fn check_pictures(config: &ResNetConfig, file: &str, name: &str) {
    let golden = Golden::load(file);
    for (case, mode) in
        [(format!("{name}_eval"), Mode::Eval), (format!("{name}_train"), Mode::Train)]
    {
        let params = params();
        let model = ResNet::new(config, &params).unwrap();
        params.load_state_dict(&golden.all(name, "param")).unwrap();
        let x = golden.var(&case, "x");
        let y = model.forward(x.as_tensor(), mode).unwrap();
        assert_eq!(y.dims()[1], model.features());
        assert_one(&format!("{case}: features"), &y, &golden.get(&case, "out", "y"), OUTPUT);
        let grads = backward(&y, &golden.get(&case, "in", "weight"));
        let got = gradients(&grads, &params, &[("x", &x)]);
        assert_close(&format!("{case}: gradients"), &got, &golden.all(&case, "grad"), GRADIENT);
        let mut after = params.state_dict();
        after.retain(|name, _| name.contains("running_"));
        assert_close(&format!("{case}: statistics"), &after, &golden.all(&case, "after"), OUTPUT);
    }
}

#[test]
fn resnet_basic() {
    let config = ResNetConfig {
        embedding_size: 6,
        hidden_sizes: vec![6, 10],
        depths: vec![1, 2],
        layer: ResidualLayer::Basic,
        stem: Stem::Large,
    };
    check_pictures(&config, "resnet_basic", "basic");
    check_pictures(&ResNetConfig { stem: Stem::Small, ..config }, "resnet_basic", "small_stem");
}

#[test]
fn resnet_bottleneck() {
    let config = ResNetConfig {
        embedding_size: 8,
        hidden_sizes: vec![16, 24],
        depths: vec![2, 2],
        layer: ResidualLayer::Bottleneck,
        stem: Stem::Large,
    };
    check_pictures(&config, "resnet_bottleneck", "bottleneck");
}

#[test]
fn distilbert() {
    let golden = Golden::load("distilbert");
    let config = DistilBertConfig {
        vocab_size: 23,
        max_position_embeddings: 12,
        dim: 16,
        n_layers: 2,
        n_heads: 4,
        hidden_dim: 24,
        dropout: 0.,
    };
    for case in ["text_padded", "text_full", "text_rows"] {
        let params = params();
        let model = DistilBert::new(&config, &params).unwrap();
        params.load_state_dict(&golden.all("text", "param")).unwrap();
        let (ids, mask) = (golden.ids(case, "ids"), golden.ids(case, "mask"));
        let y = match case {
            "text_rows" => model.hidden(&ids, &mask, Mode::Train).unwrap(),
            _ => model.forward(&ids, &mask, Mode::Train).unwrap(),
        };
        assert_one(&format!("{case}: rows"), &y, &golden.get(case, "out", "y"), OUTPUT);
        let grads = backward(&y, &golden.get(case, "in", "weight"));
        let got = gradients(&grads, &params, &[]);
        assert_close(&format!("{case}: gradients"), &got, &golden.all(case, "grad"), GRADIENT);
    }
}

/// What stands under the mask's zeros does not matter: not for the sentence, not for any gradient.
#[test]
fn padding_is_not_read() {
    let golden = Golden::load("distilbert");
    let config = DistilBertConfig {
        vocab_size: 23,
        max_position_embeddings: 12,
        dim: 16,
        n_layers: 2,
        n_heads: 4,
        hidden_dim: 24,
        dropout: 0.,
    };
    let params = params();
    let model = DistilBert::new(&config, &params).unwrap();
    let case = "text_padded";
    params.load_state_dict(&golden.all("text", "param")).unwrap();
    let (ids, mask) = (golden.ids(case, "ids"), golden.ids(case, "mask"));
    let other: Tensor = ((mask.ones_like().unwrap() - &mask).unwrap() * 9.).unwrap();
    let y = model.forward(&(ids + other).unwrap(), &mask, Mode::Eval).unwrap();
    assert_one("other padding", &y, &golden.get(case, "out", "y"), OUTPUT);
}
