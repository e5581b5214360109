//! How the questions of the checks that students see are redrawn from the run's seed, so that answers which were written down
//! do not fit them, and a solution, right or wrong, is as right or wrong as before.

use std::collections::BTreeMap;
use std::path::Path;

use course::grade::Again;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use vision_language::candle_core::{DType, Device, Tensor};
use vision_language::exercise::ask::Question;
use vision_language::{Error, Result};

use super::random;

/// One for each exercise whose questions can be redrawn.
pub const AGAIN: &[Again] = &[
    Again { id: "clip_dataset", redraw: clip_dataset },
    Again { id: "projection_head", redraw: projection_head },
    Again { id: "clip_loss", redraw: clip_loss },
    Again { id: "keep_best", redraw: keep_best },
    Again { id: "find_matches", redraw: find_matches },
    Again { id: "zero_shot_classifier", redraw: zero_shot_classifier },
    Again { id: "freeze_lm", redraw: freeze_lm },
    Again { id: "visual_prefix", redraw: |seed, _, q| Ok(Some(stretched(seed, q)?)) },
    Again { id: "caption_loss", redraw: |seed, _, q| Ok(Some(stretched(seed, q)?)) },
    Again { id: "perplexity", redraw: perplexity },
    Again { id: "prompt_template", redraw: super::prompting::redrawn },
    Again { id: "few_shot_prompt", redraw: super::prompting::redrawn },
    Again { id: "guidance", redraw: guidance },
    Again { id: "quantize", redraw: super::dalle::quantize },
    Again { id: "dalle_sequence", redraw: super::dalle::sequence },
];

/// Numbers of a question's own: the same question, the same numbers.
pub(super) fn drawn(seed: u64, q: &Question) -> ChaCha8Rng {
    let words: String = q.words.iter().map(|(name, word)| format!("{name} {word} ")).collect();
    let shapes: String =
        q.tensors.iter().map(|(name, t)| format!("{name} {:?}", t.dims())).collect();
    random(&format!("{} {} {words}{shapes}", q.exercise, q.name), seed)
}

/// Every number of every tensor up to a fifth larger or smaller: zeros stay zeros, equal numbers equal, also those of two tensors,
/// and a tensor of one number alone as it is.
pub fn stretched(seed: u64, q: &Question) -> Result<Question> {
    let random = &mut drawn(seed, q);
    let mut redrawn = q.clone();
    let mut factors = BTreeMap::new();
    for tensor in redrawn.tensors.values_mut().filter(|t| t.dtype().is_float()) {
        let mut numbers = tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        let even = numbers.iter().all(|number| *number == numbers[0]);
        for number in numbers.iter_mut().filter(|_| !even) {
            let drawn = 1. + random.random_range(-0.2..0.2);
            *number *= *factors.entry(number.to_bits()).or_insert(drawn);
        }
        *tensor =
            Tensor::from_vec(numbers, tensor.dims(), &Device::Cpu)?.to_dtype(tensor.dtype())?;
    }
    Ok(redrawn)
}

/// Other numbers, and for the question about its parameters other sizes.
fn projection_head(seed: u64, _: &Path, q: &Question) -> Result<Option<Question>> {
    if q.name != "keys" {
        return Ok(Some(stretched(seed, q)?));
    }
    let random = &mut drawn(seed, q);
    let (d, p) = (random.random_range(10..15), random.random_range(5..9));
    Ok(Some(q.clone().word("embedding_dim", d).word("projection_dim", p)))
}

/// Another temperature; and other numbers where rows are not perfect pairs, at right angles to each other.
fn clip_loss(seed: u64, _: &Path, q: &Question) -> Result<Option<Question>> {
    let images = &q.tensors["image_embeddings"];
    let table = images.matmul(&images.t()?)?;
    let perfect = (table - Tensor::eye(images.dim(0)?, DType::F32, &Device::Cpu)?)?;
    let perfect = perfect.abs()?.sum_all()?.to_scalar::<f32>()? < 1e-4;
    let redrawn = if perfect { q.clone() } else { stretched(seed, q)? };
    let warmer = f64::from(drawn(seed, q).random_range(0.75f32..0.9));
    let t = (&q.tensors["logit_scale"] * warmer)?;
    Ok(Some(redrawn.tensor("logit_scale", &t)))
}

/// A few units more for every loss, and another folder: what is better stays better.
fn keep_best(seed: u64, _: &Path, q: &Question) -> Result<Option<Question>> {
    let random = &mut drawn(seed, q);
    let more = f64::from(random.random_range(1..6u8));
    let losses = (&q.tensors["valid_losses"] + more)?;
    let folder = format!("/models/run{}", random.random_range(100..1000));
    Ok(Some(q.clone().tensor("valid_losses", &losses).word("folder", folder)))
}

