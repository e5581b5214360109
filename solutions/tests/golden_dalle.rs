//! DALL-E's two stages, with the masters of its exercises, against PyTorch: `tests/golden/dalle.py`.

#[path = "../../tests/common/mod.rs"]
mod common;

use common::{Golden, assert_close, assert_one, gradients};
use solutions::{dalle_sequence, quantize};
use vision_language::candle_core::{DType, Device, Tensor, Var};
use vision_language::dalle::DrawConfig;
use vision_language::dalle::{
    Dalle, DalleConfig, Dvae, DvaeConfig, Ramp, SequenceLayout, from_unit, logit_laplace, to_unit,
};
use vision_language::language_model::Decoding;
use vision_language::measure::{Moments, frechet_distance};
use vision_language::nn::{Mode, Params};
use vision_language::text::Tokenizer;

/// Some ten layers in another order of summation: f32 rounds by 6e-8, and a softmax's exponent multiplies that.
const OUTPUT: f64 = 1e-5;
/// And back again; a convolution's gradient sums a few hundred products that partly cancel.
const GRADIENT: f64 = 5e-5;

fn dvae(golden: &Golden, side: usize) -> Dvae {
    let config = DvaeConfig { side, widths: [4, 6], codes: 5, lr: 3e-3, ..DvaeConfig::tiny() };
    let params = Params::new(&Device::Cpu, 0);
    let dvae = Dvae::with(&config, &params, quantize).unwrap();
    params.load_state_dict(&golden.all("dvae", "param")).unwrap();
    dvae
}

/// As in the reference: 3 text tokens of 10, 2 × 2 codes of 5, two layers of 16. The tokenizer is only there.
fn dalle(golden: &Golden) -> Dalle {
    let layout = SequenceLayout {
        text_tokens: 3,
        text_vocabulary: 10,
        pad_id: 0,
        rows: 2,
        columns: 2,
        codes: 5,
        text_weight: 1. / 8.,
        image_weight: 7. / 8.,
    };
    let config =
        DalleConfig { layout, width: 16, layers: 2, heads: 4, lr: 2e-3, ..DalleConfig::tiny() };
    let json = r###"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,"pre_tokenizer":null,
        "post_processor":null,"decoder":null,"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
        "max_input_chars_per_word":100,"vocab":{"[PAD]":0,"[UNK]":1}}}"###;
    let tokenizer = Tokenizer::from_bytes(json.as_bytes()).unwrap();
    let params = Params::new(&Device::Cpu, 0);
    let dvae = dvae(golden, 8);
    let model = Dalle::with(&config, &params, dvae, tokenizer, dalle_sequence).unwrap();
    params.load_state_dict(&golden.all("dalle", "param")).unwrap();
    model
}

/// A step of AdamW divides a gradient by its own size: where that is rounding, so is the step.
fn assert_step(golden: &Golden, case: &str, after: &vision_language::checkpoint::StateDict) {
    let wanted = golden.all(case, "after");
    assert_eq!(after.len(), wanted.len());
    for (name, wanted) in &wanted {
        let gradient = golden.get(case, "grad", name);
        let sure = gradient.abs().unwrap().ge(1e-6f32).unwrap().to_dtype(wanted.dtype()).unwrap();
        let far = common::largest(&((&after[name] - wanted).unwrap() * sure).unwrap());
        assert!(far < 1e-5, "`{name}` by {far:.1e}");
    }
}

#[test]
fn the_likelihood_of_a_pixel() {
    let golden = Golden::load("dalle");
    let (mu, ln_b) = (golden.var("likelihood", "mu"), golden.var("likelihood", "ln_b"));
    let phi = to_unit(&golden.get("likelihood", "in", "x")).unwrap();
    let nats = logit_laplace(&phi, mu.as_tensor(), ln_b.as_tensor()).unwrap();
    assert_one("−ln f", &nats, &golden.get("likelihood", "out", "nats"), 2e-6);
    let back = from_unit(mu.as_tensor()).unwrap();
    assert_one("the way back", &back, &golden.get("likelihood", "out", "back"), 2e-6);
    let grads = common::backward(&nats, &golden.get("likelihood", "in", "weight"));
    let named: [(&str, &Var); 2] = [("mu", &mu), ("ln_b", &ln_b)];
    let got = gradients(&grads, &Params::new(&Device::Cpu, 0), &named);
    assert_close("gradients", &got, &golden.all("likelihood", "grad"), 2e-6);
}

#[test]
fn one_training_step_of_the_dvae() {
    let golden = Golden::load("dalle");
    let dvae = dvae(&golden, 8);
    let images = golden.get("dvae", "in", "images");
    let noise = golden.get("dvae", "in", "noise");
    let found = dvae.loss(&images, 0.7, 1.9, &noise).unwrap();
    assert_one("logits", &found.logits, &golden.get("dvae", "out", "logits"), OUTPUT);
    assert_one("loss", &found.total, &golden.get("dvae", "out", "loss"), OUTPUT);
    for (name, value) in [("reconstruction", found.reconstruction), ("kl", found.kl)] {
        let value = Tensor::new(value as f32, &Device::Cpu).unwrap();
        assert_one(name, &value, &golden.get("dvae", "out", name), OUTPUT);
    }
    let z = quantize(&found.logits, 0.7, Some(&noise)).unwrap();
    assert_one("soft codes", &z, &golden.get("dvae", "out", "z"), OUTPUT);
    let grads = found.total.backward().unwrap();
    let got = gradients(&grads, dvae.params(), &[]);
    assert_close("gradients", &got, &golden.all("dvae", "grad"), GRADIENT);
    assert!(common::largest(&got["encoder.down1.weight"]) > 1e-4);
    let mut optimizer = dvae.optimizer();
    optimizer.step(&grads).unwrap();
    assert_step(&golden, "dvae", &dvae.params().state_dict());
}

