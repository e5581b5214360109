//! Checkpoints: `best.pt` in PyTorch's own zip form, both ways, and safetensors.
//!
//! `torch.save(model.state_dict(), "best.pt")` writes a zip of one folder: `data.pkl`, a pickle that describes the
//! tensors, and `data/0`, `data/1`, …, their bytes. [`save_pt`] writes the same, so that
//! `torch.load("best.pt", weights_only=True)` gives the state dict; [`load_pt`] reads it, and the form that PyTorch
//! used before version 1.6. What else we want to keep (a configuration) is one more record of the zip, which
//! PyTorch does not look at.
//!
//! A pickle is a program. The reader here runs none: it knows plain containers and tensors, and refuses everything
//! else by name, before it is built.
//!
//! Writing is atomic: see [`write_atomic`].

mod atomic;
mod pickle;
mod read;
mod safetensors;
mod storage;
mod write;

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::Tensor;

pub use atomic::write_atomic;
pub use read::{PtFile, load_pt, load_pt_bytes};
pub use safetensors::{load_safetensors, save_safetensors};
pub use write::save_pt;

use crate::{Error, Result};

/// Reads all tensors of a file: safetensors where its name ends so, else PyTorch's.
///
/// # Errors
/// As [`load_safetensors`] and [`load_pt`].
pub fn load_tensors(path: &Path) -> Result<StateDict> {
    match path.extension().is_some_and(|e| e == "safetensors") {
        true => load_safetensors(path),
        false => Ok(load_pt(path)?.state),
    }
}

/// A model's values by name, as PyTorch's `state_dict()`.
pub type StateDict = BTreeMap<String, Tensor>;

/// Drops the counters `num_batches_tracked` of PyTorch's batch norm, which nothing here needs.
pub fn drop_untracked(state: &mut StateDict) {
    state.retain(|key, _| key.rsplit('.').next() != Some("num_batches_tracked"));
}

/// Why a file is no checkpoint, and what to do about it.
#[derive(Debug)]
struct Fault {
    why: String,
    next: &'static str,
}

impl Fault {
    fn new(why: impl Into<String>, next: &'static str) -> Self {
        Self { why: why.into(), next }
    }

    fn damaged(why: impl Into<String>) -> Self {
        Self::new(why, "copy, download or save it again: this file is damaged")
    }

    fn foreign(why: impl Into<String>) -> Self {
        Self::new(why, "in Python, save the tensors alone: torch.save(model.state_dict(), path)")
    }

    fn at(self, path: &Path) -> Error {
        Error::Checkpoint { path: path.to_path_buf(), why: self.why, next: self.next.to_string() }
    }
}

impl From<candle_core::Error> for Fault {
    fn from(error: candle_core::Error) -> Self {
        Self::damaged(error.to_string())
    }
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;
