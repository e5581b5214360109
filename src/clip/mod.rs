//! CLIP (arXiv:2103.00020): one space for pictures and captions.

mod contract;

pub use contract::{ClipLoss, FindMatches, HeadBuilder, KeepBest, Match, Projection, Save, head};
