//! The subcommands, one a file.

pub mod caption;
pub mod check;
pub mod common;
pub mod data;
pub mod doctor;
pub mod draw;
pub mod eval;
pub mod export;
pub mod fetch;
pub mod frozen;
pub mod grade;
pub mod hint;
pub mod kernel;
pub mod lab;
pub mod matching;
pub mod matrix;
pub mod pretrain;
pub mod progress;
pub mod prompting;
pub mod release;
pub mod run;
pub mod site;
pub mod sync;
pub mod train;
pub mod train_dalle;
pub mod watch;