#[test]
fn hard_codes_and_their_pictures() {
    let golden = Golden::load("dalle");
    let dvae = dvae(&golden, 8);
    let images = golden.get("dvae", "in", "images");
    let codes = dvae.codes(&images).unwrap();
    let wanted = golden.get("dvae", "out", "codes").to_dtype(DType::U32).unwrap();
    assert_eq!(codes.to_vec2::<u32>().unwrap(), wanted.to_vec2::<u32>().unwrap());
    let back = dvae.pictures(&codes).unwrap();
    assert_one("reconstructions", &back, &golden.get("dvae", "out", "back"), OUTPUT);
    // One-hot codes by the exercise lead to the same pictures as the numbers.
    let one_hot = quantize(&dvae.encode(&images).unwrap(), 1., None).unwrap();
    let by_hand = from_unit(&dvae.decode(&one_hot).unwrap().0).unwrap();
    assert_one("one-hot", &by_hand, &back, OUTPUT);
}

#[test]
fn one_training_step_of_the_transformer() {
    let golden = Golden::load("dalle");
    let model = dalle(&golden);
    let (text, codes) = (golden.ids("dalle", "text"), golden.ids("dalle", "codes"));
    let sequence = model.sequence(&text, &codes).unwrap();
    let found = model.loss(&sequence, Mode::Train).unwrap();
    assert_one("loss", &found.total, &golden.get("dalle", "out", "loss"), OUTPUT);
    for (name, value) in [("text", found.text), ("image", found.image)] {
        let value = Tensor::new(value as f32, &Device::Cpu).unwrap();
        assert_one(name, &value, &golden.get("dalle", "out", name), OUTPUT);
    }
    let grads = found.total.backward().unwrap();
    let got = gradients(&grads, model.params(), &[]);
    assert_close("gradients", &got, &golden.all("dalle", "grad"), GRADIENT);
    let mut optimizer = model.optimizer();
    optimizer.step(&grads).unwrap();
    assert_step(&golden, "dalle", &model.params().state_dict());
}

/// What is drawn with the cache, code after code, is what the whole sequence says: with the greatest logit each time, every
/// code is the likeliest one of the reference's row that begins with it.
#[test]
fn the_cache_changes_nothing() {
    let golden = Golden::load("dalle");
    let model = dalle(&golden);
    let how = DrawConfig { decoding: Decoding::Greedy, seed: 0 };
    let drawing = model.draw(&["".to_string(), "".to_string()], &how).unwrap();
    let drawn = drawing.codes.to_vec2::<u32>().unwrap();
    assert_eq!(drawn[0], drawn[1]);
    let text = model.text_ids(&[""]).unwrap();
    for place in 0..4 {
        // Every code in this place, the drawn ones before it: the drawn one costs least.
        let cost = |code: u32| {
            let mut row = drawn[0].clone();
            row[place] = code;
            let codes = Tensor::new(vec![row], &Device::Cpu).unwrap();
            let mut sequence = model.sequence(&text, &codes).unwrap();
            // Only this code's own target counts.
            let mut weights = vec![0f32; 7];
            weights[2 + place] = 1.;
            sequence.weights = Tensor::new(vec![weights], &Device::Cpu).unwrap();
            model.loss(&sequence, Mode::Eval).unwrap().total.to_scalar::<f32>().unwrap()
        };
        let best = (0..5u32).min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap();
        assert_eq!(best, drawn[0][place], "place {place}");
    }
}

#[test]
fn the_schedules() {
    let golden = Golden::load("dalle");
    let done = golden.get("schedule", "in", "done").to_vec1::<f64>().unwrap();
    let ramps = [
        ("temperature", Ramp { from: 1., to: 1. / 16., until: 0.8 }),
        ("kl_weight", Ramp { from: 0., to: 6.6, until: 0.2 }),
    ];
    for (name, ramp) in ramps {
        let wanted = golden.get("schedule", "out", name).to_vec1::<f64>().unwrap();
        for (done, wanted) in done.iter().zip(wanted) {
            // The same formula in f64.
            assert!((ramp.at(*done) - wanted).abs() < 1e-12, "{name} at {done}");
        }
    }
}

#[test]
fn the_distance_of_distributions() {
    let golden = Golden::load("dalle");
    let moments = |name: &str| Moments::of(&golden.get("frechet", "in", name)).unwrap();
    let found = frechet_distance(&moments("a"), &moments("b")).unwrap();
    let wanted = golden.get("frechet", "out", "distance").to_scalar::<f64>().unwrap();
    // Two ways to a matrix' root, in f64.
    assert!((found - wanted).abs() < 1e-8 * wanted, "{found} {wanted}");
}

#[test]
fn a_target_of_the_wrong_sort_is_named() {
    let golden = Golden::load("dalle");
    let model = dalle(&golden);
    let (text, codes) = (golden.ids("dalle", "text"), golden.ids("dalle", "codes"));
    let mut sequence = model.sequence(&text, &codes).unwrap();
    // Not shifted: a place is asked for itself.
    sequence.targets = sequence.ids.clone();
    let error = model.loss(&sequence, Mode::Train).err().unwrap().to_string();
    assert!(error.contains("target of image place 2") && error.contains("13 to 17"), "{error}");
}
