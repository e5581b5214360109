//! The choices of the slide's pseudocode, "ResNet or Vision Transformer" and "CBOW or Text Transformer": each of the four models
//! trains, all of its parameters, and opens again from its checkpoint as the model that it was.

use solutions::clip_loss;
use vision_language::candle_core::{Device, Tensor};
use vision_language::clip::{ClipModel, LinearHead, Save, head};
use vision_language::config::{
    CbowConfig, ClipTextConfig, Config, ImageEncoderConfig, ResNetConfig, ResidualLayer, Start,
    Stem, TextEncoderConfig, VitConfig,
};
use vision_language::nn::Mode;
use vision_language::text::Tokenizer;

const STEPS: usize = 30;

fn image_encoders() -> [ImageEncoderConfig; 2] {
    let resnet = ResNetConfig {
        embedding_size: 8,
        hidden_sizes: vec![8, 16],
        depths: vec![1, 1],
        layer: ResidualLayer::Basic,
        stem: Stem::Small,
    };
    let vit = VitConfig {
        image_size: 16,
        patch_size: 4,
        hidden_size: 16,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 32,
        ..VitConfig::tiny()
    };
    [resnet.into(), vit.into()]
}

fn text_encoders() -> [TextEncoderConfig; 2] {
    let transformer = ClipTextConfig {
        hidden_size: 16,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        intermediate_size: 32,
        dropout: 0.,
        ..ClipTextConfig::tiny()
    };
    [transformer.into(), CbowConfig { width: 16, ..CbowConfig::tiny() }.into()]
}

const WORDS: [&str; 8] = ["dog", "cat", "car", "tree", "boat", "house", "bird", "fish"];

/// Eight pictures of different colours.
fn pictures() -> Tensor {
    let value = |i: usize| {
        let (picture, channel, place) = (i / 768, i / 256 % 3, i % 256);
        ((picture * 3 + channel) as f32 * 1.7).sin() + 0.1 * (place as f32 * 0.9).cos()
    };
    Tensor::from_vec((0..8 * 768).map(value).collect::<Vec<f32>>(), (8, 3, 16, 16), &Device::Cpu)
        .unwrap()
}

#[test]
fn every_pair_of_encoders_trains() {
    let images = pictures();
    for image_encoder in image_encoders() {
        for text_encoder in text_encoders() {
            let config = Config {
                device: "cpu".into(),
                size: 16,
                max_length: 8,
                image_start: Start::Scratch,
                text_start: Start::Scratch,
                projection_dim: 8,
                image_encoder: image_encoder.clone(),
                text_encoder: text_encoder.clone(),
                ..Config::tiny()
            };
            let tokenizer = Tokenizer::from_words(&WORDS.map(String::from)).unwrap();
            let model =
                ClipModel::bare(&config, tokenizer, head::<LinearHead>(), clip_loss).unwrap();
            let what = format!("{image_encoder:?}, {text_encoder:?}");
            let texts = model.tokenizer().encode_batch(&WORDS, 8, &Device::Cpu).unwrap();
            let mut optimizer = model.optimizer();
            let losses: Vec<f32> = (0..STEPS)
                .map(|_| {
                    let loss = model
                        .loss(&images, &texts.input_ids, &texts.attention_mask, Mode::Train)
                        .unwrap();
                    // A parameter without a gradient is an error here.
                    optimizer.backward_step(&loss).unwrap_or_else(|e| panic!("{what}: {e}"));
                    model.clamp_logit_scale().unwrap();
                    loss.to_scalar().unwrap()
                })
                .collect();
            // It begins near ln 8 or above: eight captions to choose from.
            let (first, last) = (losses[0], losses[STEPS - 1]);
            println!("{what}: {first:.3} → {last:.3}");
            assert!(last < 0.7 * first, "{what}: {losses:?}");

            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("best.pt");
            model.save(&path).unwrap();
            let again = ClipModel::load(&path, head::<LinearHead>(), clip_loss).unwrap();
            assert_eq!(again.config().image_encoder, image_encoder);
            let embeddings = |model: &ClipModel| {
                let text = model.encode_texts(&WORDS).unwrap().to_vec2::<f32>().unwrap();
                let image = model.encode_image(&images, Mode::Eval).unwrap();
                (image.to_vec2::<f32>().unwrap(), text)
            };
            assert_eq!(embeddings(&again), embeddings(&model));
        }
    }
}
