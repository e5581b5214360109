//! DALL-E (arXiv:2102.12092) in small: a picture becomes 64 discrete codes, a transformer writes text and codes as one
//! sequence, CLIP picks the best of many drawings.
//!
//! ```text
//! stage 1   z = softmax((logits + g) / τ)            Gumbel-softmax, g = −ln(−ln u); argmax once trained
//!           loss = −ln P(x | z) + β · KL(q(z | x), uniform)                        logit-Laplace, divided by 3 s²
//! stage 2   loss = −⅛ · mean ln P(text token) − ⅞ · mean ln P(code)                each from all that stand before it
//! drawing   codes ~ P(code | text, codes so far), then the decoder, then CLIP's ranking
//! ```
//!
//! What is small: pictures of 32² with one of 32 objects on one of eight grounds
//! ([`single`](crate::dataset::scenes::single)), 128 codes on 8 × 8 places (the paper: 8192 on 32 × 32), 12 text tokens
//! (256), full attention over 76 places (sparse over 1280), three layers of 96 (64 of 3968).
//!
//! Two of its parts are exercises: the code ([`Quantize`]) and the sequence ([`DalleSequence`]).

mod checkpoint;
mod config;
mod contract;
mod draw;
mod dvae;
mod layers;
mod likelihood;
mod schedule;
mod shipped;
mod show;
mod train;
mod train_dvae;
mod transformer;

pub use config::{DalleConfig, DvaeConfig};
pub use contract::{DalleHoles, DalleSequence, Quantize, Sequence, SequenceLayout};
pub use draw::{DrawConfig, Drawing};
pub use dvae::{Dvae, DvaeLoss};
pub use likelihood::{from_unit, logit_laplace, to_unit};
pub use schedule::Ramp;
pub use show::{mosaic, small_grid};
pub use train::{DalleData, DalleLog, DalleStep, train_dalle};
pub use train_dvae::{DvaeLog, DvaeStep, gumbel_noise, train_dvae};
pub use transformer::{Dalle, DalleLoss};
