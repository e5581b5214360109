//! The contract of the exercise `clip_dataset`.

use std::path::Path;

use candle_core::Tensor;

use crate::Result;
use crate::dataset::{Batch, Transform};
use crate::text::Tokenizer;

/// One (image, text) pair, ready for the encoders.
#[derive(Clone, Debug)]
pub struct Item {
    /// The transformed picture, `(3, s, s)`, f32, channels first, RGB.
    pub image: Tensor,
    /// Token ids, `(t)`, u32, padded to the longest caption of the dataset.
    pub input_ids: Tensor,
    /// 1 where there is a token, `(t)`, u32.
    pub attention_mask: Tensor,
    /// The caption as it was written.
    pub caption: String,
}

/// What a dataset of pictures and captions provides: the lecture's `CLIPDataset`.
pub trait PairDataset: Send + Sync {
    /// `image_filenames` and `captions` have the same length; a picture with several captions stands there several
    /// times. Pictures lie in `image_folder`. Captions are tokenized here, once, cut at `max_length` tokens.
    ///
    /// # Errors
    /// When the lengths differ, a caption is empty, or the tokenizer fails.
    fn new(
        image_filenames: &[String],
        captions: &[String],
        tokenizer: &Tokenizer,
        transform: &Transform,
        image_folder: &Path,
        max_length: usize,
    ) -> Result<Self>
    where
        Self: Sized;

    /// How many pairs there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pair at `index`.
    ///
    /// # Errors
    /// A picture that is missing or does not decode, by file and index; an index past the end.
    fn get(&self, index: usize) -> Result<Item>;

    /// The picture's file name at `index`, without its folder.
    fn image_filename(&self, index: usize) -> &str;

    /// The pairs at `indices` in one batch: each [`get`](Self::get), stacked. A type with a faster way has its own.
    ///
    /// # Errors
    /// As [`get`](Self::get); when the items' shapes differ.
    fn batch(&self, indices: &[usize]) -> Result<Batch> {
        let items = indices.iter().map(|&i| self.get(i)).collect::<Result<Vec<_>>>()?;
        let names = indices.iter().map(|&i| self.image_filename(i).to_string()).collect();
        Batch::stack(items, names, indices.to_vec())
    }
}
