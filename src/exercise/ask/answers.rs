//! What turns a student's item into answers: one function an exercise. They run the item and judge nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use candle_core::{DType, Device, Tensor, Var};
use serde_json::json;

use super::{Answer, Question};
use crate::clip::{
    ClipLoss, FindMatches, KeepBest, Projection, Save, TextTable, ZeroShotClassifier,
};
use crate::config::Gpt2Config;
use crate::dalle::{DalleSequence, Quantize, SequenceLayout};
use crate::dataset::{PairDataset, Transform};
use crate::frozen::{CaptionLoss, FreezeLm, VisualPrefix};
use crate::language_model::{EarlyStopping, Gpt2, LmInput, Perplexity};
use crate::nn::{Init, Linear, Mode, Params};
use crate::prompting::{FewShotPrompt, PromptTemplate, ReadAnswer, Segment, Shot};
use crate::text::Tokenizer;
use crate::unclip::Guidance;
use crate::{Error, Result};

/// Answers questions about one item.
pub type Answers = Arc<dyn Fn(&Question) -> Result<Answer> + Send + Sync>;

fn unknown(question: &Question) -> Error {
    Error::value(format!("{}, question", question.exercise), "one of CONTRACTS.md", &question.name)
}

/// `build`, `get`.
pub fn clip_dataset<D: PairDataset + 'static>() -> Answers {
    let built: Mutex<Option<Arc<D>>> = Mutex::new(None);
    Arc::new(move |q: &Question| match q.name.as_str() {
        "build" => {
            let tokenizer: String = q.parse("tokenizer")?;
            let dataset = D::new(
                &q.strings("image_filenames")?,
                &q.strings("captions")?,
                &Tokenizer::from_bytes(tokenizer.as_bytes())?,
                &Transform::imagenet(q.parse("size")?),
                &q.parse::<PathBuf>("folder")?,
                q.parse("max_length")?,
            )?;
            let len = dataset.len();
            *built.lock().unwrap_or_else(|e| e.into_inner()) = Some(Arc::new(dataset));
            Ok(Answer::default().word("len", len))
        }
        "get" => {
            let dataset = built.lock().unwrap_or_else(|e| e.into_inner()).clone();
            let dataset =
                dataset.ok_or_else(|| Error::value("get", "`build` before", "nothing"))?;
            let index = q.parse("index")?;
            let item = dataset.get(index)?;
            Ok(Answer::default()
                .tensor("image", item.image)
                .tensor("input_ids", item.input_ids)
                .tensor("attention_mask", item.attention_mask)
                .word("caption", item.caption)
                .word("image_filename", dataset.image_filename(index)))
        }
        _ => Err(unknown(q)),
    })
}

/// `keys`, `forward`, `gradients`.
pub fn projection_head<H: Projection + 'static>() -> Answers {
    Arc::new(move |q: &Question| {
        let params = Params::new(&Device::Cpu, q.seed);
        let (from, to) = (q.parse("embedding_dim")?, q.parse("projection_dim")?);
        let head = H::new(from, to, q.parse("dropout")?, &params)?;
        if q.name == "keys" {
            let shapes: BTreeMap<String, Vec<usize>> =
                params.all().iter().map(|p| (p.name().into(), p.var().dims().to_vec())).collect();
            return Ok(Answer::default().word("shapes", json!(shapes)));
        }
        let mut values = q.tensors.clone();
        let x = values.remove("x").ok_or_else(|| unknown(q))?;
        let g = values.remove("g");
        params.load_state_dict(&values)?;
        let mode = if q.parse::<String>("mode")? == "train" { Mode::Train } else { Mode::Eval };
        match (q.name.as_str(), g) {
            ("forward", _) => Ok(Answer::default().tensor("y", head.forward(&x, mode)?)),
            ("gradients", Some(g)) => {
                let x = Var::from_tensor(&x)?;
                let y = head.forward(x.as_tensor(), mode)?;
                let grads = (y * g)?.sum_all()?.backward()?;
                let vars =
                    params.all().into_iter().map(|p| (p.name().to_string(), p.var().clone()));
                Ok(gathered(&grads, vars.chain([("x".to_string(), x)])))
            }
            _ => Err(unknown(q)),
        }
    })
}

