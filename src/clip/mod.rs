//! CLIP (arXiv:2103.00020): one space for pictures and captions.

mod contract;
mod model;

pub use contract::{ClipLoss, FindMatches, HeadBuilder, KeepBest, Match, Projection, Save, head};
pub use model::{ClipModel, LinearHead};
