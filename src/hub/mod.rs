//! Files from elsewhere: downloads that go on after a break, the model hub and its cache, Kaggle's datasets, archives
//! unpacked with care.

mod cache;
mod download;
pub mod kaggle;
pub mod models;
mod space;
mod unzip;

pub use cache::Hub;
pub use download::{Download, Patience, Progress};
pub use kaggle::{Credentials, Kaggle, KaggleDataset};
pub use models::{HubFile, HubModel, PresetModels};
pub use space::{beside, bytes, free_space, require_space};
pub use unzip::{Limits, unzip};
