//! # `clip_dataset`: pictures and captions in pairs
//!
//! Read and load the image and transform it; find the corresponding text; return the (image, text) pair.
//!
//! A picture with five captions stands in `image_filenames` five times, so that both lists have the same length.
//!
//! ```text
//! item(i) = (transform(picture(i)), ids(i), mask(i), caption(i))      (3, s, s), (t), (t), text
//! ```
//!
//! `s` is the side that the encoder reads, `t` the number of tokens of the longest caption: all items have the same shapes,
//! so that they can be stacked to a batch.
//!
//! Example: `image_filenames = [a.jpg, a.jpg, b.jpg]`, `captions = ["a dog", "one dog on grass", "a cat"]`: three
//! items; item 1 is the picture `a.jpg` as `(3, s, s)` numbers with the ids of "one dog on grass". With [CLS] and [SEP] that
//! caption has 6 tokens and is the longest, so `t = 6`, and the mask of "a dog" is `[1, 1, 1, 1, 0, 0]`.

use vision_language::prelude::*;

/// The lecture's `CLIPDataset`.
pub struct ClipDataset {
    image_filenames: Vec<String>,
    captions: Vec<String>,
    encoded_captions: Encoded,
    transform: Transform,
    image_folder: PathBuf,
}

impl PairDataset for ClipDataset {
    fn new(
        image_filenames: &[String],
        captions: &[String],
        tokenizer: &Tokenizer,
        transform: &Transform,
        image_folder: &Path,
        max_length: usize,
    ) -> Result<Self> {
        if image_filenames.len() != captions.len() {
            let expected = format!("{} captions, one a file name", image_filenames.len());
            return Err(Error::value("ClipDataset", expected, captions.len()));
        }
        if let Some(row) = captions.iter().position(|c| c.trim().is_empty()) {
            return Err(Error::value(format!("ClipDataset, caption {row}"), "some words", "none"));
        }
        Ok(Self {
            image_filenames: image_filenames.to_vec(),
            captions: captions.to_vec(),
            encoded_captions: tokenizer.encode_batch(captions, max_length, &Device::Cpu)?,
            transform: transform.clone(),
            image_folder: image_folder.to_path_buf(),
        })
    }

    fn len(&self) -> usize {
        self.captions.len()
    }

    fn get(&self, index: usize) -> Result<Item> {
        if index >= self.len() {
            return Err(Error::value("ClipDataset, index", format!("below {}", self.len()), index));
        }
        todo!("clip_dataset: read and transform the image, find the text, return the pair")
    }

    fn image_filename(&self, index: usize) -> &str {
        &self.image_filenames[index]
    }
}
