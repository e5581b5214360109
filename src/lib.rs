//! The lecture *Vision and Language* as a library on [candle](candle_core): data, encoders, projection heads, the
//! CLIP model, its training and what it is for; a causal language model, Frozen, which lets it see, prompting, and DALL-E,
//! which draws.
//!
//! Modules stand in the lecture's order. Imports run one way: `error, config ← nn, text, display ← dataset,
//! encoder, language_model, checkpoint, hub ← chapters (clip, …) ← exercise`; a test holds this.
//!
//! # Shapes
//!
//! | letter | dimension |
//! |---|---|
//! | `b` | batch |
//! | `t` | tokens |
//! | `d` | features |
//! | `p` | projection |
//! | `n` | prefix |
//! | `v` | vocabulary |
//! | `s` | picture side, pixels |
#![warn(missing_docs)]

pub mod checkpoint;
pub mod clip;
pub mod config;
pub mod dalle;
pub mod dataset;
pub mod display;
pub mod encoder;
pub mod error;
pub mod exercise;
pub mod frozen;
pub mod hub;
pub mod language_model;
pub mod measure;
pub mod nn;
pub mod prelude;
pub mod pretrain;
pub mod prompting;
pub mod text;
pub mod unclip;

pub use candle_core;
pub use candle_nn;
pub use error::{Error, Result};
