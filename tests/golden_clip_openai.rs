//! CLIP under OpenAI's names against open_clip's: its ResNet, whole models from their folders with every gradient
//! (`tests/golden/clip_openai.py`), and its preparation of pictures against transformers' (`tests/golden/clip_preprocess.py`).

mod common;

use std::path::{Path, PathBuf};

use candle_core::{DType, Tensor};
use common::{Golden, assert_close, assert_one, backward, gradients, params};
use image::RgbImage;
use vision_language::candle_core;
use vision_language::checkpoint::{StateDict, save_pt, save_safetensors};
use vision_language::clip::ClipModel;
use vision_language::config::{ClipResNetConfig, Config, Fit, ImageEncoderConfig};
use vision_language::dataset::Transform;
use vision_language::encoder::{image_encoder, load_image_weights};
use vision_language::nn::{Mode, l2_normalize, ops};

/// A forward pass through some twenty layers, in another order of summation.
const OUTPUT: f64 = 1e-5;
/// And back again: a key's bias has a gradient of rounding alone, measured by a thousandth of the largest.
const GRADIENT: f64 = 5e-4;

#[test]
fn mean_pooling() {
    let golden = Golden::load("clip_openai");
    for k in [2, 3] {
        let case = format!("avg_pool_{k}");
        let x = golden.var(&case, "x");
        let y = ops::avg_pool2d(x.as_tensor(), k).unwrap();
        assert_one(&case, &y, &golden.get(&case, "out", "y"), 1e-6);
        let grads = backward(&y, &golden.get(&case, "in", "weight"));
        let got = gradients(&grads, &params(), &[("x", &x)]);
        assert_close(&format!("{case}: gradient"), &got, &golden.all(&case, "grad"), 1e-6);
    }
}

fn small() -> ClipResNetConfig {
    ClipResNetConfig {
        image_size: 64,
        layers: vec![1, 2, 1, 1],
        width: 2,
        heads: 4,
        output_dim: 12,
    }
}

#[test]
fn resnet() {
    let golden = Golden::load("clip_openai");
    for (case, mode) in [("resnet_eval", Mode::Eval), ("resnet_train", Mode::Train)] {
        let params = params();
        let model = image_encoder(&small().into(), &params).unwrap();
        params.load_state_dict(&golden.all("resnet", "param")).unwrap();
        let x = golden.var(case, "x");
        let inputs: &[_] = if mode == Mode::Eval { &[("x", &x)] } else { &[] };
        let y = model.forward(x.as_tensor(), mode).unwrap();
        assert_eq!(model.features(), 12);
        assert_one(case, &y, &golden.get(case, "out", "y"), OUTPUT);
        let got = gradients(&backward(&y, &golden.get(case, "in", "weight")), &params, inputs);
        assert_close(&format!("{case}: gradients"), &got, &golden.all(case, "grad"), GRADIENT);
        let mut after = params.state_dict();
        after.retain(|name, _| name.contains("running_"));
        assert_close(&format!("{case}: statistics"), &after, &golden.all(case, "after"), OUTPUT);
    }
}

#[test]
fn sizes_that_do_not_fit_are_named() {
    let wrong: [(ClipResNetConfig, &str); 4] = [
        (ClipResNetConfig { image_size: 60, ..small() }, "a multiple of 32, got 60"),
        (ClipResNetConfig { layers: vec![1, 1], ..small() }, "four numbers"),
        (ClipResNetConfig { width: 3, ..small() }, "an even number, got 3"),
        (ClipResNetConfig { heads: 5, ..small() }, "a divisor of 32 · width = 64, got 5"),
    ];
    for (config, message) in wrong {
        let error = image_encoder(&config.into(), &params()).err().unwrap().to_string();
        assert!(error.contains(message), "{error}");
    }
    let model = image_encoder(&small().into(), &params()).unwrap();
    let x = Tensor::zeros((1, 3, 32, 32), DType::F32, &candle_core::Device::Cpu).unwrap();
    let error = model.forward(&x, Mode::Eval).unwrap_err().to_string();
    assert!(error.contains("(batch, 3, 64, 64)"), "{error}");
}

fn merges() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/clip_tokenizer/merges.txt")
}

fn base() -> Config {
    Config { device: "cpu".into(), ..Config::tiny() }
}

fn loss(_: &Tensor, _: &Tensor, t: &Tensor) -> vision_language::Result<Tensor> {
    Ok(t.clone())
}

