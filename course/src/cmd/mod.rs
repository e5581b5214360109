//! The subcommands, one a file.

pub mod common;
pub mod data;
pub mod doctor;
pub mod eval;
pub mod kernel;
pub mod lab;
pub mod matching;
pub mod pretrain;
pub mod run;
pub mod sync;
pub mod train;
