//! The three objectives and fine-tuning against PyTorch: `tests/golden/objectives.py`.

mod common;

use candle_core::Tensor;
use common::{Golden, assert_close, assert_one, gradients};
use vision_language::candle_core;
use vision_language::checkpoint::StateDict;
use vision_language::clip::objectives::{BagOfWords, Captioner};
use vision_language::clip::suite::FineTuned;
use vision_language::clip::{ClipModel, LinearHead, TextClassifier, head};
use vision_language::config::{
    CbowConfig, Config, Gpt2Config, ResNetConfig, ResidualLayer, Start, Stem,
};
use vision_language::language_model::from_transformers;
use vision_language::nn::{Mode, Params};
use vision_language::text::Tokenizer;

/// Some ten layers in another order of summation.
const OUTPUT: f64 = 1e-5;
/// And back again; batch norm over a few dozen values cancels most of what it gets.
const GRADIENT: f64 = 1e-4;

/// By this tokenizer the reference's labels.
const LABELS: [&str; 4] = [", ' !", ", ' ? &", ", ' ! aa", ", '"];

fn config() -> Config {
    Config {
        device: "cpu".into(),
        size: 20,
        max_length: 16,
        image_encoder: ResNetConfig {
            embedding_size: 6,
            hidden_sizes: vec![6, 10],
            depths: vec![1, 2],
            layer: ResidualLayer::Basic,
            stem: Stem::Small,
        }
        .into(),
        text_encoder: CbowConfig { vocab_size: 0, width: 4 }.into(),
        projection_dim: 8,
        image_start: Start::Scratch,
        text_start: Start::Scratch,
        ..Config::tiny()
    }
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_words(&[]).unwrap()
}

fn labels() -> Vec<String> {
    LABELS.map(String::from).to_vec()
}

/// The decoder's weights and gradients under our names and in our shapes.
fn ours(state: StateDict) -> StateDict {
    let (decoder, rest): (StateDict, StateDict) =
        state.into_iter().partition(|(name, _)| name.starts_with("decoder."));
    let bare = |(name, value): (String, Tensor)| (name.replacen("decoder.", "", 1), value);
    let decoder = from_transformers(&decoder.into_iter().map(bare).collect()).unwrap();
    decoder.into_iter().map(|(name, v)| (format!("decoder.{name}"), v)).chain(rest).collect()
}

/// The loss and the gradient of every parameter.
fn check(case: &str, golden: &Golden, params: &Params, loss: &Tensor) {
    assert_one(&format!("{case}: loss"), loss, &golden.get(case, "out", "loss"), OUTPUT);
    let got = gradients(&loss.backward().unwrap(), params, &[]);
    assert_close(&format!("{case}: gradients"), &got, &ours(golden.all(case, "grad")), GRADIENT);
}

#[test]
fn a_caption_word_by_word() {
    let golden = Golden::load("objectives");
    let sizes = Gpt2Config {
        vocab_size: 0,
        n_positions: 16,
        n_embd: 16,
        n_layer: 1,
        n_head: 4,
        layer_norm_epsilon: 1e-5,
        dropout: 0.,
    };
    let model = Captioner::bare(&config(), &sizes, tokenizer()).unwrap();
    model.params().load_state_dict(&ours(golden.all("caption", "param"))).unwrap();
    let (x, ids, mask) =
        (golden.get("all", "in", "x"), golden.ids("all", "ids"), golden.ids("all", "mask"));
    let loss = model.loss(&x, &ids, &mask, Mode::Train).unwrap();
    check("caption", &golden, model.params(), &loss);
    // What all labels begin with is left out of ours: the differences to the last label count. The reference reads each text
    // anew, ours what is common once. Batch norm's statistics have moved in both, by the same pictures.
    let less_last = |scores: &Tensor| {
        scores.broadcast_sub(&scores.narrow(1, LABELS.len() - 1, 1).unwrap()).unwrap()
    };
    let got = model.sentence_scores(&x, &labels()).unwrap();
    let expected = golden.get("caption", "eval", "scores");
    assert_one("captions' likelihoods", &less_last(&got), &less_last(&expected), OUTPUT);
    assert!(model.sentence_scores(&x, &[]).is_err());
    let nothing = mask.zeros_like().unwrap();
    assert!(model.loss(&x, &ids, &nothing, Mode::Eval).is_err());
}

#[test]
fn a_bag_of_words() {
    let golden = Golden::load("objectives");
    let model = BagOfWords::bare(&config(), tokenizer()).unwrap();
    model.params().load_state_dict(&golden.all("words", "param")).unwrap();
    let (x, ids) = (golden.get("all", "in", "x"), golden.ids("all", "ids"));
    let loss = model.loss(&x, &ids, Mode::Train).unwrap();
    check("words", &golden, model.params(), &loss);
    let got = model.label_scores(&x, &labels()).unwrap();
    assert_one("labels' words", &got, &golden.get("words", "eval", "scores"), OUTPUT);
    let error = model.label_scores(&x, &[String::new()]).unwrap_err().to_string();
    assert!(error.contains("at least one word"), "{error}");
}

#[test]
fn fine_tuning() {
    let golden = Golden::load("objectives");
    let no_loss = |_: &Tensor, _: &Tensor, t: &Tensor| Ok(t.clone());
    let model = ClipModel::bare(&config(), tokenizer(), head::<LinearHead>(), no_loss).unwrap();
    let mut state = golden.all("tuned", "param");
    let weight = state.remove("weight").unwrap();
    for place in ["image_encoder", "image_projection"] {
        let here = state.iter().filter(|(name, _)| name.starts_with(place));
        let here = here.map(|(name, value)| (name.clone(), value.clone())).collect();
        model.params().pp(place).load_state_dict(&here).unwrap();
    }
    // The reference's rows have length 3: unit rows and the logarithm of 3.
    let rows = (&weight / 3.).unwrap();
    let classifier = TextClassifier::with_scale(&labels(), &rows, 3f64.ln()).unwrap();
    let tuned = FineTuned::new(model, &classifier).unwrap();
    let classes = golden.ids("tuned", "classes");
    let loss = tuned.loss(&golden.get("all", "in", "x"), &classes, Mode::Train).unwrap();
    assert_one("tuned: loss", &loss, &golden.get("tuned", "out", "loss"), OUTPUT);
    let grads = loss.backward().unwrap();
    let all = tuned.optimizer(1e-3);
    let trained = all.groups().iter().flat_map(|group| &group.params);
    let got: StateDict = trained
        .map(|param| {
            let grad = grads.get(param.var().as_tensor());
            let name = param.name().replace("classifier.", "");
            let grad = grad.unwrap_or_else(|| panic!("no gradient reaches `{name}`")).clone();
            (name, grad)
        })
        .collect();
    assert_close("tuned: gradients", &got, &golden.all("tuned", "grad"), GRADIENT);
}
