//! The contracts of `projection_head`, `clip_loss`, `keep_best`, `find_matches` and `zero_shot_classifier`.

use std::path::Path;

use candle_core::Tensor;

use crate::Result;
use crate::nn::{Mode, Params};

/// Features of an encoder to embeddings in the common space: the lecture's `ProjectionHead`.
///
/// Parameter names are part of the contract, since they are the checkpoint's keys: `projection.weight`,
/// `projection.bias`, `fc.weight`, `fc.bias`, `layer_norm.weight`, `layer_norm.bias`.
pub trait Projection: Send + Sync {
    /// Takes its parameters from `params`.
    fn new(
        embedding_dim: usize,
        projection_dim: usize,
        dropout: f64,
        params: &Params,
    ) -> Result<Self>
    where
        Self: Sized;

    /// `(b, d)` → `(b, p)`
    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor>;
}

/// Builds a head: `embedding_dim, projection_dim, dropout, params`. [`head`] makes one from a type.
pub type HeadBuilder = fn(usize, usize, f64, &Params) -> Result<Box<dyn Projection>>;

/// The builder of the heads of type `H`: `ClipModel::new(&config, head::<ProjectionHead>(), clip_loss)`.
pub fn head<H: Projection + 'static>() -> HeadBuilder {
    |embedding_dim, projection_dim, dropout, params| {
        Ok(Box::new(H::new(embedding_dim, projection_dim, dropout, params)?))
    }
}

/// Image embeddings `(b, p)`, text embeddings `(b, p)`, the slide's `t` (a scalar) → a scalar: the symmetric
/// contrastive loss over normalised embeddings.
pub type ClipLoss = fn(&Tensor, &Tensor, &Tensor) -> Result<Tensor>;

/// Something that can be written to a file: a model.
pub trait Save {
    /// Writes it to `path`, atomically: what was there stays whole until the new one is complete.
    fn save(&self, path: &Path) -> Result<()>;
}

/// The loss of this epoch, the best so far, the model, the folder of `best.pt` → the best loss so far.
pub type KeepBest = fn(f64, f64, &dyn Save, &Path) -> Result<f64>;

/// One picture that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The picture's file name.
    pub image_filename: String,
    /// The cosine of the angle between the picture's embedding and the query's: −1 to 1.
    pub similarity: f32,
}

/// Image embeddings `(N, p)`, one text embedding `(1, p)`, a file name a row, `n` → the best first, one a file.
pub type FindMatches = fn(&Tensor, &Tensor, &[String], usize) -> Result<Vec<Match>>;

/// Texts → embeddings `(n, p)`, as they leave the head: what [`ClipModel::encode_texts`](crate::clip::ClipModel) does.
pub type EncodeText<'a> = dyn Fn(&[String]) -> Result<Tensor> + 'a;

/// Class names, templates in which `{label}` stands for a class's name, the text encoder → `(c, p)`, a row a class in
/// their order, of unit length: the mean, in embedding space, of the class's sentences.
pub type ZeroShotClassifier = fn(&[String], &[String], &EncodeText<'_>) -> Result<Tensor>;
