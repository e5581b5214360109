//! The commands, one a file.

pub mod kernel;
pub mod lab;
pub mod run;
