//! ResNet, DistilBERT and BERT against transformers', EfficientNet-Lite against timm's: `tests/golden/encoders.py`,
//! `tests/golden/mini.py`.
//!
//! Outputs, running statistics, and the gradient of the input and of every parameter.

mod common;

use candle_core::{DType, Tensor};
use common::{Golden, assert_close, assert_one, backward, gradients, params};
use vision_language::config::{
    BertConfig, DistilBertConfig, EfficientNetLiteConfig, ImageEncoderConfig, InvertedStage,
    Pooling, ResNetConfig, ResidualLayer, Stem,
};
use vision_language::encoder::{Bert, DistilBert, TextEncoder, image_encoder};
use vision_language::nn::Mode;

/// A forward pass through some ten layers, in another order of summation.
const OUTPUT: f64 = 1e-5;
/// And back again; batch norm over a few dozen values cancels most of what it gets.
const GRADIENT: f64 = 1e-4;

fn check_pictures(config: impl Into<ImageEncoderConfig>, file: &str, name: &str) {
    let config = config.into();
    let golden = Golden::load(file);
    // Every file has these two; some have pictures of even sides besides.
    let mut cases = vec![("eval", Mode::Eval), ("train", Mode::Train)];
    if !golden.all(&format!("{name}_even"), "in").is_empty() {
        cases.push(("even", Mode::Eval));
    }
    for (case, mode) in cases {
        let case = format!("{name}_{case}");
        let params = params();
        let model = image_encoder(&config, &params).unwrap();
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
    check_pictures(config.clone(), "resnet_basic", "basic");
    check_pictures(ResNetConfig { stem: Stem::Small, ..config }, "resnet_basic", "small_stem");
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
    check_pictures(config, "resnet_bottleneck", "bottleneck");
}

#[test]
fn efficientnet_lite() {
    let stage = |depth, kernel, stride, expand, channels| InvertedStage {
        depth,
        kernel,
        stride,
        expand,
        channels,
    };
    let config = EfficientNetLiteConfig {
        stem_size: 8,
        stages: vec![
            stage(1, 3, 1, 1, 8),
            stage(2, 3, 2, 4, 8),
            stage(1, 5, 2, 3, 16),
            stage(1, 5, 1, 3, 16),
        ],
        head_size: 20,
    };
    check_pictures(config, "efficientnet", "lite");
}

#[test]
fn bert() {
    let golden = Golden::load("bert");
    for (case, pooling) in
        [("mean_padded", Pooling::Mean), ("cls_padded", Pooling::Cls), ("mean_full", Pooling::Mean)]
    {
        let config = BertConfig {
            vocab_size: 23,
            max_position_embeddings: 12,
            type_vocab_size: 2,
            hidden_size: 16,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            intermediate_size: 24,
            dropout: 0.,
            pooling,
        };
        let params = params();
        let model = Bert::new(&config, &params).unwrap();
        params.load_state_dict(&golden.all("text", "param")).unwrap();
        let (ids, mask) = (golden.ids(case, "ids"), golden.ids(case, "mask"));
        let y = model.forward(&ids, &mask, Mode::Train).unwrap();
        assert_one(&format!("{case}: features"), &y, &golden.get(case, "out", "y"), OUTPUT);
        let grads = backward(&y, &golden.get(case, "in", "weight"));
        let got = gradients(&grads, &params, &[]);
        assert_close(&format!("{case}: gradients"), &got, &golden.all(case, "grad"), GRADIENT);
    }
}

/// A frozen encoder's output hangs on no parameter: a backward pass ends there.
#[test]
fn frozen_encoders_have_no_graph() {
    let golden = Golden::load("bert");
    let small = params();
    let resnet = ResNetConfig {
        embedding_size: 8,
        hidden_sizes: vec![16],
        depths: vec![1],
        layer: ResidualLayer::Bottleneck,
        stem: Stem::Large,
    };
    let encoder = image_encoder(&resnet.into(), &small.pp("image")).unwrap();
    let sizes = DistilBertConfig { vocab_size: 23, ..DistilBertConfig::tiny() };
    let text = DistilBert::new(&sizes, &small.pp("text")).unwrap();
    let (ids, mask) = (golden.ids("mean_padded", "ids"), golden.ids("mean_padded", "mask"));
    let x = Tensor::ones((1, 3, 32, 32), DType::F32, small.device()).unwrap();
    for trainable in [true, false] {
        small.set_trainable(trainable);
        assert_eq!(encoder.forward(&x, Mode::Eval).unwrap().track_op(), trainable);
        assert_eq!(text.forward(&ids, &mask, Mode::Eval).unwrap().track_op(), trainable);
    }
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
