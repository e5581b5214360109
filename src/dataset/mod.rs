//! Pictures and captions: the lecture's `CLIPDataset`, its loader, and the data themselves.

mod contract;
mod transform;

pub use contract::{Item, PairDataset};
pub use transform::Transform;
