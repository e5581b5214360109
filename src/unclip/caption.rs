//! Captions as the priors read them: token ids of a fixed number, and CLIP's embedding of the whole.

use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;

use crate::clip::ClipModel;
use crate::dataset::Transform;
use crate::dataset::scenes::single;
use crate::display::Interruptible;
use crate::nn::{Mode, l2_normalize};
use crate::{Error, Result};

/// A batch of captions.
#[derive(Clone, Debug)]
pub struct CaptionBatch {
    /// `(b, t)`, u32, padded with 0.
    pub ids: Tensor,
    /// `(b, t)`, u32: 1 where there is a token.
    pub mask: Tensor,
    /// CLIP's text embeddings `(b, p)`, of length √p: numbers of a size that networks like.
    pub embedding: Tensor,
}

impl CaptionBatch {
    /// Captions in CLIP's words, cut or padded to `tokens`.
    ///
    /// # Errors
    /// When the tokenizer refuses one, or there are none.
    pub fn new<S: AsRef<str>>(clip: &ClipModel, captions: &[S], tokens: usize) -> Result<Self> {
        if captions.is_empty() {
            return Err(Error::value("captions", "at least one", "none"));
        }
        let mut ids = Vec::with_capacity(captions.len() * tokens);
        let mut mask = Vec::with_capacity(captions.len() * tokens);
        for caption in captions {
            let mut row = clip.tokenizer().encode(caption.as_ref(), tokens)?;
            mask.extend((0..tokens).map(|i| u32::from(i < row.len())));
            row.resize(tokens, 0);
            ids.extend(row);
        }
        // The priors and the decoder live on the CPU, wherever CLIP does.
        let (shape, device) = ((captions.len(), tokens), Device::Cpu);
        Ok(Self {
            ids: Tensor::from_vec(ids, shape, &device)?,
            mask: Tensor::from_vec(mask, shape, &device)?,
            embedding: scaled(&clip.encode_texts(captions)?.to_device(&device)?)?,
        })
    }

    /// Those at these places.
    ///
    /// # Errors
    /// When a place is not there.
    pub fn select(&self, places: &[u32]) -> Result<Self> {
        let places = Tensor::new(places, self.ids.device())?;
        Ok(Self {
            ids: self.ids.index_select(&places, 0)?,
            mask: self.mask.index_select(&places, 0)?,
            embedding: self.embedding.index_select(&places, 0)?,
        })
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ids.dims()[0]
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Embeddings `(b, p)` as they leave CLIP's head → the same directions, of length √p.
///
/// # Errors
/// When the tensor has no columns.
pub fn scaled(embeddings: &Tensor) -> Result<Tensor> {
    let p = embeddings.dim(1)? as f64;
    Ok((l2_normalize(&embeddings.to_dtype(DType::F32)?)? * p.sqrt())?.detach())
}

/// The cosine between the rows of `a` and `b`, both `(b, p)` → `(b)`.
///
/// # Errors
/// When the shapes differ.
pub fn cosines(a: &Tensor, b: &Tensor) -> Result<Vec<f32>> {
    Ok((l2_normalize(a)? * l2_normalize(b)?)?.sum(1)?.to_vec1::<f32>()?)
}

/// Pictures that go through CLIP at once.
const BATCH: usize = 64;

/// Pictures `(n, 3, s, s)`, values from 0 to 1, of any size → CLIP's embeddings `(n, p)`, of length √p.
///
/// # Errors
/// When the tensor has another shape; [`Error::Stopped`] by a notebook's stop button.
pub fn embed_pictures(clip: &ClipModel, pictures: &Tensor) -> Result<Tensor> {
    let transform = Transform::of(clip.config());
    let pictures = single::to_pictures(pictures)?;
    let stop = Interruptible::new("the embedding of pictures");
    let mut rows = Vec::new();
    for (i, chunk) in pictures.chunks(BATCH).enumerate() {
        stop.check(|| format!("{} of {} are done", i * BATCH, pictures.len()))?;
        let images: Vec<Tensor> =
            chunk.par_iter().map(|p| transform.apply(p)).collect::<Result<_>>()?;
        let images = Tensor::stack(&images, 0)?.to_device(clip.params().device())?;
        rows.push(clip.encode_image(&images, Mode::Eval)?.detach());
    }
    scaled(&Tensor::cat(&rows, 0)?.to_device(&Device::Cpu)?)
}
