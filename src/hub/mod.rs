//! Files from elsewhere: downloads that go on after a break, Kaggle's datasets, archives unpacked with care.

mod download;
pub mod kaggle;
mod space;
mod unzip;

pub use download::{Download, Patience, Progress};
pub use kaggle::{Credentials, Kaggle, KaggleDataset};
pub use space::{beside, bytes, free_space, require_space};
pub use unzip::{Limits, unzip};
