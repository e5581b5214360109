//! How good generated pictures are: what an independent classifier sees in them, how well CLIP finds that they fit their
//! caption, how far their distribution is from real pictures' (Fréchet distance, arXiv:1706.08500), how much they differ;
//! and how good a reconstruction is (PSNR), how many codes of a codebook are in use (perplexity).
//!
//! ```text
//! FD   = |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½)      means and covariances of the classifier's features
//! PSNR = 10 log₁₀(1 / mean squared error)           decibels, for values from 0 to 1
//! perplexity = exp(−Σ p ln p)                       p: how often each code is used
//! ```
//!
//! The classifier learns on pictures of [`single`](crate::dataset::scenes::single) alone and takes no part in any training
//! or reranking: what it says is evidence.

mod classifier;
mod codes;
mod frechet;
mod report;
mod symmetric;
mod train;

pub use classifier::{PictureClassifier, Seen};
pub use codes::{code_counts, code_perplexity, psnr};
pub use frechet::{Moments, frechet_distance};
pub use report::{PictureReport, clip_scores, diversity, picture_report};
pub(crate) use symmetric::eigen;
pub use train::{ClassifierReport, train_classifier};