/// A folder as open_clip writes it.
fn folder(case: &str, state: &StateDict) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let head_width = if case == "clip_vit" { 4 } else { 16 };
    let about = format!(
        r#"{{"model_cfg": {{"embed_dim": 12, "quick_gelu": true, "vision_cfg": {{"head_width": {head_width}}},
            "text_cfg": {{"heads": 4}}}},
            "preprocess_cfg": {{"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}}}}"#
    );
    std::fs::write(folder.path().join("open_clip_config.json"), about).unwrap();
    // What lies beside it in `timm/resnet50_clip.openai`: the image encoder's own.
    std::fs::write(folder.path().join("config.json"), r#"{"architecture": "resnet50_clip"}"#)
        .unwrap();
    std::fs::write(folder.path().join("model.safetensors"), "another program's").unwrap();
    std::fs::copy(merges(), folder.path().join("merges.txt")).unwrap();
    save_safetensors(&folder.path().join("open_clip_model.safetensors"), state).unwrap();
    folder
}

#[test]
fn whole_models_from_open_clips_folder() {
    let golden = Golden::load("clip_openai");
    for case in ["clip_resnet", "clip_vit"] {
        let state = golden.all(case, "param");
        let folder = folder(case, &state);
        let model = ClipModel::from_clip_folder(folder.path(), &base(), loss).unwrap();
        let (ids, mask) = (golden.ids(case, "ids"), golden.ids(case, "mask"));
        let image = model.encode_image(&golden.get(case, "in", "x"), Mode::Eval).unwrap();
        let text = model.encode_text(&ids, &mask, Mode::Eval).unwrap();
        let (image, text) = (l2_normalize(&image).unwrap(), l2_normalize(&text).unwrap());
        assert_one(&format!("{case}: images"), &image, &golden.get(case, "out", "image"), OUTPUT);
        assert_one(&format!("{case}: texts"), &text, &golden.get(case, "out", "text"), OUTPUT);
        let scale = model.logit_scale().exp().unwrap();
        let logits = image.matmul(&text.t().unwrap()).unwrap().broadcast_mul(&scale).unwrap();
        assert_one(&format!("{case}: logits"), &logits, &golden.get(case, "out", "logits"), OUTPUT);
        let grads = backward(&logits, &golden.get(case, "in", "weight"));
        let got = gradients(&grads, model.params(), &[]);
        // Their gradients under our names: what becomes of them when they are read as weights.
        let mut wanted = golden.all(case, "grad");
        for (name, value) in &state {
            wanted.entry(name.clone()).or_insert_with(|| value.zeros_like().unwrap());
        }
        let place = self::folder(case, &wanted);
        let theirs = ClipModel::from_clip_folder(place.path(), &base(), loss).unwrap();
        let mut wanted = theirs.params().state_dict();
        wanted.retain(|name, _| got.contains_key(name));
        assert_eq!(got.len(), model.params().trainable().len());
        assert_close(&format!("{case}: gradients"), &got, &wanted, GRADIENT);
        assert_eq!(model.config().fit, Fit::Crop);
        assert_eq!(model.tokenizer().vocab_size(), 1514);
    }
}

/// The picture's head is the identity with CLIP's ResNet, and stays it; a checkpoint of ours keeps the whole model.
#[test]
fn a_resnets_head_is_the_identity_and_a_checkpoint_keeps_it() {
    let golden = Golden::load("clip_openai");
    let folder = folder("clip_resnet", &golden.all("clip_resnet", "param"));
    let model = ClipModel::open(
        folder.path(),
        vision_language::clip::head::<vision_language::clip::LinearHead>(),
        loss,
    );
    let model = model.unwrap();
    let head = model.params().pp("image_projection");
    assert!(
        head.trainable().is_empty() && !model.params().pp("text_projection").trainable().is_empty()
    );
    let x = golden.get("clip_resnet", "in", "x");
    let features = model.image_features(&x, Mode::Eval).unwrap().to_vec2::<f32>().unwrap();
    assert_eq!(features, model.encode_image(&x, Mode::Eval).unwrap().to_vec2::<f32>().unwrap());
    let path = folder.path().join("mine.pt");
    vision_language::clip::Save::save(&model, &path).unwrap();
    let again = ClipModel::open(
        &path,
        vision_language::clip::head::<vision_language::clip::LinearHead>(),
        loss,
    )
    .unwrap();
    assert_eq!(again.config(), model.config());
    assert_eq!(features, again.encode_image(&x, Mode::Eval).unwrap().to_vec2::<f32>().unwrap());
}

/// OpenAI's state dict and nothing else, in half precision and with the numbers of its archives: sizes by its shapes, heads of 64.
#[test]
fn a_plain_state_dict() {
    let golden = Golden::load("clip_openai");
    for case in ["clip_resnet", "clip_vit"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(merges(), folder.path().join("bpe_simple_vocab_16e6.txt")).unwrap();
        let half = |(k, v): (String, Tensor)| (k, v.to_dtype(DType::F16).unwrap());
        let mut state: StateDict = golden.all(case, "param").into_iter().map(half).collect();
        state
            .insert("context_length".into(), Tensor::new(9i64, &candle_core::Device::Cpu).unwrap());
        save_pt(&folder.path().join("mine.pt"), &state, &[]).unwrap();
        let model = ClipModel::published(folder.path()).unwrap();
        match (&model.config().image_encoder, case) {
            (ImageEncoderConfig::ClipResNet(found), "clip_resnet") => {
                assert_eq!(*found, ClipResNetConfig { heads: 1, ..small() });
            }
            (ImageEncoderConfig::Vit(found), "clip_vit") => {
                assert_eq!(
                    (found.image_size, found.patch_size, found.num_hidden_layers),
                    (24, 6, 2)
                );
                assert_eq!((found.hidden_size, found.intermediate_size), (16, 24));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!((model.config().max_length, model.config().projection_dim), (9, 12));
        // The image encoder alone from the same file.
        if case == "clip_resnet" {
            let params = params();
            image_encoder(&small().into(), &params).unwrap();
            load_image_weights(&small().into(), &folder.path().join("mine.pt"), &params).unwrap();
        }
    }
}

#[test]
fn what_is_no_clip_is_said() {
    let golden = Golden::load("clip_openai");
    let error = |folder: &Path| ClipModel::published(folder).err().unwrap().to_string();
    let mut state = golden.all("clip_vit", "param");
    state.insert("visual.extra".into(), state["logit_scale"].clone());
    let one = folder("clip_vit", &state);
    assert!(error(one.path()).contains("visual.extra"), "{}", error(one.path()));
    state.remove("visual.extra");
    state.remove("visual.ln_pre.weight");
    let one = folder("clip_vit", &state);
    assert!(error(one.path()).contains("pre_layrnorm.weight"), "{}", error(one.path()));
    state.remove("visual.proj");
    let one = folder("clip_vit", &state);
    assert!(error(one.path()).contains("neither a vision transformer"), "{}", error(one.path()));
    let one = folder("clip_resnet", &golden.all("clip_resnet", "param"));
    std::fs::remove_file(one.path().join("merges.txt")).unwrap();
    assert!(error(one.path()).contains("CLIP's tokenizer"), "{}", error(one.path()));
    let grey = r#"{"image_mean": [0.5, 0.5, 0.5]}"#;
    std::fs::write(one.path().join("preprocessor_config.json"), grey).unwrap();
    assert!(error(one.path()).contains("pictures of another mean"), "{}", error(one.path()));
    let empty = tempfile::tempdir().unwrap();
    assert!(error(empty.path()).contains("there are 0 such"), "{}", error(empty.path()));
}

/// `picture` of the script.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let blue = match (x / 9 + y / 7) % 2 {
            0 => 240,
            _ => y * 200 / (height - 1).max(1),
        };
        image::Rgb([
            (x * 255 / (width - 1).max(1)) as u8,
            ((x * x / 37 + y * 5) % 256) as u8,
            blue as u8,
        ])
    })
}

