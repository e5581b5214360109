//! Pictures and captions: the lecture's `CLIPDataset`, its loader, and the data themselves.

mod batch;
mod captions;
mod contract;
mod crop;
mod for_encoder;
mod jpeg;
mod loader;
mod order;
mod pairs;
mod picture;
mod reviews;
mod rows;
pub mod scenes;
mod split;
mod transform;

pub use batch::Batch;
pub use captions::{CaptionLayout, Captions, DataFolder};
pub use contract::{Item, PairDataset};
pub use loader::{Batches, Loader};
pub use pairs::FolderPairs;
pub use picture::load_image;
pub use reviews::{Mind, Review, SENTIMENTS, adjectives, review_document, reviews};
pub use rows::{BadRows, Skipped};
pub use split::{SPLIT_SEED, Splits, VALID_FRACTION, split_by_image};
pub use transform::Transform;
