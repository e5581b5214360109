//! The subcommands, one a file.

pub mod common;
pub mod eval;
pub mod matching;
pub mod pretrain;
pub mod sync;
pub mod train;