/// `forward`, `gradients`.
pub fn clip_loss(loss: ClipLoss) -> Answers {
    const NAMES: [&str; 3] = ["image_embeddings", "text_embeddings", "logit_scale"];
    Arc::new(move |q: &Question| {
        let [images, texts, scale] = [q.get(NAMES[0])?, q.get(NAMES[1])?, q.get(NAMES[2])?];
        match q.name.as_str() {
            "forward" => Ok(Answer::default().tensor("loss", loss(images, texts, scale)?)),
            "gradients" => {
                let vars = [images, texts, scale].map(Var::from_tensor);
                let [images, texts, scale] = vars;
                let vars = [images?, texts?, scale?];
                let value = loss(&vars[0], &vars[1], &vars[2])?;
                let grads = value.sum_all()?.backward()?;
                Ok(gathered(&grads, NAMES.map(String::from).into_iter().zip(vars)))
            }
            _ => Err(unknown(q)),
        }
    })
}

/// The gradients that are there; one that is missing says that none has arrived.
fn gathered(
    grads: &candle_core::backprop::GradStore,
    vars: impl Iterator<Item = (String, Var)>,
) -> Answer {
    vars.fold(Answer::default(), |answer, (name, var)| match grads.get(&var) {
        Some(grad) => answer.tensor(&name, grad.clone()),
        None => answer,
    })
}

/// `epochs`.
pub fn keep_best(keep: KeepBest) -> Answers {
    /// Writes nothing and remembers where it should have been written.
    struct Model {
        saved: Mutex<Vec<PathBuf>>,
        fails: bool,
    }
    impl Save for Model {
        fn save(&self, path: &Path) -> Result<()> {
            self.saved.lock().unwrap_or_else(|e| e.into_inner()).push(path.to_path_buf());
            if self.fails {
                return Err(Error::value("save", "room on the disk", "none"));
            }
            Ok(())
        }
    }
    Arc::new(move |q: &Question| {
        if q.name != "epochs" {
            return Err(unknown(q));
        }
        let losses = q.get("valid_losses")?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
        let fails = q.words.get("disk").is_some_and(|disk| disk == "full");
        let model = Model { saved: Mutex::default(), fails };
        let folder = PathBuf::from(q.parse::<String>("folder")?);
        let (mut best, mut bests, mut saved) = (f64::INFINITY, Vec::new(), Vec::new());
        for (epoch, loss) in losses.into_iter().enumerate() {
            best = keep(loss, best, &model, &folder)?;
            bests.push(best);
            let mut paths = model.saved.lock().unwrap_or_else(|e| e.into_inner());
            saved.extend(paths.drain(..).map(|path| json!({"epoch": epoch + 1, "path": path})));
        }
        let bests = Tensor::new(bests, &Device::Cpu)?;
        Ok(Answer::default().tensor("best_losses", bests).word("saved", json!(saved)))
    })
}

/// `trainable`.
pub fn freeze_lm(freeze: FreezeLm) -> Answers {
    Arc::new(move |q: &Question| {
        if q.name != "trainable" {
            return Err(unknown(q));
        }
        let params = Params::new(&Device::Cpu, q.seed);
        let config: Gpt2Config = serde_json::from_str(&q.parse::<String>("config")?)?;
        let place = params.pp("text_encoder");
        let model = Gpt2::new(&config, &place)?;
        // What is beside the language model is none of its business.
        let other = params.pp("vision_proj_m").get((2, 2), "weight", Init::Const(1.))?;
        let copies = params.all().into_iter();
        let copies = copies.map(|p| Ok((p.name().to_string(), p.var().as_tensor().copy()?)));
        let before: BTreeMap<String, Tensor> = copies.collect::<Result<_>>()?;
        for _ in 0..q.parse("times")? {
            freeze(&place)?;
        }
        let trainable: Vec<String> =
            params.trainable().iter().map(|p| p.name().to_string()).collect();
        let mut changed = Vec::new();
        for (name, value) in params.state_dict() {
            if (value - &before[&name])?.abs()?.sum_all()?.to_scalar::<f32>()? != 0. {
                changed.push(name);
            }
        }
        let prefix = Var::from_tensor(q.get("prefix")?)?;
        let words = model.embed(q.get("input_ids")?)?;
        let x = Tensor::cat(&[prefix.as_tensor(), &words], 1)?;
        let mask = Tensor::ones(x.dims3().map(|(b, t, _)| (b, t))?, DType::U32, &Device::Cpu)?;
        let logits = model.forward(&LmInput::new(&x, &mask)?, Mode::Eval)?;
        let grads = (logits.sqr()?.sum_all()? + other.tensor().sum_all()?)?.backward()?;
        let vars = params.all().into_iter().map(|p| (p.name().to_string(), p.var().clone()));
        let answer = gathered(&grads, vars.chain([("prefix".to_string(), prefix)]));
        Ok(answer.word("trainable", json!(trainable)).word("changed", json!(changed)))
    })
}

