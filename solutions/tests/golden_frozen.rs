//! The slide's Frozen, with the masters of its three exercises, against PyTorch: `tests/golden/frozen.py`.

#[path = "../../tests/common/mod.rs"]
mod common;

use common::{Golden, assert_close, assert_one, gradients};
use solutions::{caption_loss, freeze_lm, visual_prefix};
use vision_language::candle_core::{Device, Tensor};
use vision_language::checkpoint::StateDict;
use vision_language::config::{Config, Gpt2Config, LlamaConfig, ResNetConfig, ResidualLayer, Stem};
use vision_language::frozen::{Frozen, FrozenConfig, FrozenHoles};
use vision_language::language_model::{Gpt2, Llama, from_transformers};
use vision_language::nn::{Mode, Params};
use vision_language::text::BpeTokenizer;

/// Some ten layers in another order of summation.
const OUTPUT: f64 = 1e-5;
/// And back again; batch norm over a few dozen values cancels most of what it gets.
const GRADIENT: f64 = 1e-4;
/// Tokens of the reference; the last is its image token.
const V: usize = 23;

const HOLES: FrozenHoles = FrozenHoles { freeze_lm, visual_prefix, caption_loss };

/// PyTorch's names and shapes as ours.
fn ours(state: StateDict) -> StateDict {
    let (text, rest): (StateDict, StateDict) =
        state.into_iter().partition(|(name, _)| name.starts_with("text_encoder."));
    let bare = |(name, value): (String, Tensor)| (name.replacen("text_encoder.", "", 1), value);
    let text = from_transformers(&text.into_iter().map(bare).collect()).unwrap();
    text.into_iter().map(|(name, v)| (format!("text_encoder.{name}"), v)).chain(rest).collect()
}

/// The sizes of the reference's vision encoder.
fn config() -> FrozenConfig {
    FrozenConfig {
        base: Config {
            image_encoder: ResNetConfig {
                embedding_size: 6,
                hidden_sizes: vec![6, 10],
                depths: vec![1, 2],
                layer: ResidualLayer::Basic,
                stem: Stem::Small,
            }
            .into(),
            image_encoder_lr: 1e-3,
            ..Config::tiny()
        },
        projection_lr: 3e-3,
        ..FrozenConfig::tiny()
    }
}

/// The reference's model. Our tokenizer has more tokens than the reference's 23: it only serves to have an image token, and
/// the tables grow as far.
fn model(golden: &Golden) -> Frozen {
    let sizes = Gpt2Config {
        vocab_size: V,
        n_positions: 16,
        n_embd: 16,
        n_layer: 2,
        n_head: 4,
        layer_norm_epsilon: 1e-5,
        dropout: 0.,
    };
    let config = config();
    let params = Params::new(&Device::Cpu, 0);
    let place = params.pp("text_encoder");
    let language_model = Gpt2::new(&sizes, &place).unwrap();
    let state = ours(golden.all("model", "param"));
    let (text, rest): (StateDict, StateDict) =
        state.into_iter().partition(|(name, _)| name.starts_with("text_encoder."));
    place.load_state_dict(&text).unwrap();
    let tokenizer = BpeTokenizer::train(&["a dog".to_string()], 260).unwrap();
    let model = Frozen::with(&config, &params, Box::new(language_model), tokenizer, HOLES).unwrap();
    for place in ["vision_encoder", "vision_proj_m"] {
        let of_place = rest.iter().filter(|(name, _)| name.starts_with(place));
        let of_place = of_place.map(|(name, value)| (name.clone(), value.clone())).collect();
        params.pp(place).load_state_dict(&of_place).unwrap();
    }
    freeze_lm(&place).unwrap();
    model
}

/// The reference's ids, with our image token in the place of its own.
fn ids(golden: &Golden, model: &Frozen) -> Tensor {
    let rows = golden.ids("model", "ids").to_vec2::<u32>().unwrap();
    let image = model.image_token_id();
    let row = |row: Vec<u32>| -> Vec<u32> {
        row.into_iter().map(|id| if id as usize == V - 1 { image } else { id }).collect()
    };
    Tensor::new(rows.into_iter().map(row).collect::<Vec<_>>(), &Device::Cpu).unwrap()
}

