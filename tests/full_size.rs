//! The lecture's and mini's encoders at full size against PyTorch in float64: `tests/golden/full_size.py DIR` makes the
//! files, `VL_FULL_SIZE=DIR` says where they are. Without it nothing is compared, and the test says so.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{assert_close, assert_one, backward, gradients, params};
use vision_language::candle_core::{DType, Tensor, Var};
use vision_language::checkpoint::{StateDict, load_tensors};
use vision_language::config::{
    BertConfig, DistilBertConfig, EfficientNetLiteConfig, ImageEncoderConfig, ResNetConfig,
    TextEncoderConfig,
};
use vision_language::encoder::{
    image_encoder, load_image_weights, load_text_weights, text_encoder,
};
use vision_language::nn::Mode;

/// float32 through fifty layers: PyTorch's own is off by up to 3e-6 of the largest entry (the script prints it).
const OUTPUT: f64 = 2e-5;
/// And back. ReLU and the maximum have kinks: where a value lies within rounding of one, a whole gradient goes another
/// way, and single entries differ although everything is right. PyTorch's own float32 differs as much.
const GRADIENT: f64 = 1e-2;

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
        assert_one(&format!("{name}, {case}: features"), &y, &golden.get(case, "out", "y"), OUTPUT);
        let grads = backward(&y, &golden.get(case, "in", "weight"));
        let got = gradients(&grads, &params, &[("x", &x)]);
        // torchvision's gradients stand under its own names: there the outputs and the picture's gradient are enough.
        let expected = golden.all(case, "grad");
        let same = expected.len() == got.len() && expected.keys().all(|k| got.contains_key(k));
        let one = |state: &StateDict| BTreeMap::from([("x".to_string(), state["x"].clone())]);
        let (got, expected) = if same { (got, expected) } else { (one(&got), one(&expected)) };
        assert!(same || name.starts_with("torchvision"), "{name}: other names");
        assert_close(&format!("{name}, {case}: gradients"), &got, &expected, GRADIENT);
        if same {
            let mut after = params.state_dict();
            after.retain(|name, _| name.contains("running_"));
            assert_close(
                &format!("{name}, {case}: statistics"),
                &after,
                &golden.all(case, "after"),
                OUTPUT,
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
        assert_one(&format!("{name}, {case}: features"), &y, &golden.get(case, "out", "y"), OUTPUT);
        let grads = backward(&y, &golden.get(case, "in", "weight"));
        let got = gradients(&grads, &params, &[]);
        assert_close(
            &format!("{name}, {case}: gradients"),
            &got,
            &golden.all(case, "grad"),
            GRADIENT,
        );
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
