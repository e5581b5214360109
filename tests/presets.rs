//! The presets: one code path, three sizes. Small encoders of every kind stand for the large ones here.

mod common;

use common::{assert_one, formula::values};
use vision_language::candle_core::{DType, Tensor};
use vision_language::clip::{ClipModel, LinearHead, Save, head};
use vision_language::config::{
    BertConfig, Config, DistilBertConfig, EfficientNetLiteConfig, ImageEncoderConfig,
    InvertedStage, Pooling, ResNetConfig, ResidualLayer, Start, Stem, TextEncoderConfig,
};
use vision_language::nn::Mode;
use vision_language::text::Tokenizer;

/// `mini` and `lecture` with their own layers, but few and narrow.
fn small(config: Config) -> Config {
    let image_encoder: ImageEncoderConfig = match config.image_encoder {
        ImageEncoderConfig::ResNet(_) => ResNetConfig {
            embedding_size: 8,
            hidden_sizes: vec![16, 24],
            depths: vec![1, 1],
            layer: ResidualLayer::Bottleneck,
            stem: Stem::Large,
        }
        .into(),
        ImageEncoderConfig::EfficientNetLite(_) => {
            let stage = InvertedStage { depth: 2, kernel: 3, stride: 2, expand: 2, channels: 8 };
            EfficientNetLiteConfig { stem_size: 8, stages: vec![stage], head_size: 20 }.into()
        }
        ImageEncoderConfig::Vit(_) | ImageEncoderConfig::ClipResNet(_) => {
            unreachable!("no preset has it")
        }
    };
    let text_encoder: TextEncoderConfig = match config.text_encoder {
        TextEncoderConfig::DistilBert(_) => {
            DistilBertConfig { n_layers: 1, ..DistilBertConfig::tiny() }.into()
        }
        TextEncoderConfig::Bert(_) => BertConfig {
            vocab_size: 0,
            max_position_embeddings: 200,
            hidden_size: 16,
            num_hidden_layers: 1,
            num_attention_heads: 2,
            intermediate_size: 24,
            pooling: Pooling::Mean,
            ..BertConfig::minilm_l6()
        }
        .into(),
        TextEncoderConfig::ClipText(_) | TextEncoderConfig::Cbow(_) => {
            unreachable!("no preset has it")
        }
    };
    Config {
        device: "cpu".into(),
        size: 32,
        max_length: 32,
        image_start: Start::Scratch,
        text_start: Start::Scratch,
        image_encoder,
        text_encoder,
        ..config
    }
}

fn loss(image: &Tensor, text: &Tensor, scale: &Tensor) -> vision_language::Result<Tensor> {
    Ok((image * text)?.sum_all()?.mul(&scale.exp()?)?)
}

fn model(config: &Config) -> ClipModel {
    let tokenizer = Tokenizer::from_words(&["dog".to_string()]).unwrap();
    ClipModel::bare(config, tokenizer, head::<LinearHead>(), loss).unwrap()
}

#[test]
fn a_checkpoint_opens_as_the_model_it_was() {
    for preset in [Config::mini(), Config::lecture()] {
        let config = small(preset);
        let model = model(&config);
        let images = values("images", &[3, 3, 32, 32], 0., 3.);
        let ids = model
            .tokenizer()
            .encode_batch(&["dog", "a dog", "dogs dogs"], 32, images.device())
            .unwrap();
        // A step in training moves the running statistics, and every parameter.
        let mut optimizer = model.optimizer();
        let loss = model.loss(&images, &ids.input_ids, &ids.attention_mask, Mode::Train).unwrap();
        optimizer.backward_step(&loss).unwrap();
        let image = model.encode_image(&images, Mode::Eval).unwrap();
        let texts = model.encode_texts(&["a dog"]).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("best.pt");
        model.save(&path).unwrap();
        let again = ClipModel::load(&path, head::<LinearHead>(), self::loss).unwrap();
        assert_eq!(again.config().preset, config.preset);
        assert_eq!(again.config().image_encoder, config.image_encoder);
        assert_one("pictures", &again.encode_image(&images, Mode::Eval).unwrap(), &image, 0.);
        assert_one("texts", &again.encode_texts(&["a dog"]).unwrap(), &texts, 0.);
        let fresh = self::model(&config).params().state_dict();
        let moved = |name: &str| {
            let difference = (&again.params().state_dict()[name] - &fresh[name]).unwrap();
            difference.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap() > 0.
        };
        let statistics: Vec<&String> = fresh.keys().filter(|n| n.contains("running_")).collect();
        assert!(statistics.len() >= 12 && statistics.into_iter().all(|name| moved(name)));
    }
}

