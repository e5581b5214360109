//! The command `vl`, as a library: the crates `exercises` and `solutions` hand their code to it.
#![warn(missing_docs)]

pub mod bank;
pub mod building;
pub mod cage;
mod cli;
pub mod cmd;
pub mod download;
pub mod error;
pub mod facade;
pub mod grade;
pub mod holes;
pub mod house;
pub mod jupyter;
pub mod progress;
pub mod release;
pub mod sync;
pub mod worker;

pub use cli::main;
pub use error::{Error, Result};
pub use holes::Holes;