/// transformers' processor over PIL. The resize goes through whole numbers in both: where PIL rounds a half the other way a value
/// differs by 1 of 255, measured in 30 of 12,288 values at most.
#[test]
fn pictures_are_prepared_as_transformers_does() {
    let golden = Golden::load("clip_preprocess");
    let transform = Transform::clip(64);
    let sizes = [(500, 375), (333, 500), (640, 427), (320, 240), (75, 50), (107, 64), (64, 64)];
    for (width, height) in sizes {
        let case = format!("{width}x{height}");
        let ours = transform.resize_u8(&picture(width, height)).unwrap();
        let theirs = golden.get(&case, "out", "pixels").to_dtype(DType::U8).unwrap();
        let theirs =
            theirs.permute((1, 2, 0)).unwrap().flatten_all().unwrap().to_vec1::<u8>().unwrap();
        let off: Vec<u8> = ours.as_raw().iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b)).collect();
        let (most, sum) =
            (off.iter().max().unwrap(), off.iter().map(|o| u32::from(*o)).sum::<u32>());
        println!("{case}: at most {most}, {sum} in {} values", off.len());
        assert_eq!(off.len(), theirs.len());
        assert!(*most <= 1 && sum as usize <= off.len() / 200, "{case}: {most}, {sum}");
    }
    let values = transform.apply(&picture(500, 375)).unwrap();
    let theirs = golden.get("500x375", "out", "values");
    let most = common::largest(&(values - theirs).unwrap());
    // One of 255 is at most 0.01501 after the normalisation: 1 / (255 · 0.2613).
    assert!(most <= 0.01502, "{most}");
    // A file is read the same way, and comes back as a picture.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    picture(320, 240).save(&path).unwrap();
    let read = transform.load(&path, 0).unwrap();
    let middle = transform.resize_u8(&picture(320, 240)).unwrap();
    assert_eq!(transform.inverse(&read).unwrap(), middle);
    assert!(transform.apply(&RgbImage::new(0, 5)).unwrap_err().to_string().contains("0 × 5"));
}
