//! CLIP (arXiv:2103.00020): one space for pictures and captions.

mod checkpoint;
mod contract;
mod features;
mod index;
mod index_file;
mod live;
mod model;
mod nearest;
pub mod objectives;
mod openai;
pub mod probe;
mod published;
mod retrieval;
mod show;
pub mod suite;
mod train;
mod zero_shot;

pub use contract::{
    ClipLoss, EncodeText, FindMatches, HeadBuilder, KeepBest, Match, Projection, Save,
    ZeroShotClassifier, head,
};
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
pub use zero_shot::{
    Confusion, Prediction, PromptSearch, TextClassifier, TextTable, fill, imagenet_templates,
    prediction_grid, read_templates, scene_templates, search_prompts, top_k_accuracy,
};