/// `trainable = False`: no gradient, no running statistics, no dropout; the other encoder and the heads go on.
#[test]
fn what_is_frozen_stays() {
    for (image_trainable, text_trainable) in [(false, true), (true, false), (false, false)] {
        let config = Config { image_trainable, text_trainable, ..small(Config::mini()) };
        let model = model(&config);
        let before = model.params().state_dict();
        let before: Vec<(String, Vec<f32>)> = before
            .into_iter()
            .map(|(name, t)| (name, t.flatten_all().unwrap().to_vec1().unwrap()))
            .collect();
        let images = values("images", &[3, 3, 32, 32], 0., 3.);
        let ids =
            model.tokenizer().encode_batch(&["dog", "a dog", "dogs"], 32, images.device()).unwrap();
        let features = |mode| {
            let text = model.text_features(&ids.input_ids, &ids.attention_mask, mode).unwrap();
            (model.image_features(&images, mode).unwrap(), text)
        };
        let (train, eval) = (features(Mode::Train), features(Mode::Eval));
        if !image_trainable {
            assert_one("a frozen image encoder", &train.0, &eval.0, 0.);
            assert!(!train.0.track_op());
        }
        if !text_trainable {
            assert_one("a frozen text encoder", &train.1, &eval.1, 0.);
            assert!(!train.1.track_op());
        }
        let mut optimizer = model.optimizer();
        let loss = model.loss(&images, &ids.input_ids, &ids.attention_mask, Mode::Train).unwrap();
        optimizer.backward_step(&loss).unwrap();
        let after = model.params().state_dict();
        for (name, before) in before {
            let after: Vec<f32> = after[&name].flatten_all().unwrap().to_vec1().unwrap();
            let frozen = (name.starts_with("image_encoder") && !image_trainable)
                || (name.starts_with("text_encoder") && !text_trainable);
            assert!(!frozen || before == after, "`{name}` has changed");
            assert!(!name.contains("_projection.") || before != after, "`{name}` has not changed");
        }
    }
}

#[test]
fn a_configuration_is_read_back() {
    for config in [Config::tiny(), Config::mini(), Config::lecture()] {
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&json).unwrap(), config);
        // Where somebody's files lie is nobody else's business.
        let here = Config { models: Some("somewhere".into()), ..config.clone() };
        assert_eq!(serde_json::to_string(&here).unwrap(), json);
    }
}

#[test]
fn missing_files_are_named_with_the_command_that_brings_them() {
    let nowhere = tempfile::tempdir().unwrap();
    for (config, repo) in [
        (Config::mini(), "sentence-transformers/all-MiniLM-L6-v2"),
        (Config::lecture(), "distilbert/distilbert-base-uncased"),
    ] {
        let command = format!("cargo vl fetch {}", config.preset);
        let config = Config { models: Some(nowhere.path().into()), ..config };
        let message =
            ClipModel::new(&config, head::<LinearHead>(), loss).err().unwrap().to_string();
        for word in [repo, &command, "`tiny` needs none"] {
            assert!(message.contains(word), "no {word} in: {message}");
        }
    }
    let other = Config { preset: "huge".into(), ..Config::tiny() };
    let message = ClipModel::new(&other, head::<LinearHead>(), loss).err().unwrap().to_string();
    assert!(message.contains("tiny, mini or lecture") && message.contains("huge"), "{message}");
}

/// EfficientNet-Lite's weights want other pictures than ResNet's.
#[test]
fn pictures_are_normalised_as_the_encoder_wants_them() {
    use vision_language::dataset::Transform;
    let white = image::RgbImage::from_pixel(8, 8, image::Rgb([255, 255, 255]));
    let first = |config: Config| {
        let x = Transform::of(&Config { size: 4, ..config }).apply(&white).unwrap();
        assert_eq!((x.dims(), x.dtype()), (&[3, 4, 4][..], DType::F32));
        x.flatten_all().unwrap().to_vec1::<f32>().unwrap()[0]
    };
    assert!((first(Config::mini()) - 1.).abs() < 1e-6);
    assert!((first(Config::lecture()) - (1. - 0.485) / 0.229).abs() < 1e-6);
    assert_eq!(first(Config::tiny()), first(Config::lecture()));
}
