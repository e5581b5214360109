//! The features of frozen encoders, computed once for a whole training.
//!
//! A frozen encoder gives a picture the same features in every epoch: it runs in evaluation mode (no dropout, batch norm
//! by its running statistics), nothing changes its parameters, and pictures are transformed in one way only (there is
//! no augmentation here). The same holds for captions, whose padding nobody reads. So the second epoch and all later
//! ones need only the heads.

use std::collections::{HashMap, HashSet};

use candle_core::Tensor;

use super::ClipModel;
use crate::Result;
use crate::dataset::Batch;
use crate::nn::Mode;

/// Features by name, where the encoder is frozen.
type Kept = Option<HashMap<String, Tensor>>;

/// What was computed so far of the pictures and captions of one loader: by file name and by caption.
#[derive(Default)]
pub(super) struct Features {
    image: Kept,
    text: Kept,
}

impl Features {
    /// For a training of `model`: keeps those of its frozen encoders.
    pub fn of_frozen(model: &ClipModel) -> Self {
        let keep = |trainable: bool, place: &str| {
            let frozen = !trainable && model.params().pp(place).trainable().is_empty();
            frozen.then(HashMap::new)
        };
        let config = model.config();
        Self {
            image: keep(config.image_trainable, "image_encoder"),
            text: keep(config.text_trainable, "text_encoder"),
        }
    }

    /// The model's loss of a batch, as [`ClipModel::loss`].
    pub fn loss(&mut self, model: &ClipModel, batch: &Batch, mode: Mode) -> Result<Tensor> {
        let image = kept(&mut self.image, &batch.image_filenames, |rows| {
            model.image_features(&pick(&batch.images, rows)?, mode)
        })?;
        let text = kept(&mut self.text, &batch.captions, |rows| {
            let ids = pick(&batch.input_ids, rows)?;
            model.text_features(&ids, &pick(&batch.attention_mask, rows)?, mode)
        })?;
        model.loss_of_features(&image, &text, mode)
    }
}

/// These rows of a tensor; all of them without a copy.
fn pick(tensor: &Tensor, rows: &[u32]) -> Result<Tensor> {
    if rows.len() == tensor.dim(0)? {
        return Ok(tensor.clone());
    }
    Ok(tensor.index_select(&Tensor::new(rows, tensor.device())?, 0)?)
}

/// The features `(b, d)` of `names`, of which `compute` is asked for the rows that are not there yet.
fn kept(
    kept: &mut Kept,
    names: &[String],
    compute: impl FnOnce(&[u32]) -> Result<Tensor>,
) -> Result<Tensor> {
    let all: Vec<u32> = (0..names.len() as u32).collect();
    let Some(kept) = kept else { return compute(&all) };
    let mut new = HashSet::new();
    let is_new = |row: &u32| {
        let name = &names[*row as usize];
        !kept.contains_key(name) && new.insert(name)
    };
    let rows: Vec<u32> = all.into_iter().filter(is_new).collect();
    if !rows.is_empty() {
        let features = compute(&rows)?.detach();
        for (i, row) in rows.into_iter().enumerate() {
            kept.insert(names[row as usize].clone(), features.get(i)?);
        }
    }
    let found: Vec<&Tensor> = names.iter().map(|name| &kept[name]).collect();
    Ok(Tensor::stack(&found, 0)?)
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;
    use crate::clip::{LinearHead, head};
    use crate::config::{Config, DistilBertConfig, ResNetConfig, ResidualLayer, Start, Stem};
    use crate::text::Tokenizer;

    fn model(image_trainable: bool, text_trainable: bool) -> ClipModel {
        let config = Config {
            device: "cpu".into(),
            image_start: Start::Scratch,
            text_start: Start::Scratch,
            image_trainable,
            text_trainable,
            image_encoder: ResNetConfig {
                embedding_size: 4,
                hidden_sizes: vec![8],
                depths: vec![1],
                layer: ResidualLayer::Basic,
                stem: Stem::Small,
            }
            .into(),
            text_encoder: DistilBertConfig { n_layers: 1, dim: 16, ..DistilBertConfig::tiny() }
                .into(),
            ..Config::tiny()
        };
        let tokenizer = Tokenizer::from_words(&["dog".to_string()]).unwrap();
        let sum = |image: &Tensor, text: &Tensor, _: &Tensor| Ok((image * text)?.sum_all()?);
        ClipModel::bare(&config, tokenizer, head::<LinearHead>(), sum).unwrap()
    }

    /// Pictures of noise with these names; captions of different lengths.
    fn batch(names: [&str; 3], captions: [&str; 3], noise: f64, model: &ClipModel) -> Batch {
        let images: Vec<f32> =
            (0..3 * 3 * 16 * 16).map(|i| (f64::from(i) * noise).sin() as f32).collect();
        let ids = model.tokenizer().encode_batch(&captions, 32, &Device::Cpu).unwrap();
        Batch {
            images: Tensor::from_vec(images, (3, 3, 16, 16), &Device::Cpu).unwrap(),
            input_ids: ids.input_ids,
            attention_mask: ids.attention_mask,
            captions: captions.map(String::from).to_vec(),
            image_filenames: names.map(String::from).to_vec(),
            indices: vec![0, 1, 2],
        }
    }

    fn value(loss: Result<Tensor>) -> f32 {
        loss.unwrap().to_dtype(DType::F32).unwrap().to_scalar().unwrap()
    }

    #[test]
    fn features_of_frozen_encoders_are_computed_once() {
        let model = model(false, false);
        let mut features = Features::of_frozen(&model);
        let first = batch(["a", "b", "c"], ["dog", "dog dog dog", "a dog"], 0.1, &model);
        let plain =
            |b: &Batch| value(model.loss(&b.images, &b.input_ids, &b.attention_mask, Mode::Train));
        let close = |a: f32, b: f32| assert!((a - b).abs() <= 1e-5 * b.abs().max(1.), "{a}, {b}");
        close(value(features.loss(&model, &first, Mode::Train)), plain(&first));
        // The same names with other pixels: nobody looks at the pixels any more.
        let other = batch(["a", "b", "c"], ["dog", "dog dog dog", "a dog"], 0.7, &model);
        assert!((plain(&other) - plain(&first)).abs() > 1e-3);
        close(value(features.loss(&model, &other, Mode::Train)), plain(&first));
        // Known and new ones in one batch, one of them twice, the known one padded to another length.
        let mixed = batch(["d", "d", "e"], ["dog", "a", "a dog dog dog dog"], 0.3, &model);
        let again = batch(["d", "d", "e"], ["dog", "a", "a dog dog dog dog"], 0.3, &model);
        let same = Batch {
            images: mixed
                .images
                .index_select(&Tensor::new(&[0u32, 0, 2], &Device::Cpu).unwrap(), 0)
                .unwrap(),
            ..again
        };
        close(value(features.loss(&model, &mixed, Mode::Train)), plain(&same));
    }

    #[test]
    fn trainable_encoders_are_asked_every_time() {
        let model = model(true, true);
        let mut features = Features::of_frozen(&model);
        let names = ["a", "b", "c"];
        let first = batch(names, ["dog", "a", "a dog"], 0.1, &model);
        let other = batch(names, ["dog", "a", "a dog"], 0.7, &model);
        let loss = features.loss(&model, &first, Mode::Eval).unwrap();
        assert!(loss.track_op());
        let (a, b) = (value(Ok(loss)), value(features.loss(&model, &other, Mode::Eval)));
        assert!((a - b).abs() > 1e-3, "{a}, {b}");
    }
}
