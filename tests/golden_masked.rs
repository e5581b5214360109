//! The masked language model against transformers' `DistilBertForMaskedLM`: `tests/golden/masked.py`.

mod common;

use common::{Golden, assert_close, assert_one, backward, gradients, params};
use vision_language::candle_core::DType;
use vision_language::config::DistilBertConfig;
use vision_language::encoder::MaskedLm;
use vision_language::nn::Mode;

/// A forward pass through two layers and the head, in another order of summation.
const OUTPUT: f64 = 1e-5;
/// And back again.
const GRADIENT: f64 = 5e-5;

#[test]
fn logits_and_every_gradient() {
    let golden = Golden::load("masked");
    let config = DistilBertConfig {
        vocab_size: 23,
        max_position_embeddings: 12,
        dim: 16,
        n_layers: 2,
        n_heads: 4,
        hidden_dim: 24,
        dropout: 0.,
    };
    let params = params();
    let model = MaskedLm::new(&config, &params).unwrap();
    // Our names are transformers': nothing is missing and nothing is left over.
    params.load_state_dict(&golden.all("lm", "param")).unwrap();
    let (ids, mask) = (golden.ids("lm", "ids"), golden.ids("lm", "mask"));
    let logits = model.logits(&ids, &mask, Mode::Train).unwrap();
    let tokens = mask.to_dtype(DType::F32).unwrap().unsqueeze(2).unwrap();
    let logits = logits.broadcast_mul(&tokens).unwrap();
    assert_one("logits", &logits, &golden.get("lm", "out", "y"), OUTPUT);
    let grads = backward(&logits, &golden.get("lm", "in", "weight"));
    let got = gradients(&grads, &params, &[]);
    assert_close("gradients", &got, &golden.all("lm", "grad"), GRADIENT);
}