/// `forward`, `gradients`.
pub fn visual_prefix(prefix: VisualPrefix) -> Answers {
    Arc::new(move |q: &Question| {
        let (features, weight, bias) = (q.get("features")?, q.get("weight")?, q.get("bias")?);
        let params = Params::new(&Device::Cpu, q.seed);
        let (wide, deep) = weight.dims2()?;
        let projection = Linear::new(deep, wide, &params)?;
        params.load_state_dict(
            &[("weight".to_string(), weight.clone()), ("bias".to_string(), bias.clone())].into(),
        )?;
        let features = Var::from_tensor(features)?;
        let found = prefix(features.as_tensor(), &projection, q.parse("n")?)?;
        match q.name.as_str() {
            "forward" => Ok(Answer::default().tensor("prefix", found.detach())),
            "gradients" => {
                let grads = (found * q.get("g")?)?.sum_all()?.backward()?;
                let vars =
                    params.all().into_iter().map(|p| (p.name().to_string(), p.var().clone()));
                Ok(gathered(&grads, vars.chain([("features".to_string(), features)])))
            }
            _ => Err(unknown(q)),
        }
    })
}

/// `forward`, `gradients`.
pub fn caption_loss(loss: CaptionLoss) -> Answers {
    Arc::new(move |q: &Question| {
        let logits = Var::from_tensor(q.get("logits")?)?;
        let (ids, mask) = (q.get("input_ids")?, q.get("attention_mask")?);
        let value = loss(logits.as_tensor(), ids, mask, q.parse("image_token_id")?)?;
        match q.name.as_str() {
            "forward" => Ok(Answer::default().tensor("loss", value.detach())),
            "gradients" => {
                let grads = value.sum_all()?.backward()?;
                Ok(gathered(&grads, [("logits".to_string(), logits)].into_iter()))
            }
            _ => Err(unknown(q)),
        }
    })
}

/// `value`, `written`.
pub fn perplexity(value: Perplexity, early_stopping: EarlyStopping) -> Answers {
    Arc::new(move |q: &Question| match q.name.as_str() {
        "value" => {
            let found = value(q.get("log_probabilities")?)?;
            Ok(Answer::default().tensor("perplexity", Tensor::new(found, &Device::Cpu)?))
        }
        "written" => Ok(Answer::default().word("early_stopping", early_stopping())),
        _ => Err(unknown(q)),
    })
}

/// `fill`, `read`.
pub fn prompt_template(template: PromptTemplate, read: ReadAnswer) -> Answers {
    Arc::new(move |q: &Question| {
        let word = |name: &str| q.parse::<String>(name);
        match q.name.as_str() {
            "fill" => {
                let prompt = template(&word("template")?, &word("x")?)?;
                Ok(Answer::default().word("prompt", prompt))
            }
            "read" => {
                let found = read(&word("prompt")?, &word("completed")?, &q.strings("answers")?)?;
                let number = found.map_or(-1, |found| i64::try_from(found).unwrap_or(i64::MAX));
                Ok(Answer::default().word("answer", number))
            }
            _ => Err(unknown(q)),
        }
    })
}

