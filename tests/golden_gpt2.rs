//! GPT-2 against transformers': `tests/golden/gpt2.py`.

mod common;

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use common::{Golden, assert_close, assert_one, backward, gradients};
use vision_language::candle_core;
use vision_language::checkpoint::StateDict;
use vision_language::config::Gpt2Config;
use vision_language::language_model::{
    CausalLm, Decoding, GenerateConfig, Gpt2, LmInput, from_transformers, generate, likelihood,
    score_long,
};
use vision_language::nn::{Mode, Params};
use vision_language::text::BpeTokenizer;

/// A forward pass through two layers, in another order of summation.
const OUTPUT: f64 = 1e-5;
/// And back again.
const GRADIENT: f64 = 5e-5;

fn model(golden: &Golden) -> Gpt2 {
    let config = Gpt2Config {
        vocab_size: 29,
        n_positions: 24,
        n_embd: 16,
        n_layer: 2,
        n_head: 4,
        layer_norm_epsilon: 1e-5,
        dropout: 0.,
    };
    let params = Params::new(&Device::Cpu, 0);
    let model = Gpt2::new(&config, &params).unwrap();
    params.load_state_dict(&from_transformers(&golden.all("lm", "param")).unwrap()).unwrap();
    model
}

/// Logits of tokens; zeros at padding, where they mean nothing.
fn of_tokens(logits: &Tensor, mask: &Tensor) -> Tensor {
    let mask = mask.to_dtype(DType::F32).unwrap().unsqueeze(2).unwrap();
    logits.broadcast_mul(&mask).unwrap()
}

/// transformers' gradients under our names. The tied table is one parameter there as here.
fn expected(golden: &Golden, case: &str) -> StateDict {
    from_transformers(&golden.all(case, "grad")).unwrap()
}

#[test]
fn logits_and_every_gradient() {
    let golden = Golden::load("gpt2");
    for case in ["right", "left"] {
        let model = model(&golden);
        let (ids, mask) = (golden.ids(case, "ids"), golden.ids(case, "mask"));
        let logits = of_tokens(&model.logits(&ids, &mask, Mode::Train).unwrap(), &mask);
        assert_one(&format!("{case}: logits"), &logits, &golden.get(case, "out", "y"), OUTPUT);
        let grads = backward(&logits, &golden.get(case, "in", "weight"));
        let got = gradients(&grads, model.params(), &[]);
        assert_close(&format!("{case}: gradients"), &got, &expected(&golden, case), GRADIENT);
    }
}

/// With the model frozen, a prefix gets the same gradient, and nothing else gets any.
#[test]
fn a_gradient_passes_through_the_frozen_model() {
    let golden = Golden::load("gpt2");
    let (ids, mask) = (golden.ids("prefix", "ids"), golden.ids("prefix", "mask"));
    for frozen in [false, true] {
        let model = model(&golden);
        model.params().set_trainable(!frozen);
        let prefix = golden.var("prefix", "prefix");
        let words = model.embed(&ids).unwrap();
        let x = Tensor::cat(&[prefix.as_tensor(), &words], 1).unwrap();
        let logits = model.forward(&LmInput::new(&x, &mask).unwrap(), Mode::Train).unwrap();
        let logits = of_tokens(&logits, &mask);
        assert_one("prefix: logits", &logits, &golden.get("prefix", "out", "y"), OUTPUT);
        let grads = backward(&logits, &golden.get("prefix", "in", "weight"));
        let wanted = golden.get("prefix", "grad", "prefix");
        assert_one("prefix: gradient", grads.get(&prefix).unwrap(), &wanted, GRADIENT);
        if frozen {
            let reached: Vec<_> = model.params().all();
            let reached: Vec<_> =
                reached.iter().filter(|p| grads.get(p.var()).is_some()).map(|p| p.name()).collect();
            assert!(reached.is_empty(), "frozen, and with a gradient: {reached:?}");
        } else {
            let mut all = golden.all("prefix", "grad");
            all.remove("prefix");
            let got = gradients(&grads, model.params(), &[]);
            assert_close("prefix: gradients", &got, &from_transformers(&all).unwrap(), GRADIENT);
        }
    }
}

#[test]
fn attention_weights_of_every_layer_and_head() {
    let golden = Golden::load("gpt2");
    let model = model(&golden);
    let (ids, mask) = (golden.ids("attentions", "ids"), golden.ids("attentions", "mask"));
    let weights = model.attention_weights(&model.input(&ids, &mask).unwrap()).unwrap();
    assert_eq!(weights.len(), 2);
    let tokens = mask.to_dtype(DType::F32).unwrap().unsqueeze(1).unwrap().unsqueeze(3).unwrap();
    for (layer, weights) in weights.iter().enumerate() {
        let wanted = golden.get("attentions", "out", &layer.to_string());
        let got = weights.broadcast_mul(&tokens).unwrap();
        assert_one(&format!("attention of layer {layer}"), &got, &wanted, OUTPUT);
    }
}

