//! CLIP's own encoders, a bag of words, and a whole CLIP from its folder, against transformers': `tests/golden/clip_encoders.py`;
//! its tokenizer against open_clip's: `tests/golden/clip_tokenizer.py`.

mod common;

use std::path::{Path, PathBuf};

use candle_core::{DType, Tensor};
use common::{Golden, assert_close, assert_one, backward, gradients, params};
use vision_language::candle_core;
use vision_language::checkpoint::save_safetensors;
use vision_language::clip::ClipModel;
use vision_language::config::{
    Activation, CbowConfig, ClipTextConfig, Config, TextEncoderConfig, VitConfig,
};
use vision_language::encoder::{image_encoder, text_encoder};
use vision_language::nn::{Mode, l2_normalize};
use vision_language::text::Tokenizer;

/// A forward pass through some ten layers, in another order of summation.
const OUTPUT: f64 = 1e-5;
/// And back again. The gradient of a key's bias is zero but for rounding: measured 8.4e-5 there, of a thousandth of the largest.
const GRADIENT: f64 = 2e-4;

fn vit(hidden_act: Activation) -> VitConfig {
    VitConfig {
        image_size: 24,
        patch_size: 6,
        hidden_size: 16,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 24,
        hidden_act,
        dropout: 0.,
    }
}

fn text() -> ClipTextConfig {
    ClipTextConfig {
        vocab_size: 23,
        max_position_embeddings: 9,
        hidden_size: 16,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 24,
        hidden_act: Activation::QuickGelu,
        dropout: 0.,
    }
}

#[test]
fn vision_transformer() {
    let golden = Golden::load("clip_encoders");
    for (name, act) in [("vit_quick_gelu", Activation::QuickGelu), ("vit_gelu", Activation::Gelu)] {
        let params = params();
        let model = image_encoder(&vit(act).into(), &params).unwrap();
        params.load_state_dict(&golden.all(name, "param")).unwrap();
        let case = format!("{name}_case");
        let x = golden.var(&case, "x");
        let y = model.forward(x.as_tensor(), Mode::Train).unwrap();
        assert_eq!(model.features(), 16);
        assert_one(&case, &y, &golden.get(&case, "out", "y"), OUTPUT);
        let got =
            gradients(&backward(&y, &golden.get(&case, "in", "weight")), &params, &[("x", &x)]);
        assert_close(&format!("{case}: gradients"), &got, &golden.all(&case, "grad"), GRADIENT);
    }
}

