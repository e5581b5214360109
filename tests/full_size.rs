//! The lecture's and mini's encoders at full size against PyTorch in float64: `tests/golden/full_size.py DIR` makes the files;
//! CLIP's, and what whole CLIPs say to photographs: `tests/golden/full_size_clip.py DIR`. `VL_FULL_SIZE=DIR` says where they
//! are. Without it nothing is compared, and the test says so.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{backward, gradients, params};
use vision_language::candle_core::{DType, Tensor, Var};
use vision_language::checkpoint::{StateDict, load_tensors};
use vision_language::clip::ClipModel;
use vision_language::config::{
    BertConfig, ClipResNetConfig, DistilBertConfig, EfficientNetLiteConfig, ImageEncoderConfig,
    ResNetConfig, TextEncoderConfig, VitConfig,
};
use vision_language::dataset::Transform;
use vision_language::encoder::{
    image_encoder, load_image_weights, load_text_weights, text_encoder,
};
use vision_language::nn::{Mode, l2_normalize};

/// How many times further from float64 we may be than PyTorch's own float32 is.
const TIMES: f64 = 4.;
/// What rounding alone gives, where PyTorch's happens to be next to nothing.
const ROUNDING: f64 = 1e-5;
/// And what one of ReLU's kinks gives: where a value lies within rounding of one, a whole gradient goes another way. Of two
/// float32 passes through the same ResNet-50 one met none here (1e-6), the other one (9e-4).
const KINK: f64 = 2e-3;

/// The worst tensor's error, as the script measures it: lengths, not largest entries.
fn worst(got: &StateDict, expected: &StateDict) -> (f64, String) {
    assert!(got.keys().eq(expected.keys()), "other names");
    let double = |t: &Tensor| t.to_dtype(DType::F64).unwrap();
    let length =
        |t: &Tensor| t.sqr().unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap().sqrt();
    let of_all = expected.values().map(|t| length(&double(t))).fold(0., f64::max);
    let error = |(name, to): (&String, &Tensor)| {
        let to = double(to);
        let off = length(&(double(&got[name]) - &to).unwrap());
        (off / length(&to).max(1e-3 * of_all), name.clone())
    };
    expected.iter().map(error).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap()
}

/// Prints how far off we are, and how far PyTorch's float32 is.
fn compare(what: &str, got: &StateDict, expected: &StateDict, torch: f64, least: f64) {
    let (off, name) = worst(got, expected);
    println!(
        "{what}: {} tensors, off by {off:.1e} (PyTorch {torch:.1e}), most at `{name}`",
        got.len()
    );
    assert!(
        off <= TIMES * torch + least,
        "{what}: off by {off:.1e}, PyTorch by {torch:.1e}, at `{name}`"
    );
}

fn one(name: &str, tensor: Tensor) -> StateDict {
    BTreeMap::from([(name.to_string(), tensor)])
}

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("VL_FULL_SIZE").map(PathBuf::from);
    if folder.is_none() {
        println!(
            "SKIPPED: VL_FULL_SIZE is not set; python tests/golden/full_size.py DIR makes the files"
        );
    }
    folder
}

struct Golden(StateDict);

impl Golden {
    fn all(&self, case: &str, what: &str) -> StateDict {
        let prefix = format!("{case}/{what}/");
        let below = |(key, value): (&String, &Tensor)| {
            Some((key.strip_prefix(&prefix)?.to_string(), value.clone()))
        };
        self.0.iter().filter_map(below).collect()
    }

    fn get(&self, case: &str, what: &str, name: &str) -> Tensor {
        self.0[&format!("{case}/{what}/{name}")].clone()
    }

    /// How far PyTorch's float32 is from its float64.
    fn torch(&self, case: &str, what: &str) -> f64 {
        f64::from(self.get(case, "float32", what).to_scalar::<f32>().unwrap())
    }

    fn load(folder: &Path, name: &str) -> Self {
        Self(load_tensors(&folder.join(name)).unwrap())
    }
}

fn pictures(name: &str, weights: &str, config: ImageEncoderConfig, cases: &[(&str, Mode)]) {
    let Some(folder) = folder() else { return };
    let golden = Golden::load(&folder, &format!("{name}.safetensors"));
    for &(case, mode) in cases {
        let params = params();
        let model = image_encoder(&config, &params).unwrap();
        load_image_weights(&config, &folder.join(weights), &params).unwrap();
        let x = Var::from_tensor(&golden.get(case, "in", "x")).unwrap();
        let y = model.forward(x.as_tensor(), mode).unwrap();
        let at = format!("{name}, {case}");
        let (y_at, g_at) = (format!("{at}: features"), format!("{at}: gradients"));
        let to = one("y", golden.get(case, "out", "y"));
        compare(&y_at, &one("y", y.detach()), &to, golden.torch(case, "features"), ROUNDING);
        let grads = backward(&y, &golden.get(case, "in", "weight"));
        let (mut got, mut to) =
            (gradients(&grads, &params, &[("x", &x)]), golden.all(case, "grad"));
        if name.starts_with("torchvision") {
            // Its gradients stand under its own names: the picture's, which has been through all of them, is enough.
            (got, to) = (one("x", got["x"].clone()), one("x", to["x"].clone()));
        }
        compare(&g_at, &got, &to, golden.torch(case, "gradients"), KINK);
        let mut after = params.state_dict();
        after.retain(|name, _| name.contains("running_"));
        if !name.starts_with("torchvision") && !after.is_empty() {
            compare(
                &format!("{at}: statistics"),
                &after,
                &golden.all(case, "after"),
                golden.torch(case, "features"),
                ROUNDING,
            );
        }
    }
}

