//! The command `vl`, as a library.
#![warn(missing_docs)]

pub mod cmd;
pub mod error;
pub mod house;
pub mod jupyter;

pub use error::{Error, Result};
