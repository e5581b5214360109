//! The command `vl`, as a library: the crates `exercises` and `solutions` hand their code to it.
#![warn(missing_docs)]

mod cli;
pub mod cmd;
pub mod error;
pub mod holes;
pub mod house;
pub mod jupyter;
pub mod sync;

pub use cli::main;
pub use error::{Error, Result};
pub use holes::Holes;
