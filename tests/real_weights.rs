//! Real weights and real photographs against the Python packages that ship them: `tests/golden/real_weights.py DIR` makes
//! the files, `VL_REAL_WEIGHTS=DIR` says where they are. Without it nothing is compared, and the test says so.

mod common;

use std::path::PathBuf;

use common::{assert_one, params};
use vision_language::candle_core::{D, DType, Device, Tensor};
use vision_language::checkpoint::load_tensors;
use vision_language::clip::{ClipModel, LinearHead, Save, head};
use vision_language::config::Config;
use vision_language::dataset::{Transform, load_image};
use vision_language::encoder;
use vision_language::nn::{Mode, l2_normalize};

/// Sixteen blocks of convolutions and batch norms, or six layers of attention, in another order of summation.
const OUTPUT: f64 = 5e-5;
/// Photographs as PNG: our resize differs from PIL's by at most 1 of 255. As JPEG, another decoder besides.
const LOGITS: f64 = 0.05;

/// The configuration of `mini` with its files from the folder, on the CPU.
fn mini() -> Option<(PathBuf, Config)> {
    let Some(folder) = std::env::var_os("VL_REAL_WEIGHTS").map(PathBuf::from) else {
        println!(
            "SKIPPED: VL_REAL_WEIGHTS is not set; python tests/golden/real_weights.py DIR makes the files"
        );
        return None;
    };
    let config = Config { models: Some(folder.clone()), device: "cpu".into(), ..Config::mini() };
    Some((folder, config))
}

#[test]
fn sentence_similarities_of_minilm() {
    let Some((folder, config)) = mini() else { return };
    let about: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    let sentences: Vec<&str> =
        about["sentences"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    let expected = load_tensors(&folder.join("expected.safetensors")).unwrap()["sentences"].clone();

    let tokenizer = encoder::tokenizer(&config).unwrap();
    let params = params();
    let bert = encoder::text_encoder(&config.text_encoder, &params).unwrap();
    encoder::load_pretrained_text(&config, &params).unwrap();
    let encoded = tokenizer.encode_batch(&sentences, 256, &Device::Cpu).unwrap();
    let features =
        bert.forward(&encoded.input_ids, &encoded.attention_mask, Mode::Eval).unwrap().detach();
    let vectors = l2_normalize(&features).unwrap();
    assert_one("sentence vectors", &vectors, &expected, OUTPUT);
    let similarities = |v: &Tensor| v.matmul(&v.t().unwrap()).unwrap();
    let got = similarities(&vectors);
    assert_one("similarities", &got, &similarities(&expected), OUTPUT);
    let rows: Vec<Vec<f32>> = got.to_vec2().unwrap();
    println!("{:?} and {:?}: {:.3}", sentences[0], sentences[1], rows[0][1]);
    // It knows what belongs together: the two dogs, the two sentences on shares.
    assert!(rows[0][1] > 0.5 && rows[4][5] > 0.5 && rows[0][4] < 0.2, "{rows:?}");
}

#[test]
fn the_five_best_of_efficientnet_lite0() {
    let Some((folder, config)) = mini() else { return };
    let about: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    let expected = load_tensors(&folder.join("expected.safetensors")).unwrap();
    let params = params();
    let model = encoder::image_encoder(&config.image_encoder, &params).unwrap();
    encoder::load_pretrained_image(&config, &params).unwrap();
    let transform = Transform::of(&config);
    let logits = |x: &Tensor| {
        let features = model.forward(x, Mode::Eval).unwrap().detach();
        let logits = features.matmul(&expected["fc.weight"].t().unwrap()).unwrap();
        logits.broadcast_add(&expected["fc.bias"]).unwrap().squeeze(0).unwrap()
    };
    let photos = about["photos"].as_object().unwrap();
    assert!(photos.len() >= 4);
    for (name, top) in photos {
        let to = &expected[&format!("logits/{name}")];
        assert_one(name, &logits(&expected[&format!("x/{name}")]), to, OUTPUT);

        let photo = load_image(&folder.join("photos").join(name), 0).unwrap();
        let x = transform.apply(&photo).unwrap().unsqueeze(0).unwrap();
        let got = logits(&x);
        assert_one(&format!("{name}, from the file"), &got, to, LOGITS);
        let order = got.arg_sort_last_dim(false).unwrap().to_vec1::<u32>().unwrap();
        let names: Vec<u64> =
            top.as_array().unwrap().iter().map(|t| t[0].as_u64().unwrap()).collect();
        let best: Vec<u64> = order[..5].iter().map(|&i| u64::from(i)).collect();
        println!("{name}: {} ({best:?})", top[0][1]);
        // Where two probabilities are nearly the same, another decoder may change places: the five are compared as a set.
        let sorted = |mut v: Vec<u64>| {
            v.sort_unstable();
            v
        };
        assert_eq!(best[0], names[0], "{name}: the best");
        assert_eq!(sorted(best), sorted(names), "{name}: the five best");
    }
}

/// The preset as a whole: pretrained, saved, opened again; running statistics come along.
#[test]
fn mini_is_saved_and_opened() {
    let Some((folder, config)) = mini() else { return };
    let no_loss = |_: &Tensor, _: &Tensor, _: &Tensor| unreachable!("nothing is trained");
    let model = ClipModel::new(&config, head::<LinearHead>(), no_loss).unwrap();
    let photo = load_image(&folder.join("photos/chelsea.png"), 0).unwrap();
    let x = Transform::of(&config).apply(&photo).unwrap().unsqueeze(0).unwrap();
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("best.pt");
    model.save(&path).unwrap();
    let again = ClipModel::load(&path, head::<LinearHead>(), no_loss).unwrap();
    assert_eq!(again.config().image_encoder, config.image_encoder);
    assert_eq!(again.config().models, None);
    for (a, b) in [
        (model.encode_image(&x, Mode::Eval), again.encode_image(&x, Mode::Eval)),
        (model.encode_texts(&["a cat"]), again.encode_texts(&["a cat"])),
    ] {
        let difference = (a.unwrap() - b.unwrap()).unwrap().abs().unwrap();
        assert_eq!(
            difference
                .to_dtype(DType::F32)
                .unwrap()
                .max(D::Minus1)
                .unwrap()
                .max(0)
                .unwrap()
                .to_scalar::<f32>()
                .unwrap(),
            0.
        );
    }
}
