//! Pictures with what an encoder makes of them: computed once, asked often.

use std::path::Path;

use candle_core::{Device, Tensor};
use image::RgbImage;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rayon::prelude::*;

use super::{Corruption, TaskData};
use crate::checkpoint::{StateDict, load_safetensors, save_safetensors};
use crate::clip::{ClipLoss, ClipModel, LinearHead, head};
use crate::config::{Config, Start};
use crate::dataset::Transform;
use crate::dataset::scenes::{HEIGHT, Scene, Split, WIDTH};
use crate::display::{Interruptible, Progress};
use crate::nn::Mode;
use crate::{Error, Result};

/// Pictures that go through the encoder at once.
const BATCH: usize = 64;

/// The image encoder that a training with `config` begins from, as a model of its own: the plain encoder, which has seen
/// no caption. Its embeddings mean nothing. A published CLIP began from random weights: beside it stands `tiny`'s.
///
/// # Errors
/// As [`ClipModel::new`].
pub fn plain_encoder(config: &Config) -> Result<ClipModel> {
    let no_loss: ClipLoss = |_, _, _| Err(Error::NotYet { id: "clip_loss".into() });
    let config = match config.preset.as_str() {
        "clip" => Config { device: config.device.clone(), ..Config::tiny() },
        _ => Config { image_start: Start::Pretrained, ..config.clone() },
    };
    ClipModel::new(&config, head::<LinearHead>(), no_loss)
}

/// `n` scenes of a split, the same for the same seed. The seed is none that training data are drawn with.
pub fn draw_scenes(split: Split, n: usize, seed: u64) -> Vec<Scene> {
    let mut key = *b"vision-language: suite of scenes";
    key[24..].copy_from_slice(&seed.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    (0..n).map(|_| Scene::sample(&mut rng, split)).collect()
}

/// Scenes as an encoder sees them: painted once, at its size.
#[derive(Clone, Debug)]
pub struct Painted {
    /// The ground truth of each picture.
    pub scenes: Vec<Scene>,
    /// The pictures, resized and not normalised.
    pub pictures: Vec<RgbImage>,
}

impl Painted {
    /// Paints scenes for the image encoder of `model`, in parallel.
    ///
    /// # Errors
    /// [`Error::Stopped`] by a notebook's stop button.
    pub fn new(model: &ClipModel, scenes: Vec<Scene>) -> Result<Self> {
        Self::at(model.config(), scenes)
    }

    /// As [`new`](Self::new), at the size that a configuration says.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn at(config: &Config, scenes: Vec<Scene>) -> Result<Self> {
        let transform = Transform::of(config);
        let stop = Interruptible::new("the painting of scenes");
        let mut pictures = Vec::with_capacity(scenes.len());
        let mut progress = Progress::new("painting pictures", scenes.len());
        for part in scenes.chunks(4 * BATCH) {
            stop.check(|| format!("{} of {} are done", pictures.len(), scenes.len()))?;
            let one = |scene: &Scene| transform.resize_u8(&scene.render(WIDTH, HEIGHT));
            let done: Vec<RgbImage> = part.par_iter().map(one).collect::<Result<_>>()?;
            pictures.extend(done);
            progress.update(pictures.len(), "");
        }
        progress.finish(&format!("{} pictures painted", scenes.len()));
        Ok(Self { scenes, pictures })
    }

    /// Every picture corrupted at a severity of 1 to 5.
    ///
    /// # Errors
    /// When the severity is another.
    pub fn corrupted(&self, corruption: Corruption, severity: usize) -> Result<Self> {
        let pairs = self.pictures.par_iter().zip(&self.scenes);
        let worse = pairs.map(|(picture, scene)| corruption.apply(picture, severity, scene.paint));
        Ok(Self { scenes: self.scenes.clone(), pictures: worse.collect::<Result<_>>()? })
    }

    /// These pictures alone.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            scenes: rows.iter().map(|row| self.scenes[*row].clone()).collect(),
            pictures: rows.iter().map(|row| self.pictures[*row].clone()).collect(),
        }
    }
}

/// Scenes with the features and embeddings of their pictures.
#[derive(Clone, Debug)]
pub struct Gallery {
    /// The ground truth of each picture.
    pub scenes: Vec<Scene>,
    /// `(n, d)`: what the image encoder gives; a probe's input.
    pub features: Tensor,
    /// `(n, p)`: what the projection head makes of it; a zero-shot classifier's input.
    pub embeddings: Tensor,
}

impl Gallery {
    /// Paints and encodes scenes, with bars of progress.
    ///
    /// # Errors
    /// [`Error::Stopped`] by a notebook's stop button.
    pub fn of(model: &ClipModel, scenes: Vec<Scene>) -> Result<Self> {
        Self::encoded(model, &Painted::new(model, scenes)?)
    }

    /// Encodes pictures that are painted already, at the side that `model` wants.
    ///
    /// # Errors
    /// [`Error::Stopped`] by a notebook's stop button; when there is no picture.
    pub fn encoded(model: &ClipModel, painted: &Painted) -> Result<Self> {
        Self::encoded_with(model, painted, |n| Progress::new("encoding pictures", n))
    }

    /// As [`encoded`](Self::encoded), without a word: for whoever encodes many galleries and shows how many are done.
    ///
    /// # Errors
    /// As [`encoded`](Self::encoded).
    pub(super) fn encoded_silently(model: &ClipModel, painted: &Painted) -> Result<Self> {
        Self::encoded_with(model, painted, Progress::silent)
    }