#[test]
fn greedy_continuations_token_by_token() {
    let golden = Golden::load("gpt2");
    let model = model(&golden);
    let (ids, mask) = (golden.ids("greedy", "ids"), golden.ids("greedy", "mask"));
    let wanted = golden.get("greedy", "out", "new").to_dtype(DType::U32).unwrap();
    let wanted = wanted.to_vec2::<u32>().unwrap();
    let how = GenerateConfig::greedy(16, &[]);
    let batched = generate(&model, &model.input(&ids, &mask).unwrap(), &how).unwrap();
    assert_eq!(batched, wanted);
    for (row, wanted) in wanted.iter().enumerate() {
        // Alone and without padding; and without the cache, by reading everything anew each time.
        let length = mask.get(row).unwrap().to_vec1::<u32>().unwrap().iter().sum::<u32>() as usize;
        let mut text = ids.get(row).unwrap().narrow(0, 5 - length, length).unwrap();
        let row = text.unsqueeze(0).unwrap();
        let alone = generate(&model, &model.input(&row, &row.ones_like().unwrap()).unwrap(), &how);
        assert_eq!(&alone.unwrap()[0], wanted);
        for next in wanted {
            let row = text.unsqueeze(0).unwrap();
            let logits = model.logits(&row, &row.ones_like().unwrap(), Mode::Eval).unwrap();
            let last = logits.get(0).unwrap().get(row.dims()[1] - 1).unwrap();
            assert_eq!(last.argmax(0).unwrap().to_scalar::<u32>().unwrap(), *next);
            let next = Tensor::new(&[*next], &Device::Cpu).unwrap();
            text = Tensor::cat(&[&text, &next], 0).unwrap();
        }
    }
    // A stop token ends a row and is not part of it; the others go on.
    let stop = wanted[0][3];
    let how = GenerateConfig::greedy(16, &[stop]);
    let stopped = generate(&model, &model.input(&ids, &mask).unwrap(), &how).unwrap();
    for (stopped, whole) in stopped.iter().zip(&wanted) {
        let end = whole.iter().position(|t| *t == stop).unwrap_or(whole.len());
        assert_eq!(*stopped, whole[..end]);
    }
}

/// In bfloat16 the model is the one whose matrices are rounded to it, and near the reference's.
#[test]
fn in_bfloat16() {
    let golden = Golden::load("gpt2");
    let whole = model(&golden);
    let short = whole.bfloat16().unwrap();
    assert!(short.params().trainable().is_empty() && !whole.params().trainable().is_empty());
    let rounded = model(&golden);
    let through = |value: &Tensor| match value.rank() {
        2 => value.to_dtype(DType::BF16).unwrap().to_dtype(DType::F32).unwrap(),
        _ => value.copy().unwrap(),
    };
    let state = rounded.params().state_dict();
    let state = state.iter().map(|(name, value)| (name.clone(), through(value))).collect();
    rounded.params().load_state_dict(&state).unwrap();
    let (ids, mask) = (golden.ids("greedy", "ids"), golden.ids("greedy", "mask"));
    let logits = of_tokens(&short.logits(&ids, &mask, Mode::Eval).unwrap(), &mask);
    let wanted = of_tokens(&rounded.logits(&ids, &mask, Mode::Eval).unwrap(), &mask);
    assert_one("logits of rounded matrices", &logits, &wanted, OUTPUT);
    let how = GenerateConfig::greedy(16, &[]);
    let new = generate(&*short, &short.input(&ids, &mask).unwrap(), &how).unwrap();
    assert_eq!(new, generate(&rounded, &rounded.input(&ids, &mask).unwrap(), &how).unwrap());
    // A weight's rounding is at most 2⁻⁹ of it; two layers deep, logits move by a few times that.
    let whole = of_tokens(&whole.logits(&ids, &mask, Mode::Eval).unwrap(), &mask);
    assert_one("logits", &logits, &whole, 2e-2);
    // It reads a state dict of the whole one, too, and grows its vocabulary.
    let mut short = short;
    short.params().load_state_dict(&model(&golden).params().state_dict()).unwrap();
    short.resize_token_embeddings(31).unwrap();
    assert_eq!(short.logits(&ids, &mask, Mode::Eval).unwrap().dim(2).unwrap(), 31);
}

#[test]
fn sampling_repeats_with_its_seed() {
    let golden = Golden::load("gpt2");
    let model = model(&golden);
    let (ids, mask) = (golden.ids("greedy", "ids"), golden.ids("greedy", "mask"));
    let input = model.input(&ids, &mask).unwrap();
    let decoding = Decoding::Sample { temperature: 1.5, top_k: None, top_p: None };
    let how = |seed| GenerateConfig { decoding, seed, ..GenerateConfig::greedy(12, &[]) };
    let first = generate(&model, &input, &how(1)).unwrap();
    assert_eq!(first, generate(&model, &input, &how(1)).unwrap());
    assert_ne!(first, generate(&model, &input, &how(2)).unwrap());
}