/// The loss over the reference's vocabulary: logits of tokens that only ours has are left out.
fn loss(model: &Frozen, golden: &Golden, mode: Mode) -> Tensor {
    let (ids, mask) = (ids(golden, model), golden.ids("model", "mask"));
    let images = golden.get("model", "in", "images");
    let logits = model.forward(&ids, &mask, &images, mode).unwrap().narrow(2, 0, V).unwrap();
    caption_loss(&logits.contiguous().unwrap(), &ids, &mask, model.image_token_id()).unwrap()
}

#[test]
fn prefix_logits_and_loss() {
    let golden = Golden::load("frozen");
    let model = model(&golden);
    let images = golden.get("model", "in", "images");
    let prefix = model.visual_prefix(&images, Mode::Eval).unwrap();
    assert_one("prefix", &prefix, &golden.get("eval", "out", "prefix"), OUTPUT);
    let mask = golden.ids("model", "mask");
    let logits = model.forward(&ids(&golden, &model), &mask, &images, Mode::Eval).unwrap();
    let logits = logits.narrow(2, 0, V).unwrap();
    // What stands at padding means nothing.
    let tokens = mask.to_dtype(logits.dtype()).unwrap().unsqueeze(2).unwrap();
    let wanted = golden.get("eval", "out", "logits").broadcast_mul(&tokens).unwrap();
    assert_one("logits", &logits.broadcast_mul(&tokens).unwrap(), &wanted, OUTPUT);
    let wanted = golden.get("eval", "out", "loss");
    assert_one("loss", &loss(&model, &golden, Mode::Eval), &wanted, OUTPUT);
}

/// The slide's way: the prefix in front of the text, and logits that run `num_visual_prefix` places ahead of the ids.
#[test]
fn the_prefix_in_front_gives_the_same_sum() {
    let golden = Golden::load("frozen");
    let model = model(&golden);
    let (text, mask) = (golden.ids("model", "text"), golden.ids("model", "text_mask"));
    let prefix = model.visual_prefix(&golden.get("model", "in", "images"), Mode::Eval).unwrap();
    let input = model.in_front(&text, &mask, &prefix).unwrap();
    let logits = model.language_model().forward(&input, Mode::Eval).unwrap();
    let (n, t) = (prefix.dim(1).unwrap(), text.dim(1).unwrap());
    let ahead = logits.narrow(1, n - 1, t).unwrap().narrow(2, 0, V).unwrap();
    let rows = ahead.reshape((3 * t, V)).unwrap();
    let logs = vision_language::candle_nn::ops::log_softmax(&rows, 1).unwrap();
    let targets = text.flatten_all().unwrap().unsqueeze(1).unwrap();
    let nats = logs.gather(&targets, 1).unwrap().squeeze(1).unwrap().neg().unwrap();
    let counted = mask.flatten_all().unwrap().to_dtype(nats.dtype()).unwrap();
    let sum = (nats * &counted).unwrap().sum_all().unwrap();
    let mean = sum.div(&counted.sum_all().unwrap()).unwrap();
    assert_one("the slide's loss", &mean, &golden.get("eval", "out", "slide"), OUTPUT);
    assert_one("both forms", &mean, &loss(&model, &golden, Mode::Eval), OUTPUT);
}

#[test]
fn one_training_step() {
    let golden = Golden::load("frozen");
    let model = model(&golden);
    let before = model.params().pp("text_encoder").state_dict();
    let before: Vec<_> = before.iter().map(|(n, v)| (n.clone(), v.copy().unwrap())).collect();
    let mut optimizer = model.optimizer();
    let loss = loss(&model, &golden, Mode::Train);
    assert_one("training loss", &loss, &golden.get("train", "out", "loss"), OUTPUT);
    let grads = loss.backward().unwrap();
    // Nothing but what trains has a gradient; the projection's is not zero.
    let got = gradients(&grads, model.params(), &[]);
    assert_close("gradients", &got, &golden.all("train", "grad"), GRADIENT);
    assert!(got.keys().all(|name| !name.starts_with("text_encoder.")));
    for param in model.params().pp("text_encoder").all() {
        assert!(grads.get(param.var()).is_none(), "`{}` is frozen", param.name());
    }
    assert!(common::largest(&got["vision_proj_m.weight"]) > 1e-4);
    optimizer.step(&grads).unwrap();
    let mut after = model.params().state_dict();
    after.retain(|name, _| !name.starts_with("text_encoder."));
    // The first step of AdamW divides a gradient by its own size: where it is rounding, so is the step. A thousandth of the
    // largest learning rate is allowed.
    let wanted = golden.all("train", "after");
    for (name, wanted) in &wanted {
        let far = common::largest(&(&after[name] - wanted).unwrap());
        let rounding =
            common::largest(golden.all("train", "grad").get(name).unwrap_or(wanted)) < 1e-6;
        assert!(far < 3e-6 || rounding, "`{name}` by {far:.1e}");
    }
    assert_eq!(after.len(), wanted.len());
    for (name, value) in before {
        let now = &model.params().state_dict()[&name];
        assert_eq!(common::largest(&(now - value).unwrap()), 0., "`{name}` changed");
    }
}

