//! Pictures and captions: the lecture's `CLIPDataset`, its loader, and the data themselves.

mod contract;

pub use contract::{Item, PairDataset};