fn texts(name: &str, weights: &str, config: TextEncoderConfig) {
    let Some(folder) = folder() else { return };
    let golden = Golden::load(&folder, &format!("{name}.safetensors"));
    for case in ["padded", "full"] {
        let params = params();
        let model = text_encoder(&config, &params).unwrap();
        load_text_weights(&config, &folder.join(weights), &params).unwrap();
        let ids = |name: &str| golden.get(case, "in", name).to_dtype(DType::U32).unwrap();
        let y = model.forward(&ids("ids"), &ids("mask"), Mode::Train).unwrap();
        let at = format!("{name}, {case}");
        let to = one("y", golden.get(case, "out", "y"));
        compare(
            &format!("{at}: features"),
            &one("y", y.detach()),
            &to,
            golden.torch(case, "features"),
            ROUNDING,
        );
        let grads = backward(&y, &golden.get(case, "in", "weight"));
        let got = gradients(&grads, &params, &[]);
        let to = golden.all(case, "grad");
        compare(&format!("{at}: gradients"), &got, &to, golden.torch(case, "gradients"), ROUNDING);
    }
}

const ALL: [(&str, Mode); 3] = [("eval", Mode::Eval), ("odd", Mode::Eval), ("train", Mode::Train)];

#[test]
fn resnet50() {
    pictures("resnet50", "resnet-50/model.safetensors", ResNetConfig::resnet50().into(), &ALL);
}

#[test]
fn torchvision_resnet50() {
    let config = ResNetConfig::resnet50().into();
    pictures("torchvision_resnet50", "torchvision/resnet50.pth", config, &ALL[..1]);
}

#[test]
fn efficientnet_lite0() {
    let config = EfficientNetLiteConfig::lite0().into();
    let weights = "tf_efficientnet_lite0.in1k/model.safetensors";
    pictures("efficientnet_lite0", weights, config, &ALL);
}

#[test]
fn distilbert() {
    let config = DistilBertConfig { dropout: 0., ..DistilBertConfig::base_uncased() };
    texts("distilbert", "distilbert-base-uncased/pytorch_model.bin", config.into());
}

#[test]
fn minilm() {
    let config = BertConfig { dropout: 0., ..BertConfig::minilm_l6() };
    texts("minilm", "all-MiniLM-L6-v2/model.safetensors", config.into());
}

#[test]
fn clip_resnet50() {
    let weights = "resnet50_clip.openai/open_clip_pytorch_model.bin";
    let cases = [("eval", Mode::Eval), ("train", Mode::Train)];
    pictures("clip_rn50", weights, ClipResNetConfig::rn50().into(), &cases);
}

#[test]
fn clip_vit_base_patch32() {
    let weights = "clip-vit-base-patch32/model.safetensors";
    pictures("clip_vit", weights, VitConfig::base_patch32().into(), &ALL[..1]);
}

/// The sentences of `full_size_clip.py`.
fn sentences() -> Vec<String> {
    let long = format!("a photo of a {}long caption", "very ".repeat(80));
    let short = [
        "a dog on the grass",
        "A photo of a Flower.",
        "a temple in China, seen from below",
        "two   dogs, 3 cats & a boat",
        "naïve café",
    ];
    short.into_iter().map(String::from).chain([long]).collect()
}

/// Logits of a file whose pixels are PIL's: the two resizes round a value differently now and then (1 of 255). transformers'
/// own two processors do, too, and their logits part by up to 4.5e-5; ours by up to 1.7e-6.
const RESIZE: f64 = 5e-5;
/// And of a JPEG, which another decoder reads; 1.4e-3 measured, with the vision transformer.
const DECODER: f64 = 5e-3;

/// Files and sentences in, logits out: the whole way, of a folder as it is published.
fn logits(name: &str, published: &str) {
    let Some(folder) = folder() else { return };
    let golden = Golden::load(&folder, &format!("{name}.safetensors"));
    let model = ClipModel::published(&folder.join(published)).unwrap();
    let texts = l2_normalize(&model.encode_texts(&sentences()).unwrap()).unwrap();
    let scale = model.logit_scale().exp().unwrap();
    let say = |x: &Tensor| {
        let image = l2_normalize(&model.encode_image(x, Mode::Eval).unwrap().detach()).unwrap();
        let logits = image.matmul(&texts.t().unwrap()).unwrap();
        one("logits", logits.broadcast_mul(&scale).unwrap().detach())
    };
    let transform = Transform::of(model.config());
    for file in ["china.png", "flower.png", "small.png", "upright.png", "china.jpg"] {
        let to = one("logits", golden.get(file, "out", "logits"));
        let (at, torch) = (format!("{name}, {file}"), golden.torch(file, "logits"));
        compare(
            &format!("{at}: same pixels"),
            &say(&golden.get(file, "in", "x")),
            &to,
            torch,
            ROUNDING,
        );
        let read = transform.load(&folder.join("clip_photos").join(file), 0).unwrap();
        let least = if file.ends_with("jpg") { DECODER } else { RESIZE };
        compare(&at, &say(&read.unsqueeze(0).unwrap()), &to, torch, least);
    }
}

#[test]
fn logits_of_clip_resnet50() {
    logits("clip_rn50_logits", "resnet50_clip.openai");
}

#[test]
fn logits_of_clip_vit_base_patch32() {
    logits("clip_vit_logits", "clip-vit-base-patch32");
}