#[test]
fn a_checkpoint_keeps_what_was_trained() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frozen.pt");
    let config = FrozenConfig::tiny();
    let model = Frozen::new(&config, HOLES).unwrap();
    model.save(&path).unwrap();
    let saved = vision_language::checkpoint::load_pt(&path).unwrap().state;
    assert!(saved.keys().all(|key| !key.starts_with("text_encoder.")));
    let again = Frozen::load(&path, HOLES).unwrap();
    let picture =
        Tensor::ones((1, 3, 64, 64), vision_language::candle_core::DType::F32, &Device::Cpu);
    let picture = picture.unwrap();
    let prefix = |m: &Frozen| m.visual_prefix(&picture, Mode::Eval).unwrap();
    assert_eq!(common::largest(&(prefix(&model) - prefix(&again)).unwrap()), 0.);
    let error = Frozen::new(&config, FrozenHoles { freeze_lm: |_| Ok(()), ..HOLES }).err().unwrap();
    assert!(error.to_string().contains("still trains"), "{error}");
}

/// The same class around a Llama, whose own gradients `golden_llama` compares. What is left is how a prefix is put among its
/// words: the loss itself, a little to both sides, is the reference.
#[test]
fn around_a_llama() {
    let golden = Golden::load("frozen");
    let params = Params::new(&Device::Cpu, 3);
    let place = params.pp("text_encoder");
    let sizes = LlamaConfig {
        vocab_size: V,
        max_position_embeddings: 16,
        hidden_size: 16,
        intermediate_size: 24,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        ..LlamaConfig::smollm2_135m()
    };
    let language_model = Llama::new(&sizes, &place).unwrap();
    let tokenizer = BpeTokenizer::train(&["a dog".to_string()], 260).unwrap();
    let model =
        Frozen::with(&config(), &params, Box::new(language_model), tokenizer, HOLES).unwrap();
    freeze_lm(&place).unwrap();
    let before = place.state_dict();
    let before: Vec<_> = before.iter().map(|(n, v)| (n.clone(), v.copy().unwrap())).collect();

    let found = loss(&model, &golden, Mode::Train);
    let grads = found.backward().unwrap();
    let trained = model.params().trainable();
    assert!(trained.iter().all(|p| !p.name().starts_with("text_encoder.")));
    for param in &trained {
        let grad = grads.get(param.var()).unwrap_or_else(|| panic!("`{}`", param.name()));
        assert!(common::largest(grad) > 0., "`{}` has a gradient of zeros", param.name());
    }
    let bias = trained.iter().find(|p| p.name() == "vision_proj_m.bias").unwrap();
    let grad = grads.get(bias.var()).unwrap().to_vec1::<f32>().unwrap();
    let (at, slope) =
        grad.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).unwrap();
    let values = bias.var().to_vec1::<f32>().unwrap();
    let step = 2e-3;
    let moved = |by: f32| {
        let mut values = values.clone();
        values[at] += by;
        bias.var().set(&Tensor::new(values, &Device::Cpu).unwrap()).unwrap();
        loss(&model, &golden, Mode::Train).to_scalar::<f32>().unwrap()
    };
    let measured = (moved(step) - moved(-step)) / (2. * step);
    assert!((measured - slope).abs() < 0.03 * slope.abs(), "{measured} and {slope}");

    bias.var().set(&Tensor::new(values, &Device::Cpu).unwrap()).unwrap();
    model.optimizer().backward_step(&loss(&model, &golden, Mode::Train)).unwrap();
    for (name, value) in before {
        let now = &place.state_dict()[&name];
        assert_eq!(common::largest(&(now - value).unwrap()), 0., "`{name}` changed");
    }
}
