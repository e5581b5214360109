//! DALL-E 2, "unCLIP" (arXiv:2204.06125): CLIP turned around. A *prior* says which image embedding belongs to a caption, a
//! *decoder* draws pictures that have it. Both are diffusion models: they learn to take noise away.
//!
//! ```text
//! P(picture | caption) = P(picture | z_i, caption) · P(z_i | caption)         decoder · prior
//!
//! x_t = √ᾱ_t x₀ + √(1 − ᾱ_t) ε                                                 what the noise leaves of x₀
//! L_decoder = E ‖ε − ε_θ(x_t, t, z_i, caption)‖²,   L_prior = E ‖z_i − f_θ(z_t, t, caption)‖²
//! ε̂ = ε_θ(∅) + s · (ε_θ(c) − ε_θ(∅))                                           guidance without a classifier
//! ```
//!
//! Noising, dropping the condition and the guided prediction are an exercise ([`Guidance`]). Everything here is small: 32²
//! pixels of [`single`](crate::dataset::scenes::single) objects, minutes of training on two cores. The paper's upsamplers
//! (64² → 256² → 1024²) have nothing to add at 32², and are left out.

mod ar_prior;
mod caption;
mod checkpoint;
mod codes;
mod config;
mod contract;
mod decoder;
mod diffusion;
mod edit;
mod fit;
mod model;
mod prior;
mod schedule;
mod shipped;
mod train;
mod unet;

pub use ar_prior::ArPrior;
pub use caption::{CaptionBatch, cosines, embed_pictures, scaled};
pub use codes::Codes;
pub use config::{ArPriorConfig, DecoderConfig, PriorConfig};
pub use contract::Guidance;
pub use decoder::{Condition, Decoder, DecoderDraw};
pub use diffusion::{Diffusion, Predicts, Sampler, gaussian, gaussian_rows, timestep_embedding};
pub use edit::{slerp, text_difference};
pub use fit::Part;
pub use model::{Through, Unclip};
pub use prior::{Prior, PriorDraw};
pub use schedule::{NoiseKind, NoiseSchedule};
pub use shipped::WithoutHole;
pub use train::{
    UnclipData, UnclipStep, UnclipTraining, train_ar_prior, train_decoder, train_prior,
};
