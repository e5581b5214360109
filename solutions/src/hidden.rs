//! What the grader asks besides the checks that everybody sees: the same kinds of questions with numbers drawn from the
//! run's seed, whose right answers only the masters give.

#[path = "hidden/again.rs"]
pub mod again;
#[path = "hidden/dalle.rs"]
mod dalle;
#[path = "hidden/frozen.rs"]
mod frozen;
#[path = "hidden/prompting.rs"]
mod prompting;

use std::collections::BTreeMap;
use std::path::Path;

use course::grade::Hidden;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vision_language::candle_core::{Device, Tensor};
use vision_language::exercise::ask::{Question, answers};
use vision_language::prelude::Tokenizer;
use vision_language::{Error, Result};

const NAME: &str = "The same on numbers drawn for this run";

/// One for each exercise.
pub const HIDDEN: &[Hidden] = &[
    Hidden {
        id: "clip_dataset",
        name: NAME,
        points: 5,
        // The same bytes through the same transform.
        tolerance: 1e-3,
        master: || answers::clip_dataset::<solutions::ClipDataset>(),
        questions: clip_dataset,
    },
    Hidden {
        id: "projection_head",
        name: NAME,
        points: 5,
        // GELU's tanh form is as good, and up to 5e-4 away before the layer normalisation stretches it.
        tolerance: 1e-2,
        master: || answers::projection_head::<solutions::ProjectionHead>(),
        questions: projection_head,
    },
    Hidden {
        id: "clip_loss",
        name: NAME,
        points: 5,
        tolerance: 1e-3,
        master: || answers::clip_loss(solutions::clip_loss),
        questions: clip_loss,
    },
    Hidden {
        id: "keep_best",
        name: NAME,
        points: 5,
        tolerance: 1e-9,
        master: || answers::keep_best(solutions::keep_best),
        questions: keep_best,
    },
    Hidden {
        id: "zero_shot_classifier",
        name: NAME,
        points: 5,
        tolerance: 1e-3,
        master: || answers::zero_shot_classifier(solutions::zero_shot_classifier),
        questions: zero_shot_classifier,
    },
    Hidden {
        id: "find_matches",
        name: NAME,
        points: 5,
        tolerance: 1e-3,
        master: || answers::find_matches(solutions::find_matches),
        questions: find_matches,
    },
    Hidden {
        id: "freeze_lm",
        name: NAME,
        points: 5,
        tolerance: 1e-3,
        master: || answers::freeze_lm(solutions::freeze_lm),
        questions: frozen::freeze_lm,
    },
    Hidden {
        id: "visual_prefix",
        name: NAME,
        points: 5,
        tolerance: 1e-3,
        master: || answers::visual_prefix(solutions::visual_prefix),
        questions: frozen::visual_prefix,
    },
    Hidden {
        id: "caption_loss",
        name: NAME,
        points: 5,
        tolerance: 1e-3,
        master: || answers::caption_loss(solutions::caption_loss),
        questions: frozen::caption_loss,
    },
    Hidden {
        id: "perplexity",
        name: NAME,
        points: 5,
        tolerance: 1e-3,
        master: || answers::perplexity(solutions::perplexity, solutions::early_stopping),
        questions: frozen::perplexity,
    },
    Hidden {
        id: "guidance",
        name: NAME,
        points: 5,
        // Two products and a sum, in another order by some.
        tolerance: 1e-3,
        master: || answers::guidance::<solutions::ClassifierFree>(),
        questions: guidance,
    },
    Hidden {
        id: "prompt_template",
        name: "The same on texts drawn for this run",
        points: 5,
        // Texts are equal or not.
        tolerance: 1e-9,
        master: || answers::prompt_template(solutions::prompt_template, solutions::read_answer),
        questions: prompting::prompt_template,
    },
    Hidden {
        id: "few_shot_prompt",
        name: "The same on texts drawn for this run",
        points: 5,
        tolerance: 1e-9,
        master: || answers::few_shot_prompt(solutions::few_shot_prompt),
        questions: prompting::few_shot_prompt,
    },
    Hidden {
        id: "quantize",
        name: NAME,
        points: 5,
        tolerance: 1e-3,
        master: || answers::quantize(solutions::quantize),
        questions: dalle::quantize_questions,
    },
    Hidden {
        id: "dalle_sequence",
        name: NAME,
        points: 5,
        // Whole numbers, and weights of a tenth down to a hundredth.
        tolerance: 1e-5,
        master: || answers::dalle_sequence(solutions::dalle_sequence),
        questions: dalle::sequence_questions,
    },
];

