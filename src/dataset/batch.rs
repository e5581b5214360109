//! Pairs stacked into tensors.

use candle_core::{DType, Device, Tensor};

use super::Item;
use crate::{Error, Result};

/// Some pairs of a dataset, ready for the encoders.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The transformed pictures, `(b, 3, s, s)`, f32.
    pub images: Tensor,
    /// Token ids, `(b, t)`, u32, padded to the longest caption of the batch.
    pub input_ids: Tensor,
    /// 1 where there is a token, `(b, t)`, u32.
    pub attention_mask: Tensor,
    /// The captions as they were written.
    pub captions: Vec<String>,
    /// The pictures' file names.
    pub image_filenames: Vec<String>,
    /// Where the pairs stand in the dataset.
    pub indices: Vec<usize>,
}

impl Batch {
    /// Stacks items; columns that are padding in every row are cut.
    ///
    /// # Errors
    /// When there is none, when their shapes differ, or the mask is not u32.
    pub fn stack(
        items: Vec<Item>,
        image_filenames: Vec<String>,
        indices: Vec<usize>,
    ) -> Result<Self> {
        if items.is_empty() {
            return Err(Error::value("Batch::stack", "at least one item", "none"));
        }
        let stacked = |part: fn(&Item) -> &Tensor| -> Result<Tensor> {
            let first = part(&items[0]).shape();
            for (item, index) in items.iter().zip(&indices) {
                if part(item).shape() != first {
                    let what = format!("a batch with item {index}");
                    return Err(Error::shape(
                        what,
                        format!("{:?}, as its first", first.dims()),
                        part(item).shape(),
                    ));
                }
            }
            Ok(Tensor::stack(&items.iter().map(part).collect::<Vec<_>>(), 0)?)
        };
        let images = stacked(|item| &item.image)?;
        let input_ids = stacked(|item| &item.input_ids)?;
        let attention_mask = stacked(|item| &item.attention_mask)?;
        let rows = attention_mask.to_dtype(DType::U32)?.to_vec2::<u32>()?;
        let used = |row: &Vec<u32>| row.iter().rposition(|&m| m != 0).map_or(1, |last| last + 1);
        let longest = rows.iter().map(used).max().unwrap_or(1);
        let cut = |ids: Tensor| -> Result<Tensor> {
            let width = longest.min(ids.dim(1)?);
            Ok(ids.narrow(1, 0, width)?.contiguous()?)
        };
        Ok(Self {
            images,
            input_ids: cut(input_ids)?,
            attention_mask: cut(attention_mask)?,
            captions: items.into_iter().map(|item| item.caption).collect(),
            image_filenames,
            indices,
        })
    }

    /// How many pairs there are: `b`.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// The same batch with its tensors on `device`.
    ///
    /// # Errors
    /// When the device refuses.
    pub fn to_device(&self, device: &Device) -> Result<Self> {
        Ok(Self {
            images: self.images.to_device(device)?,
            input_ids: self.input_ids.to_device(device)?,
            attention_mask: self.attention_mask.to_device(device)?,
            ..self.clone()
        })
    }
}