    fn encoded_with(
        model: &ClipModel,
        painted: &Painted,
        progress: fn(usize) -> Progress,
    ) -> Result<Self> {
        let transform = Transform::of(model.config());
        let n = painted.pictures.len();
        let (mut features, mut embeddings) = (Vec::new(), Vec::new());
        let stop = Interruptible::new("the encoding of pictures");
        let mut progress = progress(n);
        for (at, part) in painted.pictures.chunks(BATCH).enumerate() {
            stop.check(|| format!("{} of {n} are done", at * BATCH))?;
            let images: Vec<Tensor> =
                part.par_iter().map(|p| transform.apply(p)).collect::<Result<_>>()?;
            let images = Tensor::stack(&images, 0)?.to_device(model.params().device())?;
            let found = model.image_features(&images, Mode::Eval)?.detach();
            embeddings.push(model.project_image(&found)?.detach());
            features.push(found);
            progress.update(at * BATCH + part.len(), "");
        }
        progress.finish(&format!("{n} pictures encoded"));
        let (features, embeddings) = (Tensor::cat(&features, 0)?, Tensor::cat(&embeddings, 0)?);
        Ok(Self { scenes: painted.scenes.clone(), features, embeddings })
    }

    /// As [`of`](Self::of), taken from `cache` when that was made of the same scenes by the same weights; written there
    /// otherwise.
    ///
    /// # Errors
    /// As [`of`](Self::of), and when the cache cannot be written. One that cannot be read is made anew.
    pub fn cached(model: &ClipModel, scenes: Vec<Scene>, cache: &Path) -> Result<Self> {
        let key = fingerprint(model, &scenes)?;
        if let Ok(mut state) = load_safetensors(cache)
            && let (Some(features), Some(embeddings), Some(kept)) =
                (state.remove("features"), state.remove("embeddings"), state.remove("fingerprint"))
            && kept.to_vec1::<i64>().is_ok_and(|k| k == [key])
        {
            let device = model.params().device();
            let (features, embeddings) =
                (features.to_device(device)?, embeddings.to_device(device)?);
            return Ok(Self { scenes, features, embeddings });
        }
        let gallery = Self::of(model, scenes)?;
        let state = StateDict::from([
            ("features".to_string(), gallery.features.to_device(&Device::Cpu)?),
            ("embeddings".to_string(), gallery.embeddings.to_device(&Device::Cpu)?),
            ("fingerprint".to_string(), Tensor::new(&[key], &Device::Cpu)?),
        ]);
        save_safetensors(cache, &state)?;
        Ok(gallery)
    }

    /// These pictures alone.
    ///
    /// # Errors
    /// When a row is not there.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        Ok(Self {
            scenes: rows.iter().map(|row| self.scenes[*row].clone()).collect(),
            features: pick(&self.features, rows)?,
            embeddings: pick(&self.embeddings, rows)?,
        })
    }

    /// The features of a task's pictures, `(rows, d)`.
    ///
    /// # Errors
    /// When a row is not there.
    pub fn features_of(&self, data: &TaskData) -> Result<Tensor> {
        pick(&self.features, &data.rows)
    }

    /// The embeddings of a task's pictures, `(rows, p)`.
    ///
    /// # Errors
    /// When a row is not there.
    pub fn embeddings_of(&self, data: &TaskData) -> Result<Tensor> {
        pick(&self.embeddings, &data.rows)
    }

    /// A picture as it was painted, 320 × 240.
    pub fn picture(&self, row: usize) -> RgbImage {
        self.scenes[row].render(WIDTH, HEIGHT)
    }
}

/// These rows of a table.
pub(super) fn pick(table: &Tensor, rows: &[usize]) -> Result<Tensor> {
    let rows: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
    Ok(table.index_select(&Tensor::new(rows, table.device())?, 0)?)
}

/// Changes when a weight or a scene does: FNV-1a, eight bytes at a time.
fn fingerprint(model: &ClipModel, scenes: &[Scene]) -> Result<i64> {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut take = |value: u64| hash = (hash ^ value).wrapping_mul(0x0100_0000_01b3);
    for (name, tensor) in model.params().state_dict() {
        name.bytes().for_each(|b| take(u64::from(b)));
        for value in tensor.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()? {
            take(u64::from(value.to_bits()));
        }
    }
    for scene in scenes {
        take(scene.paint);
        take(scene.objects.len() as u64);
    }
    Ok(hash as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gallery_is_computed_once() {
        let model = ClipModel::shipped().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("gallery.safetensors");
        let scenes = draw_scenes(Split::Valid, 5, 0);
        assert_eq!(scenes, draw_scenes(Split::Valid, 5, 0));
        let first = Gallery::cached(&model, scenes.clone(), &cache).unwrap();
        let again = Gallery::cached(&model, scenes.clone(), &cache).unwrap();
        let values = |g: &Gallery| g.embeddings.to_vec2::<f32>().unwrap();
        assert_eq!(values(&first), values(&again));
        // The head on the features is what `encode_image` gives.
        let transform = Transform::of(model.config());
        let image = transform.apply(&scenes[3].render(WIDTH, HEIGHT)).unwrap();
        let alone = model.encode_image(&image.unsqueeze(0).unwrap(), Mode::Eval).unwrap();
        let alone = alone.to_vec2::<f32>().unwrap();
        let of_gallery = values(&first);
        let far = alone[0].iter().zip(&of_gallery[3]).map(|(a, b)| (a - b).abs());
        // The same products in another batch.
        assert!(far.fold(0., f32::max) < 1e-4);
        let others = Gallery::cached(&model, draw_scenes(Split::Valid, 5, 1), &cache).unwrap();
        assert_ne!(values(&first), values(&others));
    }
}