fn random(id: &str, seed: u64) -> ChaCha8Rng {
    // Each exercise has numbers of its own.
    let salt =
        id.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    ChaCha8Rng::seed_from_u64(seed ^ salt)
}

/// Numbers in −1 … 1.
fn tensor(random: &mut ChaCha8Rng, dims: &[usize]) -> Result<Tensor> {
    let count = dims.iter().product();
    let values: Vec<f32> = (0..count).map(|_| random.random_range(-1.0..1.0)).collect();
    Ok(Tensor::from_vec(values, dims, &Device::Cpu)?)
}

fn guidance(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("guidance", seed);
    let mut questions = Vec::new();
    for rank in [2, 3, 4] {
        let dims: Vec<usize> = (0..rank).map(|_| random.random_range(2..6)).collect();
        let of_each = |values: Vec<f32>| Ok::<_, Error>(Tensor::new(values, &Device::Cpu)?);
        let left = (0..dims[0]).map(|_| random.random_range(0.01..0.99)).collect();
        let question = Question::new("guidance", "noise").tensor("x0", &tensor(random, &dims)?);
        let question = question.tensor("noise", &tensor(random, &dims)?);
        questions.push(question.tensor("alpha_bar", &of_each(left)?));
        let keep = (0..dims[0]).map(|_| f32::from(u8::from(random.random_bool(0.5)))).collect();
        let question = Question::new("guidance", "drop").tensor("keep", &of_each(keep)?);
        let question = question.tensor("condition", &tensor(random, &dims)?);
        questions.push(question.tensor("g", &tensor(random, &dims)?));
        let question =
            Question::new("guidance", "guide").tensor("conditional", &tensor(random, &dims)?);
        let question = question.tensor("unconditional", &tensor(random, &dims)?);
        questions.push(question.word("scale", random.random_range(0.0..6.0)));
    }
    Ok(questions)
}

fn clip_loss(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("clip_loss", seed);
    let mut questions = Vec::new();
    for name in ["forward", "forward", "gradients"] {
        let (b, p) = (random.random_range(4..9), random.random_range(5..12));
        let t = Tensor::new(random.random_range(0.2f32..2.), &Device::Cpu)?;
        let question =
            Question::new("clip_loss", name).tensor("image_embeddings", &tensor(random, &[b, p])?);
        questions.push(
            question.tensor("text_embeddings", &tensor(random, &[b, p])?).tensor("logit_scale", &t),
        );
    }
    Ok(questions)
}

fn projection_head(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("projection_head", seed);
    let mut questions = Vec::new();
    for name in ["forward", "forward", "gradients"] {
        let (b, d, p) =
            (random.random_range(2..6), random.random_range(5..10), random.random_range(11..17));
        let mut state = BTreeMap::new();
        for (name, dims) in [
            ("projection.weight", vec![p, d]),
            ("projection.bias", vec![p]),
            ("fc.weight", vec![p, p]),
            ("fc.bias", vec![p]),
            ("layer_norm.weight", vec![p]),
            ("layer_norm.bias", vec![p]),
        ] {
            state.insert(name.to_string(), tensor(random, &dims)?);
        }
        let mut question = Question::new("projection_head", name)
            .word("embedding_dim", d)
            .word("projection_dim", p);
        question.tensors = state;
        let question = question
            .word("dropout", 0.3)
            .word("mode", "eval")
            .tensor("x", &tensor(random, &[b, d])?);
        questions.push(match name {
            "gradients" => question.tensor("g", &tensor(random, &[b, p])?),
            _ => question,
        });
    }
    Ok(questions)
}

fn keep_best(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("keep_best", seed);
    let mut questions = Vec::new();
    for epochs in [6, 9] {
        let losses: Vec<f64> = (0..epochs).map(|_| random.random_range(0.5..5.)).collect();
        let folder = format!("/models/{}", random.random_range(100..1000));
        let losses = Tensor::new(losses, &Device::Cpu)?;
        questions.push(
            Question::new("keep_best", "epochs")
                .tensor("valid_losses", &losses)
                .word("folder", folder),
        );
    }
    Ok(questions)
}