/// The query turned by some degrees away from all pictures, and other names: the order stays.
fn find_matches(seed: u64, _: &Path, q: &Question) -> Result<Option<Question>> {
    let random = &mut drawn(seed, q);
    let angle: f32 = -random.random_range(2f32..4.).to_radians();
    let turn = [[angle.cos(), angle.sin()], [-angle.sin(), angle.cos()]];
    let text = q.tensors["text_embedding"].matmul(&Tensor::new(&turn, &Device::Cpu)?)?;
    let names: Vec<String> = serde_json::from_str(&q.words["image_filenames"])?;
    // The same letters before each, so that an order by name is the same too.
    let before = format!("p{}_", random.random_range(100..1000));
    let names: Vec<String> = names.iter().map(|name| format!("{before}{name}")).collect();
    Ok(Some(q.clone().tensor("text_embedding", &text).list("image_filenames", &names)))
}

/// The table's columns in another order, each column and each row longer or shorter: sentences that mean the same still do, and
/// how they are called stays.
fn zero_shot_classifier(seed: u64, _: &Path, q: &Question) -> Result<Option<Question>> {
    let random = &mut drawn(seed, q);
    let table = &q.tensors["table"];
    let (rows, columns) = table.dims2()?;
    let mut factors = |dims: (usize, usize)| -> Result<Tensor> {
        let values = (0..dims.0 * dims.1).map(|_| random.random_range(0.8f32..1.2));
        Ok(Tensor::from_vec(values.collect(), dims, &Device::Cpu)?)
    };
    let longer = table.broadcast_mul(&factors((1, columns))?)?;
    let longer = longer.broadcast_mul(&factors((rows, 1))?)?;
    Ok(Some(q.clone().tensor("table", &turned(random, &longer, 1)?)))
}

/// A dimension turned by some places: what stood first stands behind others.
pub(super) fn turned(random: &mut ChaCha8Rng, x: &Tensor, dim: usize) -> Result<Tensor> {
    let size = x.dim(dim)?;
    let by = if size > 1 { random.random_range(1..size) } else { 0 };
    let back = [x.narrow(dim, by, size - by)?, x.narrow(dim, 0, by)?];
    Ok(if by == 0 { x.clone() } else { Tensor::cat(&back, dim)? })
}

/// One layer more, other values.
fn freeze_lm(seed: u64, _: &Path, q: &Question) -> Result<Option<Question>> {
    let mut config: Value = serde_json::from_str(&q.words["config"])?;
    config["n_layer"] = (config["n_layer"].as_u64().unwrap_or(1) + 1).into();
    let random = &mut drawn(seed, q);
    Ok(Some(stretched(seed, q)?.word("config", config).seed(random.random_range(0..1 << 30))))
}

/// Other pictures, noise and predictions, a little more noise; who is kept stays, and so do the scales.
fn guidance(seed: u64, _: &Path, q: &Question) -> Result<Option<Question>> {
    let mut redrawn = stretched(seed, q)?;
    let random = &mut drawn(seed, q);
    for (name, tensor) in &mut redrawn.tensors {
        let original = &q.tensors[name];
        *tensor = match name.as_str() {
            "keep" => original.clone(),
            "alpha_bar" => (original * f64::from(random.random_range(0.8f32..0.98)))?,
            // A tensor of one number has not been stretched.
            _ if original.elem_count() == 1 => {
                (original * f64::from(random.random_range(0.8f32..1.2)))?
            }
            _ => continue,
        };
    }
    Ok(Some(redrawn))
}

/// Every logarithm larger or smaller by one factor: what a text's length and order do stays.
fn perplexity(seed: u64, _: &Path, q: &Question) -> Result<Option<Question>> {
    let Some(logs) = q.tensors.get("log_probabilities") else { return Ok(None) };
    let factor = drawn(seed, q).random_range(0.8..0.95);
    Ok(Some(q.clone().tensor("log_probabilities", &(logs * factor)?)))
}