/// `build`.
pub fn few_shot_prompt(prompt: FewShotPrompt) -> Answers {
    Arc::new(move |q: &Question| {
        if q.name != "build" {
            return Err(unknown(q));
        }
        let shots: Vec<Shot> = serde_json::from_str(&q.parse::<String>("shots")?)?;
        let query: Shot = serde_json::from_str(&q.parse::<String>("query")?)?;
        let segments = prompt(&q.parse::<String>("instruction")?, &shots, &query)?;
        // How words are cut into segments is nobody's business.
        Ok(Answer::default().word("segments", json!(Segment::joined(&segments))))
    })
}

/// `forward`, `gradients`.
pub fn quantize(quantize: Quantize) -> Answers {
    Arc::new(move |q: &Question| {
        let logits = Var::from_tensor(q.get("logits")?)?;
        let codes = quantize(logits.as_tensor(), q.parse("temperature")?, q.tensors.get("noise"))?;
        match q.name.as_str() {
            "forward" => Ok(Answer::default().tensor("codes", codes.detach())),
            "gradients" => {
                let grads = (codes * q.get("g")?)?.sum_all()?.backward()?;
                Ok(gathered(&grads, [("logits".to_string(), logits)].into_iter()))
            }
            _ => Err(unknown(q)),
        }
    })
}

/// `build`.
pub fn dalle_sequence(sequence: DalleSequence) -> Answers {
    Arc::new(move |q: &Question| {
        if q.name != "build" {
            return Err(unknown(q));
        }
        let layout: SequenceLayout = serde_json::from_str(&q.parse::<String>("layout")?)?;
        let found = sequence(q.get("text_ids")?, q.get("image_codes")?, &layout)?;
        Ok(Answer::default()
            .tensor("ids", found.ids)
            .tensor("positions", found.positions)
            .tensor("targets", found.targets)
            .tensor("weights", found.weights.detach()))
    })
}

/// `noise`, `drop` (with the conditions' gradient where `g` is sent), `guide`.
pub fn guidance<G: Guidance + Default + 'static>() -> Answers {
    Arc::new(move |q: &Question| {
        let guidance = G::default();
        match q.name.as_str() {
            "noise" => {
                let x = guidance.noise(q.get("x0")?, q.get("noise")?, q.get("alpha_bar")?)?;
                Ok(Answer::default().tensor("x", x))
            }
            "drop" => {
                let condition = Var::from_tensor(q.get("condition")?)?;
                let x = guidance.drop_condition(condition.as_tensor(), q.get("keep")?)?;
                let answer = Answer::default().tensor("x", x.detach());
                let Some(g) = q.tensors.get("g") else { return Ok(answer) };
                let grads = (x * g)?.sum_all()?.backward()?;
                Ok(match grads.get(&condition) {
                    Some(grad) => answer.tensor("condition", grad.clone()),
                    None => answer,
                })
            }
            "guide" => {
                let (c, u) = (q.get("conditional")?, q.get("unconditional")?);
                Ok(Answer::default().tensor("x", guidance.guided(c, u, q.parse("scale")?)?))
            }
            _ => Err(unknown(q)),
        }
    })
}

/// `search`.
pub fn find_matches(find: FindMatches) -> Answers {
    Arc::new(move |q: &Question| {
        if q.name != "search" {
            return Err(unknown(q));
        }
        let names = q.strings("image_filenames")?;
        let (images, text) = (q.get("image_embeddings")?, q.get("text_embedding")?);
        let matches = find(images, text, &names, q.parse("n")?)?;
        let found: Vec<&String> = matches.iter().map(|m| &m.image_filename).collect();
        let similarity: Vec<f32> = matches.iter().map(|m| m.similarity).collect();
        Ok(Answer::default()
            .tensor("similarity", Tensor::new(similarity, &Device::Cpu)?)
            .word("image_filename", json!(found)))
    })
}

/// `build`.
pub fn zero_shot_classifier(build: ZeroShotClassifier) -> Answers {
    Arc::new(move |q: &Question| {
        if q.name != "build" {
            return Err(unknown(q));
        }
        let table = TextTable::new(&q.strings("texts")?, q.get("table")?)?;
        let (names, templates) = (q.strings("class_names")?, q.strings("templates")?);
        let weights = build(&names, &templates, &|texts| table.encode(texts))?;
        Ok(Answer::default().tensor("weights", weights.detach()))
    })
}
