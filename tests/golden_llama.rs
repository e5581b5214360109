//! Llama against transformers', from its folder and from GGUF: `tests/golden/llama.py`.

mod common;

use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use common::{Golden, assert_close, assert_one, backward, gradients};
use vision_language::candle_core;
use vision_language::config::LlamaConfig;
use vision_language::language_model::{
    CausalLm, GenerateConfig, Llama, LmInput, generate, likelihood, open, score,
};
use vision_language::nn::{Mode, Params};
use vision_language::text::BpeTokenizer;

/// A forward pass through two layers, in another order of summation.
const OUTPUT: f64 = 1e-5;
/// And back again.
const GRADIENT: f64 = 5e-5;

fn here(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// The model whose table is its head, from the folder that transformers wrote.
fn tied() -> Llama {
    Llama::from_folder(&here("llama_model"), &Device::Cpu).unwrap()
}

/// The model with a head of its own.
fn own(golden: &Golden) -> Llama {
    let config = LlamaConfig { tie_word_embeddings: false, ..tied().config().clone() };
    let params = Params::new(&Device::Cpu, 0);
    let model = Llama::new(&config, &params).unwrap();
    params.load_state_dict(&golden.all("own", "param")).unwrap();
    model
}

/// Logits of tokens; zeros at padding, where they mean nothing.
fn of_tokens(logits: &Tensor, mask: &Tensor) -> Tensor {
    let mask = mask.to_dtype(DType::F32).unwrap().unsqueeze(2).unwrap();
    logits.broadcast_mul(&mask).unwrap()
}

#[test]
fn logits_and_every_gradient() {
    let golden = Golden::load("llama");
    for (name, model) in [("tied", tied()), ("own", own(&golden))] {
        for side in ["right", "left"] {
            let case = format!("{name}_{side}");
            let (ids, mask) = (golden.ids(&case, "ids"), golden.ids(&case, "mask"));
            let logits = of_tokens(&model.logits(&ids, &mask, Mode::Train).unwrap(), &mask);
            assert_one(&format!("{case}: logits"), &logits, &golden.get(&case, "out", "y"), OUTPUT);
            let grads = backward(&logits, &golden.get(&case, "in", "weight"));
            let got = gradients(&grads, model.params(), &[]);
            let wanted = golden.all(&case, "grad");
            assert_close(&format!("{case}: gradients"), &got, &wanted, GRADIENT);
        }
    }
}

/// With the model frozen, a prefix gets the same gradient, and nothing else gets any.
#[test]
fn a_gradient_passes_through_the_frozen_model() {
    let golden = Golden::load("llama");
    let (ids, mask) = (golden.ids("prefix", "ids"), golden.ids("prefix", "mask"));
    for frozen in [false, true] {
        let model: Box<dyn CausalLm> = Box::new(tied());
        model.params().set_trainable(!frozen);
        let prefix = golden.var("prefix", "prefix");
        let x = Tensor::cat(&[prefix.as_tensor(), &model.embed(&ids).unwrap()], 1).unwrap();
        let logits = model.forward(&LmInput::new(&x, &mask).unwrap(), Mode::Train).unwrap();
        let logits = of_tokens(&logits, &mask);
        assert_one("prefix: logits", &logits, &golden.get("prefix", "out", "y"), OUTPUT);
        let grads = backward(&logits, &golden.get("prefix", "in", "weight"));
        let wanted = golden.get("prefix", "grad", "prefix");
        assert_one("prefix: gradient", grads.get(&prefix).unwrap(), &wanted, GRADIENT);
        let params = model.params().all();
        let reached = params.iter().filter(|p| grads.get(p.var()).is_some()).count();
        assert_eq!(reached, if frozen { 0 } else { params.len() });
    }
}

#[test]
fn greedy_continuations_token_by_token() {
    let golden = Golden::load("llama");
    let model = tied();
    let (ids, mask) = (golden.ids("greedy", "ids"), golden.ids("greedy", "mask"));
    let wanted = golden.get("greedy", "out", "new").to_dtype(DType::U32).unwrap();
    let wanted = wanted.to_vec2::<u32>().unwrap();
    let how = GenerateConfig::greedy(16, &[]);
    let batched = generate(&model, &model.input(&ids, &mask).unwrap(), &how).unwrap();
    assert_eq!(batched, wanted);
    // Without the cache, by reading everything anew each time.
    let lengths = mask.sum(1).unwrap().to_vec1::<u32>().unwrap();
    for (row, wanted) in wanted.iter().enumerate() {
        let length = lengths[row] as usize;
        let mut text = ids.get(row).unwrap().narrow(0, 5 - length, length).unwrap();
        for next in wanted {
            let row = text.unsqueeze(0).unwrap();
            let logits = model.logits(&row, &row.ones_like().unwrap(), Mode::Eval).unwrap();
            let last = logits.get(0).unwrap().get(row.dims()[1] - 1).unwrap();
            assert_eq!(last.argmax(0).unwrap().to_scalar::<u32>().unwrap(), *next);
            let next = Tensor::new(&[*next], &Device::Cpu).unwrap();
            text = Tensor::cat(&[&text, &next], 0).unwrap();
        }
    }
}

/// Writing in bfloat16: on this model no choice is so close that rounding turns it.
#[test]
fn in_bfloat16() {
    let golden = Golden::load("llama");
    let model = tied();
    let short = model.bfloat16().unwrap();
    let (ids, mask) = (golden.ids("greedy", "ids"), golden.ids("greedy", "mask"));
    let logits = of_tokens(&short.logits(&ids, &mask, Mode::Eval).unwrap(), &mask);
    let whole = of_tokens(&model.logits(&ids, &mask, Mode::Eval).unwrap(), &mask);
    assert_one("logits", &logits, &whole, 2e-2);
    let new =
        generate(&*short, &short.input(&ids, &mask).unwrap(), &GenerateConfig::greedy(16, &[]));
    let wanted = golden.get("greedy", "out", "new").to_dtype(DType::U32).unwrap();
    assert_eq!(new.unwrap(), wanted.to_vec2::<u32>().unwrap());
}

/// The same model in llama.cpp's format: rows in another order, matrices as 8-bit integers. The values that the file stands for
/// go through transformers' model for the reference.
#[test]
fn from_gguf() {
    let golden = Golden::load("llama");
    let (model, tokenizer) = Llama::from_gguf(&here("llama.gguf"), &Device::Cpu).unwrap();
    assert_eq!(model.config(), &LlamaConfig { ..tied().config().clone() });
    let (ids, mask) = (golden.ids("gguf", "ids"), golden.ids("gguf", "mask"));
    let logits = of_tokens(&model.logits(&ids, &mask, Mode::Eval).unwrap(), &mask);
    assert_one("gguf: logits", &logits, &golden.get("gguf", "out", "y"), OUTPUT);
    check_tokenizer(&tokenizer);
}

#[test]
fn the_tokenizer_of_the_folder() {
    check_tokenizer(&BpeTokenizer::from_folder(&here("llama_model")).unwrap());
}

/// Texts to ids as transformers has them, digits and special tokens among them; and back.
fn check_tokenizer(tokenizer: &BpeTokenizer) {
    let samples = std::fs::read(here("llama_model/samples.json")).unwrap();
    let samples: Vec<(String, Vec<u32>)> = serde_json::from_slice(&samples).unwrap();
    assert!(samples.iter().any(|(text, _)| text.contains("2025")));
    for (text, ids) in samples {
        assert_eq!(tokenizer.encode(&text).unwrap(), ids, "{text:?}");
        if !text.contains("<|") {
            assert_eq!(tokenizer.decode(&ids).unwrap(), text);
        }
    }
}

#[test]
fn open_tells_a_folder_from_a_file_and_puts_parameters_where_asked() {
    let params = Params::new(&Device::Cpu, 0);
    for (name, path) in [("folder", here("llama_model")), ("file", here("llama.gguf"))] {
        let place = params.pp(name).pp("text_encoder");
        let (model, tokenizer) = open(&path, &place).unwrap();
        assert_eq!((model.vocab_size(), model.width(), model.longest()), (300, 32, 24));
        assert_eq!(tokenizer.vocab_size(), 300);
        let key = format!("{name}.text_encoder.model.layers.1.mlp.gate_proj.weight");
        assert!(params.all().iter().any(|p| p.name() == key), "no {key}");
        let text = score(&*model, &tokenizer, "the dog").unwrap();
        assert!(text.nats > 0. && text.words == 2);
    }
    let empty = tempfile::tempdir().unwrap();
    let error = open(empty.path(), &params).err().unwrap().to_string();
    assert!(error.contains("config.json"), "{error}");
}

#[test]
fn a_grown_vocabulary_changes_nothing_for_the_old_tokens() {
    let golden = Golden::load("llama");
    for (case, mut model) in [("tied_right", tied()), ("own_right", own(&golden))] {
        model.params().set_trainable(false);
        model.resize_token_embeddings(302).unwrap();
        assert_eq!((model.vocab_size(), model.params().trainable().len()), (302, 0));
        let (ids, mask) = (golden.ids(case, "ids"), golden.ids(case, "mask"));
        let logits = model.logits(&ids, &mask, Mode::Eval).unwrap();
        let old = of_tokens(&logits.narrow(2, 0, 300).unwrap(), &mask);
        assert_one(case, &old, &golden.get(case, "out", "y"), OUTPUT);
        let new = Tensor::new(&[[301u32]], &Device::Cpu).unwrap();
        let found = likelihood(
            &model,
            &Tensor::cat(&[&new, &new], 1).unwrap(),
            &Tensor::ones((1, 2), DType::U32, &Device::Cpu).unwrap(),
        );
        assert!(found.unwrap()[0].nats.is_finite());
    }
}

/// A file cut anywhere is an error, never a panic or a model.
#[test]
fn a_damaged_gguf_is_named() {
    let whole = std::fs::read(here("llama.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    for cut in (0..whole.len()).step_by(1999).chain([whole.len() - 1]) {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let error = Llama::from_gguf(&path, &Device::Cpu).err();
        let error = error.unwrap_or_else(|| panic!("{cut} bytes are a model")).to_string();
        assert!(error.contains("model.gguf"), "{error}");
    }
    // Another model, another tokenizer: what came is named.
    for (from, to) in [("llama", "gemma"), ("gpt2", "bert"), ("smollm", "viking")] {
        let mut bytes = whole.clone();
        let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        std::fs::write(&path, &bytes).unwrap();
        let error = Llama::from_gguf(&path, &Device::Cpu).err().unwrap().to_string();
        assert!(error.contains(to), "{error}");
    }
}
