//! DALL-E 2's parts, with the master of `guidance`, against PyTorch and diffusers: `tests/golden/unclip.py`.

#[path = "../../tests/common/mod.rs"]
mod common;

use common::{Golden, assert_close, assert_one, gradients, largest, params};
use solutions::ClassifierFree;
use vision_language::candle_core::{Device, Tensor};
use vision_language::checkpoint::StateDict;
use vision_language::language_model::from_transformers;
use vision_language::nn::{AdamW, ParamGroup, Params};
use vision_language::unclip::{
    ArPrior, ArPriorConfig, CaptionBatch, Condition, Decoder, DecoderConfig, Diffusion, NoiseKind,
    NoiseSchedule, Predicts, Prior, PriorConfig, Sampler,
};

/// Some ten layers in another order of summation.
const OUTPUT: f64 = 1e-5;
/// And back again.
const GRADIENT: f64 = 1e-4;
/// diffusers multiplies a thousand f32 factors where we multiply f64 ones, and divides by roots of what is left.
const STEP: f64 = 1e-4;
const P: usize = 6;
const TOKENS: usize = 5;
const V: usize = 11;

const KINDS: [(&str, NoiseKind); 2] =
    [("linear", NoiseKind::Linear), ("squaredcos_cap_v2", NoiseKind::Cosine)];

#[test]
fn schedules_are_diffusers() {
    let golden = Golden::load("unclip");
    for (name, kind) in [("linear", NoiseKind::Linear), ("cosine", NoiseKind::Cosine)] {
        let schedule = NoiseSchedule::new(kind, 1000);
        let steps: Vec<usize> = (0..1000).collect();
        let wanted = golden.get("schedule", "out", name);
        assert_one(name, &schedule.at(&steps).unwrap(), &wanted, 1e-6);
        // The last steps leave almost nothing, whose size counts all the same.
        let ratio = (schedule.at(&steps).unwrap() / wanted).unwrap();
        assert!(largest(&(ratio - 1.).unwrap()) < 2e-4, "{name}");
        assert_eq!(schedule.stops(10).unwrap(), [900, 800, 700, 600, 500, 400, 300, 200, 100, 0]);
    }
}

/// Stands for a network, as in the reference.
fn believed(x: &Tensor, t: usize) -> Tensor {
    ((x * 0.7).unwrap() + t as f64 / 1000.).unwrap().tanh().unwrap()
}

fn diffusion(kind: NoiseKind, predicts: &str) -> Diffusion {
    match predicts {
        "epsilon" => Diffusion::of_pictures(kind, 1000, Predicts::Noise),
        "v_prediction" => Diffusion::of_pictures(kind, 1000, Predicts::Velocity),
        _ => Diffusion::of_embeddings(kind, 1000),
    }
}

#[test]
fn single_steps_are_diffusers() {
    let golden = Golden::load("unclip");
    let x = golden.get("sampler", "in", "x");
    let (mut got, mut wanted) = (StateDict::new(), StateDict::new());
    for (name, kind) in KINDS {
        for predicts in ["epsilon", "sample", "v_prediction"] {
            for t in [900usize, 500, 0] {
                let fresh = golden.get("sampler", "in", &format!("noise.{t}"));
                for (sampler, how) in [
                    ("ddpm".to_string(), Sampler::Ddpm),
                    ("ddim.0.0".to_string(), Sampler::Ddim { eta: 0. }),
                    ("ddim.0.6".to_string(), Sampler::Ddim { eta: 0.6 }),
                ] {
                    let key = format!("{sampler}.{name}.{predicts}.{t}");
                    let s = t.checked_sub(100);
                    let stepped = diffusion(kind, predicts)
                        .step(&x, &believed(&x, t), (t, s), how, &fresh)
                        .unwrap();
                    wanted.insert(key.clone(), golden.get("sampler", "out", &key));
                    got.insert(key, stepped);
                }
            }
        }
    }
    assert_eq!(got.len(), 54);
    assert_close("steps", &got, &wanted, STEP);
}

#[test]
fn ten_steps_are_diffusers() {
    let golden = Golden::load("unclip");
    let x = golden.get("sampler", "in", "x");
    for (name, kind) in KINDS {
        for predicts in ["epsilon", "sample", "v_prediction"] {
            let way = diffusion(kind, predicts)
                .sample(
                    &x,
                    10,
                    Sampler::Ddim { eta: 0. },
                    0,
                    &mut |x, t| Ok(believed(x, t)),
                    &mut |_, _| Ok(()),
                )
                .unwrap();
            let wanted = golden.get("sampler", "out", &format!("way.{name}.{predicts}"));
            assert_one(&format!("{name}, {predicts}"), &way, &wanted, 10. * STEP);
        }
    }
}

/// The reference's parameters: those of its GPT-2 turned.
fn ours(state: StateDict) -> StateDict {
    let (gpt2, mut rest): (StateDict, StateDict) =
        state.into_iter().partition(|(name, _)| name.starts_with("transformer."));
    rest.extend(from_transformers(&gpt2).unwrap());
    rest
}