/// Other pictures under the same names, and captions of other words, as long as before.
fn clip_dataset(seed: u64, folder: &Path, q: &Question) -> Result<Option<Question>> {
    if q.name != "build" {
        return Ok(Some(q.clone()));
    }
    let random = &mut drawn(seed, &q.clone().word("folder", ""));
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let list = |name: &str| -> Result<Vec<String>> { Ok(serde_json::from_str(&q.words[name])?) };
    let mut names = list("image_filenames")?;
    let captions = list("captions")?;
    let all: Vec<&str> = captions.iter().flat_map(|c| c.split_whitespace()).collect();
    // A capital letter stays where there was one.
    let large = |word: &str| word.contains(char::is_uppercase);
    let mut other = |word: &str| {
        let alike: Vec<&&str> = all.iter().filter(|w| large(w) == large(word)).collect();
        alike[random.random_range(0..alike.len())].to_string()
    };
    let captions: Vec<String> = captions
        .iter()
        .map(|c| c.split_whitespace().map(&mut other).collect::<Vec<_>>().join(" "))
        .collect();
    let question = q.clone().list("captions", &captions).word("folder", folder.display());
    names.sort();
    names.dedup();
    for name in names {
        let mut noise = || random.random_range(0..=255u8);
        let pixels =
            image::RgbImage::from_fn(12, 9, |_, _| image::Rgb([noise(), noise(), noise()]));
        let path = folder.join(&name);
        pixels.save(&path).map_err(|e| Error::Plot(format!("{}: {e}", path.display())))?;
    }
    Ok(Some(question))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use course::grade::again::examine;
    use vision_language::exercise::ask::{Answer, Ask, Failure, Local};
    use vision_language::exercise::{Status, check};

    use super::*;
    use crate::hidden::HIDDEN;

    /// What a master has answered to the checks' questions.
    type Known = Vec<(Question, std::result::Result<Answer, Failure>)>;

    struct Listening<'a>(Local, &'a RefCell<Known>);

    impl Ask for Listening<'_> {
        fn ask(&self, q: &Question) -> std::result::Result<Answer, Failure> {
            let outcome = self.0.ask(q);
            self.1.borrow_mut().push((q.clone(), outcome.clone()));
            outcome
        }
    }

    /// Has computed nothing: it gives the answer to the known question that is most like the one that it is asked.
    struct Parrot(Known);

    impl Ask for Parrot {
        fn ask(&self, q: &Question) -> std::result::Result<Answer, Failure> {
            let far = |known: &Question| -> Option<f64> {
                if known.name != q.name || known.tensors.len() != q.tensors.len() {
                    return None;
                }
                let words =
                    q.words.iter().filter(|(name, word)| known.words.get(*name) != Some(word));
                let mut far = words.filter(|(name, _)| *name != "folder").count() as f64;
                for (name, tensor) in &q.tensors {
                    let other = known.tensors.get(name).filter(|o| o.dims() == tensor.dims())?;
                    let [a, b] = [tensor, other].map(|t| t.to_dtype(DType::F64));
                    let difference = (a.ok()? - b.ok()?).ok()?.abs().ok()?.sum_all().ok()?;
                    far += difference.to_scalar::<f64>().ok()?.max(0.);
                }
                Some(far)
            };
            let near = self.0.iter().filter_map(|(known, answer)| Some((far(known)?, answer)));
            let nearest = near.min_by(|a, b| a.0.total_cmp(&b.0));
            nearest.map_or(Err(Failure::Error("never heard".into())), |(_, answer)| answer.clone())
        }
    }

    #[test]
    fn who_only_knows_the_answers_has_almost_nothing() {
        course::grade::hidden(HIDDEN);
        course::grade::again(AGAIN);
        for hidden in HIDDEN {
            assert!(AGAIN.iter().any(|again| again.id == hidden.id), "{} is asked once", hidden.id);
            let known = RefCell::default();
            let listening = Listening(Local::new((hidden.master)()), &known);
            assert!(check::run(hidden.id, &listening).unwrap().is_complete(), "{}", hidden.id);
            let parrot = Parrot(known.into_inner());
            let fooled = check::run(hidden.id, &parrot).unwrap().points();
            for seed in 0..3 {
                let examined = examine(hidden.id, seed, &parrot).unwrap();
                let counts =
                    examined.report.checks.iter().filter(|c| {
                        c.status == Status::Passed && !examined.parroted.contains(&c.id)
                    });
                let left: Vec<(&str, u32)> = counts.map(|c| (c.id.as_str(), c.points)).collect();
                println!("{}: {fooled} of 10 for known numbers, then {left:?}", hidden.id);
                let points: u32 = left.iter().map(|(_, points)| points).sum();
                assert!(points <= 2, "{}, seed {seed}: {left:?}", hidden.id);
            }
            // And the master keeps everything.
            let examined = examine(hidden.id, 0, &Local::new((hidden.master)())).unwrap();
            assert!(
                examined.report.is_complete() && examined.parroted.is_empty(),
                "{:?}",
                examined.parroted
            );
        }
    }

    #[test]
    fn who_spoils_a_part_on_purpose_has_almost_nothing_of_the_others() {
        course::grade::hidden(HIDDEN);
        course::grade::again(AGAIN);
        let known = RefCell::default();
        let master = HIDDEN.iter().find(|hidden| hidden.id == "dalle_sequence").unwrap().master;
        check::run("dalle_sequence", &Listening(Local::new(master()), &known)).unwrap();
        for part in ["positions", "targets", "weights"] {
            let mut known = known.borrow().clone();
            for (_, answer) in &mut known {
                let table = answer.as_mut().unwrap().tensors.get_mut(part).unwrap();
                *table = table.zeros_like().unwrap();
            }
            let examined = examine("dalle_sequence", 1, &Parrot(known)).unwrap();
            let passed = examined.report.checks.iter().filter(|c| c.status == Status::Passed);
            let (lost, left): (Vec<_>, Vec<_>) =
                passed.partition(|c| examined.parroted.contains(&c.id));
            println!("{part} spoiled: {} checks lost, {} left", lost.len(), left.len());
            assert!(lost.len() >= 3 && left.is_empty(), "{part}: {:?}", examined.parroted);
        }
    }
}
