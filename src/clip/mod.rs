//! CLIP (arXiv:2103.00020): one space for pictures and captions.

mod checkpoint;
mod contract;
mod features;
mod index;
mod index_file;
mod live;
mod model;
mod nearest;
mod published;
mod retrieval;
mod show;
mod train;

pub use contract::{ClipLoss, FindMatches, HeadBuilder, KeepBest, Match, Projection, Save, head};
pub use index::ImageIndex;
pub use index_file::{IndexFile, Precision, mixed_query};
pub use live::LiveCurves;
pub use model::{ClipModel, LinearHead};
pub use nearest::nearest;
pub use retrieval::{Recalls, Retrieval, retrieval};
pub use show::match_grid;
pub use train::{
    AvgMeter, Epoch, Event, FitOptions, Step, TrainLog, fit, train_epoch, valid_epoch,
};