fn find_matches(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("find_matches", seed);
    let mut questions = Vec::new();
    for n in [3, 5] {
        // Cosines a hundredth apart at least, so that no rounding changes the order.
        let mut steps: Vec<i32> = (-95..96).step_by(2).collect();
        steps.shuffle(random);
        let rows = random.random_range(9..20);
        let mut values = Vec::new();
        let mut names = Vec::new();
        for step in &steps[..rows] {
            let (cosine, length) = (f64::from(*step) / 100., random.random_range(0.5..3.));
            let angle = cosine.acos() + 0.4;
            values.extend([(angle.cos() * length) as f32, (angle.sin() * length) as f32]);
            names.push(format!("{:x}.jpg", 4096 + random.random_range(0..rows / 2 + 1) * 77));
        }
        let images = Tensor::from_vec(values, (rows, 2), &Device::Cpu)?;
        let text = Tensor::new(&[[2. * 0.4f32.cos(), 2. * 0.4f32.sin()]], &Device::Cpu)?;
        let question = Question::new("find_matches", "search").tensor("image_embeddings", &images);
        questions.push(
            question.tensor("text_embedding", &text).list("image_filenames", &names).word("n", n),
        );
    }
    Ok(questions)
}

fn zero_shot_classifier(seed: u64, _: &Path) -> Result<Vec<Question>> {
    let random = &mut random("zero_shot_classifier", seed);
    let mut questions = Vec::new();
    for (c, t) in [(3, 4), (5, 2)] {
        let p = random.random_range(6..10);
        let mut word = || {
            let letters = (0..random.random_range(3..8)).map(|_| random.random_range(b'a'..=b'z'));
            letters.map(char::from).collect::<String>()
        };
        let names: Vec<String> = (0..c).map(|i| format!("{}{i}", word())).collect();
        let templates: Vec<String> =
            (0..t).map(|i| format!("{} {i} {{label}} {}.", word(), word())).collect();
        let sentences = names.iter().flat_map(|name| {
            templates.iter().map(move |template| template.replace("{label}", name))
        });
        let texts: Vec<String> = sentences.collect();
        // Lengths from 0.2 to 5 times that of another.
        let lengths: Vec<f32> = texts.iter().map(|_| random.random_range(0.2f32..5.)).collect();
        let lengths = Tensor::from_vec(lengths, (texts.len(), 1), &Device::Cpu)?;
        let table = tensor(random, &[texts.len(), p])?.broadcast_mul(&lengths)?;
        let question = Question::new("zero_shot_classifier", "build").list("class_names", &names);
        let question = question.list("templates", &templates).list("texts", &texts);
        questions.push(question.tensor("table", &table));
    }
    Ok(questions)
}

fn clip_dataset(seed: u64, folder: &Path) -> Result<Vec<Question>> {
    let random = &mut random("clip_dataset", seed);
    let words = ["a", "red", "dog", "one", "on", "the", "grass", "cat", "two", "sea", "cup", "in"]
        .map(String::from);
    let (mut names, mut captions) = (Vec::new(), Vec::new());
    for picture in 0..3 {
        let name = format!("{}.png", random.random_range(1000..9999) * 10 + picture);
        let mut noise = || random.random_range(0..=255u8);
        let pixels =
            image::RgbImage::from_fn(11, 7, |_, _| image::Rgb([noise(), noise(), noise()]));
        let path = folder.join(&name);
        pixels.save(&path).map_err(|e| Error::Plot(format!("{}: {e}", path.display())))?;
        for _ in 0..=picture {
            let count = random.random_range(2..7);
            captions.push(
                (0..count)
                    .map(|_| words[random.random_range(0..words.len())].clone())
                    .collect::<Vec<_>>()
                    .join(" "),
            );
            names.push(name.clone());
        }
    }
    let question = Question::new("clip_dataset", "build")
        .list("image_filenames", &names)
        .list("captions", &captions);
    let question =
        question.word("tokenizer", Tokenizer::from_words(&words)?.to_json()?).word("size", 8);
    let mut questions = vec![question.word("folder", folder.display()).word("max_length", 20)];
    for index in 0..names.len() {
        questions.push(Question::new("clip_dataset", "get").word("index", index));
    }
    Ok(questions)
}