#[test]
fn chances_after_temperature_top_k_and_top_p() {
    let golden = Golden::load("gpt2");
    let logits = golden.get("warp", "in", "logits").get(0).unwrap().to_vec1::<f32>().unwrap();
    for (name, temperature, top_k, top_p) in [
        ("temperature", 0.7, None, None),
        ("top_k", 1.3, Some(5), None),
        ("top_p", 1., None, Some(0.8)),
        ("all", 0.6, Some(9), Some(0.75)),
    ] {
        let how = Decoding::Sample { temperature, top_k, top_p };
        let got = Tensor::new(how.probabilities(&logits), &Device::Cpu).unwrap();
        let wanted = golden.get("warp", "out", name).get(0).unwrap();
        assert_one(name, &got, &wanted, 1e-6);
    }
}

/// Sums of up to 60 logarithms in f32.
const NATS: f64 = 1e-5;

#[test]
fn likelihood_of_a_padded_batch_and_of_a_long_text() {
    let golden = Golden::load("gpt2");
    let model = model(&golden);
    let found =
        likelihood(&model, &golden.ids("batch", "ids"), &golden.ids("batch", "mask")).unwrap();
    let nats = Tensor::new(found.iter().map(|l| l.nats).collect::<Vec<_>>(), &Device::Cpu).unwrap();
    assert_one("batch", &nats, &golden.get("batch", "out", "nats"), NATS);
    let tokens = golden.get("batch", "out", "tokens").to_vec1::<i64>().unwrap();
    assert_eq!(found.iter().map(|l| l.tokens as i64).collect::<Vec<_>>(), tokens);
    let ids = golden.ids("long", "ids").to_vec1::<u32>().unwrap();
    let long = score_long(&model, &ids, 20, 8).unwrap();
    let wanted = golden.get("long", "out", "nats").to_scalar::<f64>().unwrap();
    assert!((long.nats - wanted).abs() < NATS * wanted, "{} for {wanted}", long.nats);
    assert_eq!(long.tokens as i64, golden.get("long", "out", "tokens").to_scalar::<i64>().unwrap());
}

#[test]
fn a_grown_vocabulary_changes_nothing_for_the_old_tokens() {
    let golden = Golden::load("gpt2");
    let mut grown = model(&golden);
    grown.params().set_trainable(false);
    grown.resize_token_embeddings(31).unwrap();
    assert_eq!((grown.config().vocab_size, grown.params().trainable().len()), (31, 0));
    let (ids, mask) = (golden.ids("right", "ids"), golden.ids("right", "mask"));
    let logits = grown.logits(&ids, &mask, Mode::Eval).unwrap();
    let old = of_tokens(&logits.narrow(2, 0, 29).unwrap(), &mask);
    assert_one("old tokens", &old, &golden.get("right", "out", "y"), OUTPUT);
    // A new token's logit is the mean of the others'.
    let mean = logits.narrow(2, 0, 29).unwrap().mean(2).unwrap();
    assert_one("new tokens", &logits.narrow(2, 30, 1).unwrap().squeeze(2).unwrap(), &mean, 1e-4);
}

#[test]
fn what_does_not_fit_is_named() {
    let golden = Golden::load("gpt2");
    let model = model(&golden);
    let ids = Tensor::ones((1, 25), DType::U32, &Device::Cpu).unwrap();
    let error = model.logits(&ids, &ids, Mode::Eval).unwrap_err().to_string();
    assert!(error.contains("at most 24 places") && error.contains("got 25"), "{error}");
    let mask = Tensor::ones((1, 3), DType::U32, &Device::Cpu).unwrap();
    let error = model.logits(&ids, &mask, Mode::Eval).unwrap_err().to_string();
    assert!(error.contains("attention_mask: expected (1, 25)"), "{error}");
    let right = Tensor::new(&[[1u32, 1, 0]], &Device::Cpu).unwrap();
    let input = model.input(&right, &right).unwrap();
    let error = generate(&model, &input, &GenerateConfig::greedy(1, &[])).unwrap_err();
    assert!(error.to_string().contains("padding on the left"), "{error}");
}

#[test]
fn byte_level_bpe_as_transformers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/gpt2_tokenizer");
    let tokenizer = BpeTokenizer::from_folder(&folder).unwrap();
    let samples = std::fs::read(folder.join("samples.json")).unwrap();
    let samples: Vec<(String, Vec<u32>)> = serde_json::from_slice(&samples).unwrap();
    for (text, ids) in samples {
        assert_eq!(tokenizer.encode(&text).unwrap(), ids, "{text:?}");
    }
}
