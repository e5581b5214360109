//! The features of a vision encoder that does not train, computed once for a whole training.
//!
//! Such an encoder gives a picture the same features in every epoch: its batch norms go by their running statistics, and
//! pictures are transformed in one way only. A step then costs the language model alone, and minutes are enough for
//! thousands of them.

use std::collections::{BTreeMap, HashSet};

use candle_core::Tensor;

use super::Frozen;
use crate::Result;
use crate::dataset::Batch;
use crate::nn::Mode;

/// What is known so far of a loader's pictures, by file name: `(d_image)` each.
#[derive(Clone, Debug, Default)]
pub(super) struct Features(BTreeMap<String, Tensor>);

impl Features {
    /// The prefix `(b, n, d)` of a batch's pictures, as [`Frozen::visual_prefix`] gives it. `unchanged` promises that the
    /// encoder is the one of all calls before.
    pub fn prefix(
        &mut self,
        model: &Frozen,
        batch: &Batch,
        unchanged: bool,
        mode: Mode,
    ) -> Result<Tensor> {
        let device = model.params().device();
        if !unchanged {
            self.0.clear();
            return model.visual_prefix(&batch.images.to_device(device)?, mode);
        }
        let names = &batch.image_filenames;
        let mut asked = HashSet::new();
        let new: Vec<u32> = (0..names.len() as u32)
            .filter(|row| !self.0.contains_key(&names[*row as usize]))
            .filter(|row| asked.insert(&names[*row as usize]))
            .collect();
        if !new.is_empty() {
            let rows = Tensor::new(new.as_slice(), batch.images.device())?;
            let pictures = batch.images.index_select(&rows, 0)?.to_device(device)?;
            let features = model.features(&pictures, Mode::Eval)?.detach();
            for (i, row) in new.into_iter().enumerate() {
                // A copy: a row would keep the features of its whole batch.
                self.0.insert(names[row as usize].clone(), features.get(i)?.copy()?);
            }
        }
        let rows: Vec<&Tensor> = names.iter().map(|name| &self.0[name]).collect();
        model.prefix_of(&Tensor::stack(&rows, 0)?)
    }
}
