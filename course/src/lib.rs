//! The command `vl`, as a library.
#![warn(missing_docs)]

pub mod cmd;
pub mod error;
pub mod sync;

pub use error::{Error, Result};
