//! Encoders from files as they are published, under every name and in every container: `tests/golden/published.py`.

mod common;

use std::path::PathBuf;

use common::{Golden, assert_close, assert_one, params};
use vision_language::checkpoint::{StateDict, load_tensors, save_safetensors};
use vision_language::config::{
    BertConfig, DistilBertConfig, EfficientNetLiteConfig, ImageEncoderConfig, InvertedStage,
    Pooling, ResNetConfig, ResidualLayer, Stem, TextEncoderConfig,
};
use vision_language::encoder::{
    image_encoder, load_image_weights, load_text_weights, text_encoder,
};
use vision_language::nn::Mode;

/// A forward pass in another order of summation.
const OUTPUT: f64 = 1e-5;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/published").join(name)
}

fn bottleneck(
    embedding_size: usize,
    hidden_sizes: &[usize],
    depths: &[usize],
) -> ImageEncoderConfig {
    ResNetConfig {
        embedding_size,
        hidden_sizes: hidden_sizes.to_vec(),
        depths: depths.to_vec(),
        layer: ResidualLayer::Bottleneck,
        stem: Stem::Large,
    }
    .into()
}

fn efficientnet() -> ImageEncoderConfig {
    let stage = |depth, kernel, stride, expand, channels| InvertedStage {
        depth,
        kernel,
        stride,
        expand,
        channels,
    };
    let stages = vec![stage(1, 3, 1, 1, 6), stage(2, 3, 2, 4, 8), stage(1, 5, 2, 3, 10)];
    EfficientNetLiteConfig { stem_size: 32, stages, head_size: 1280 }.into()
}

fn distilbert() -> TextEncoderConfig {
    DistilBertConfig {
        vocab_size: 23,
        max_position_embeddings: 12,
        dim: 16,
        n_layers: 2,
        n_heads: 4,
        hidden_dim: 24,
        dropout: 0.,
    }
    .into()
}

fn bert() -> TextEncoderConfig {
    BertConfig {
        vocab_size: 23,
        max_position_embeddings: 12,
        type_vocab_size: 2,
        hidden_size: 16,
        num_hidden_layers: 1,
        num_attention_heads: 4,
        intermediate_size: 24,
        dropout: 0.,
        pooling: Pooling::Mean,
    }
    .into()
}

#[test]
fn pictures() {
    let golden = Golden::load("published");
    for (case, name, config) in [
        (
            "resnet_transformers",
            "resnet_transformers.safetensors",
            bottleneck(8, &[16, 24], &[2, 1]),
        ),
        (
            "resnet_torchvision",
            "resnet_torchvision.pth",
            bottleneck(64, &[16, 16, 24, 32], &[2, 1, 1, 1]),
        ),
        ("efficientnet", "efficientnet.pth", efficientnet()),
    ] {
        // Below a place, as in a model.
        let params = params().pp("image_encoder.model");
        let model = image_encoder(&config, &params).unwrap();
        load_image_weights(&config, &file(name), &params).unwrap();
        let y = model.forward(&golden.get(case, "in", "x"), Mode::Eval).unwrap();
        assert_one(name, &y, &golden.get(case, "out", "y"), OUTPUT);
    }
}

#[test]
fn texts() {
    let golden = Golden::load("published");
    for (case, name, config) in [
        ("distilbert", "distilbert_masked_lm.bin", distilbert()),
        ("distilbert", "distilbert_bare.safetensors", distilbert()),
        ("bert", "bert_pretraining.bin", bert()),
        ("bert", "bert_sentence.safetensors", bert()),
    ] {
        let params = params();
        let model = text_encoder(&config, &params).unwrap();
        load_text_weights(&config, &file(name), &params).unwrap();
        let (ids, mask) = (golden.ids(case, "ids"), golden.ids(case, "mask"));
        let y = model.forward(&ids, &mask, Mode::Eval).unwrap();
        assert_one(name, &y, &golden.get(case, "out", "y"), OUTPUT);
    }
}

/// What loading `file` after `change` says.
fn complaint(name: &str, change: impl FnOnce(&mut StateDict)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.safetensors");
    let mut state = load_tensors(&file(name)).unwrap();
    change(&mut state);
    save_safetensors(&path, &state).unwrap();
    let params = params();
    let (before, error) = match name.starts_with("resnet") {
        true => {
            let config = bottleneck(64, &[16, 16, 24, 32], &[2, 1, 1, 1]);
            let _encoder = image_encoder(&config, &params).unwrap();
            let before = params.state_dict();
            let error = load_image_weights(&config, &path, &params).unwrap_err();
            (before, error)
        }
        false => {
            let config = distilbert();
            let _encoder = text_encoder(&config, &params).unwrap();
            let before = params.state_dict();
            (before, load_text_weights(&config, &path, &params).unwrap_err())
        }
    };
    assert_close("nothing is changed", &params.state_dict(), &before, 0.);
    let message = error.to_string();
    assert!(message.contains("changed.safetensors") && message.contains("next: "), "{message}");
    message
}

/// The key is named as it stands in the file, not as we call it; nothing is loaded in part.
#[test]
fn the_first_wrong_key_is_named() {
    let resnet =
        |change: &dyn Fn(&mut StateDict)| complaint("resnet_torchvision.pth", |s| change(s));
    let missing = resnet(&|s| drop(s.remove("layer1.0.downsample.1.running_var")));
    assert!(missing.contains("`layer1.0.downsample.1.running_var`, it is missing"), "{missing}");
    let misshapen = resnet(&|s| {
        let half = s["layer2.0.conv2.weight"].narrow(0, 0, 2).unwrap().contiguous().unwrap();
        s.insert("layer2.0.conv2.weight".into(), half);
    });
    let expected = "`layer2.0.conv2.weight`: expected shape [4, 4, 3, 3], got [2, 4, 3, 3]";
    assert!(misshapen.contains(expected), "{misshapen}");
    let unexpected = resnet(&|s| {
        let extra = s["fc.bias"].clone();
        s.insert("layer1.0.se.fc1.bias".into(), extra);
    });
    assert!(
        unexpected.contains("`layer1.0.se.fc1.bias`") && unexpected.contains("unexpected"),
        "{unexpected}"
    );

    let text = complaint("distilbert_masked_lm.bin", |s| {
        drop(s.remove("distilbert.transformer.layer.1.ffn.lin2.bias"));
    });
    assert!(text.contains("`distilbert.transformer.layer.1.ffn.lin2.bias`"), "{text}");
    let other = complaint("distilbert_masked_lm.bin", |s| {
        *s = load_tensors(&file("resnet_torchvision.pth")).unwrap();
    });
    assert!(other.contains("no key is a DistilBERT's") && other.contains("`bn1.bias`"), "{other}");
    // A head that nobody has heard of is not passed over in silence.
    let head = complaint("distilbert_bare.safetensors", |s| {
        let extra = s["embeddings.LayerNorm.bias"].clone();
        s.insert("classifier.bias".into(), extra);
    });
    assert!(head.contains("`classifier.bias`"), "{head}");
}