#[test]
fn text_encoders() {
    let golden = Golden::load("clip_encoders");
    let cbow: TextEncoderConfig = CbowConfig { vocab_size: 23, width: 8 }.into();
    for (name, config) in [("text", text().into()), ("cbow", cbow)] {
        let params = params();
        let model = text_encoder(&config, &params).unwrap();
        params.load_state_dict(&golden.all(name, "param")).unwrap();
        let case = format!("{name}_case");
        let (ids, mask) = (golden.ids(&case, "ids"), golden.ids(&case, "mask"));
        let y = model.forward(&ids, &mask, Mode::Train).unwrap();
        assert_one(&case, &y, &golden.get(&case, "out", "y"), OUTPUT);
        let got = gradients(&backward(&y, &golden.get(&case, "in", "weight")), &params, &[]);
        let mut wanted = golden.all(&case, "grad");
        if let Some(grad) = wanted.remove("weight") {
            wanted.insert("embeddings.word_embeddings.weight".into(), grad);
        }
        assert_close(&format!("{case}: gradients"), &got, &wanted, GRADIENT);
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let side =
        image_encoder(&VitConfig { patch_size: 5, ..vit(Activation::Gelu) }.into(), &params());
    assert!(side.err().unwrap().to_string().contains("a divisor of image_size = 24"));
    let model = image_encoder(&vit(Activation::Gelu).into(), &params()).unwrap();
    let x = Tensor::zeros((1, 3, 18, 24), DType::F32, &candle_core::Device::Cpu).unwrap();
    let error = model.forward(&x, Mode::Eval).unwrap_err().to_string();
    assert!(error.contains("(batch, 3, 24, 24)"), "{error}");
    let model = text_encoder(&text().into(), &params()).unwrap();
    let ids = Tensor::ones((1, 10), DType::U32, &candle_core::Device::Cpu).unwrap();
    let error = model.forward(&ids, &ids, Mode::Eval).unwrap_err().to_string();
    assert!(error.contains("at most 9 tokens"), "{error}");
}

/// A folder as `save_pretrained` makes it: the logits of pictures and texts are transformers'.
#[test]
fn a_whole_clip_from_its_folder() {
    let golden = Golden::load("clip_encoders");
    let folder = tempfile::tempdir().unwrap();
    let config = r#"{"model_type": "clip", "projection_dim": 12,
        "vision_config": {"image_size": 24, "patch_size": 6, "hidden_size": 16, "num_hidden_layers": 2,
            "num_attention_heads": 4, "intermediate_size": 24, "hidden_act": "quick_gelu"},
        "text_config": {"vocab_size": 23, "max_position_embeddings": 9, "hidden_size": 16, "num_hidden_layers": 2,
            "num_attention_heads": 4, "intermediate_size": 24, "hidden_act": "quick_gelu"}}"#;
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    let tokenizer = Tokenizer::clip(&small_merges()).unwrap().to_json().unwrap();
    std::fs::write(folder.path().join("tokenizer.json"), tokenizer).unwrap();
    save_safetensors(&folder.path().join("model.safetensors"), &golden.all("clip", "param"))
        .unwrap();
    let base = Config { device: "cpu".into(), ..Config::tiny() };
    let loss = |_: &Tensor, _: &Tensor, t: &Tensor| Ok(t.clone());
    let model = ClipModel::from_clip_folder(folder.path(), &base, loss).unwrap();
    let image = model.encode_image(&golden.get("clip", "in", "x"), Mode::Eval).unwrap();
    let (ids, mask) = (golden.ids("clip", "ids"), golden.ids("clip", "mask"));
    let text = model.encode_text(&ids, &mask, Mode::Eval).unwrap();
    let (image, text) = (l2_normalize(&image).unwrap(), l2_normalize(&text).unwrap());
    assert_one("images", &image, &golden.get("clip", "out", "image"), OUTPUT);
    assert_one("texts", &text, &golden.get("clip", "out", "text"), OUTPUT);
    let scale = model.logit_scale().exp().unwrap();
    let logits = image.matmul(&text.t().unwrap()).unwrap().broadcast_mul(&scale).unwrap();
    assert_one("logits", &logits, &golden.get("clip", "out", "logits"), OUTPUT);
    // Weights of other sizes: the first key is named.
    std::fs::write(
        folder.path().join("config.json"),
        config.replace("\"patch_size\": 6", "\"patch_size\": 8"),
    )
    .unwrap();
    let error = ClipModel::from_clip_folder(folder.path(), &base, loss).err().unwrap().to_string();
    assert!(error.contains("image_encoder.model.embeddings.p"), "{error}");
}

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/clip_tokenizer").join(name)
}

fn small_merges() -> String {
    std::fs::read_to_string(here("merges.txt")).unwrap()
}

/// The first thousand merges of CLIP's vocabulary.
#[test]
fn the_tokenizer_is_open_clips() {
    let tokenizer = Tokenizer::clip(&small_merges()).unwrap();
    check_tokenizer(&tokenizer, &here("samples.json"));
    assert!(Tokenizer::clip("about\none\n").is_err());
}

/// The whole vocabulary, as the package open_clip_torch carries it: `tests/golden/clip_tokenizer.py DIR` writes it there.
#[test]
fn the_whole_tokenizer_is_open_clips() {
    let Ok(folder) = std::env::var("VL_REAL_WEIGHTS") else {
        println!("SKIPPED: no VL_REAL_WEIGHTS");
        return;
    };
    let folder = Path::new(&folder).join("clip_tokenizer");
    let merges = std::fs::read_to_string(folder.join("merges.txt")).unwrap();
    let tokenizer = Tokenizer::clip(&merges).unwrap();
    assert_eq!(tokenizer.vocab_size(), 49408);
    check_tokenizer(&tokenizer, &folder.join("samples.json"));
}

fn check_tokenizer(tokenizer: &Tokenizer, samples: &Path) {
    let samples: Vec<(String, Vec<u32>)> =
        serde_json::from_slice(&std::fs::read(samples).unwrap()).unwrap();
    assert!(samples.len() > 8);
    for (text, ids) in samples {
        assert_eq!(tokenizer.encode(&text, 77).unwrap(), ids, "{text:?}");
    }
}