/// Loss, gradients of every parameter, and one step of AdamW.
fn one_step(case: &str, golden: &Golden, params: &Params, loss: &Tensor) {
    assert_one(&format!("{case}, loss"), loss, &golden.get(case, "out", "loss"), OUTPUT);
    let grads = loss.backward().unwrap();
    let wanted = ours(golden.all(case, "grad"));
    assert_close(&format!("{case}, gradients"), &gradients(&grads, params, &[]), &wanted, GRADIENT);
    let group =
        ParamGroup { name: "all".into(), params: params.trainable(), lr: 1e-3, weight_decay: 0.01 };
    AdamW::new(vec![group]).step(&grads).unwrap();
    // The first step divides a gradient by its own size: where it is rounding, so is the step.
    let (after, all) = (params.state_dict(), ours(golden.all(case, "after")));
    for (name, after) in &after {
        let (grad, wanted) = (&wanted[name], &all[name]);
        let far = (after - wanted).unwrap().abs().unwrap().flatten_all().unwrap();
        let sizes = grad.abs().unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        for (far, size) in far.to_vec1::<f32>().unwrap().into_iter().zip(sizes) {
            assert!(
                far < 1e-5 || size < 1e-5,
                "{case}, `{name}` by {far:.1e}, gradient {size:.1e}"
            );
        }
    }
}

#[test]
fn the_decoder() {
    of_decoder("decoder", Predicts::Velocity);
}

#[test]
fn the_decoder_that_predicts_noise() {
    of_decoder("decoder_noise", Predicts::Noise);
}

#[test]
fn the_decoder_that_predicts_the_picture() {
    of_decoder("decoder_start", Predicts::Start);
}

fn of_decoder(case: &str, predicts: Predicts) {
    let golden = Golden::load("unclip");
    let config = DecoderConfig {
        size: 8,
        channels: vec![16, 32],
        width: 20,
        embedding: P,
        predicts,
        ..DecoderConfig::tiny()
    };
    let params = params();
    let decoder = Decoder::new(&config, &params).unwrap();
    params.load_state_dict(&golden.all("decoder", "param")).unwrap();
    let of = |name: &str| golden.get("decoder", "in", name);
    let by = Condition { image: of("image"), caption: of("caption") };
    let guided = decoder.predict(&of("pictures"), 300, &by, &ClassifierFree, 2.5).unwrap();
    // Guidance makes 2.5 times as much of the differences.
    assert_one("guided", &guided, &golden.get("decoder", "out", "guided"), 5. * OUTPUT);
    let loss = decoder.loss_at(
        &of("pictures"),
        &by,
        &[5, 420, 990],
        &of("noise"),
        (&of("keep_image"), &of("keep_caption")),
        &ClassifierFree,
    );
    one_step(case, &golden, &params, &loss.unwrap());
}

fn captions(golden: &Golden, case: &str, embedding: Tensor) -> CaptionBatch {
    CaptionBatch { ids: golden.ids(case, "ids"), mask: golden.ids(case, "mask"), embedding }
}

#[test]
fn the_diffusion_prior() {
    let golden = Golden::load("unclip");
    let config =
        PriorConfig { tokens: TOKENS, width: 16, layers: 2, embedding: P, ..PriorConfig::tiny(V) };
    let params = params();
    let prior = Prior::new(&config, &params).unwrap();
    params.load_state_dict(&ours(golden.all("prior", "param"))).unwrap();
    let of = |name: &str| golden.get("prior", "in", name);
    let captions = captions(&golden, "prior", of("z_t"));
    let (noise, keep) = (of("noise"), of("keep"));
    let loss = prior.loss_at(&of("z_i"), &captions, &[5, 420, 990], &noise, &keep, &ClassifierFree);
    one_step("prior", &golden, &params, &loss.unwrap());
}

#[test]
fn the_autoregressive_prior_and_its_codes() {
    let golden = Golden::load("unclip");
    let config = ArPriorConfig {
        tokens: TOKENS,
        width: 16,
        layers: 2,
        embedding: P,
        components: 4,
        bins: 8,
        dot_bins: 4,
        ..ArPriorConfig::tiny(V)
    };
    let params = params();
    let (z_i, z_t) = (golden.get("codes", "in", "z_i"), golden.get("codes", "in", "z_t"));
    // The codes are learned from embeddings alone: the texts do not matter to them.
    let n = z_i.dim(0).unwrap();
    let none = Tensor::zeros((n, TOKENS), candle_u32(), &Device::Cpu).unwrap();
    let all = CaptionBatch { ids: none.clone(), mask: none, embedding: z_t.clone() };
    let prior = ArPrior::new(&config, &z_i, &all, &params).unwrap();
    let targets = prior.targets(&z_i, &all).unwrap();
    let wanted = golden.get("codes", "out", "targets").to_dtype(candle_u32()).unwrap();
    assert_eq!(targets.to_vec2::<u32>().unwrap(), wanted.to_vec2::<u32>().unwrap());
    let codes = targets.narrow(1, 1, 4).unwrap().contiguous().unwrap();
    let decoded = prior.codes().decode(&codes).unwrap();
    assert_one("decoded", &decoded, &golden.get("codes", "out", "decoded"), OUTPUT);
    let kept = Tensor::new(prior.codes().kept(), &Device::Cpu).unwrap();
    assert_one("kept", &kept, &golden.get("codes", "out", "kept"), 1e-6);

    params.load_state_dict(&ours(golden.all("ar", "param"))).unwrap();
    let (z_i, z_t) = (z_i.narrow(0, 0, 3).unwrap(), z_t.narrow(0, 0, 3).unwrap());
    let captions = captions(&golden, "ar", z_t);
    let keep = golden.get("ar", "in", "keep");
    let loss = prior.loss_at(&z_i, &captions, &keep, &ClassifierFree).unwrap();
    one_step("ar", &golden, &params, &loss);
}

fn candle_u32() -> vision_language::candle_core::DType {
    vision_language::candle_core::DType::U32
}
