//! The kernel and the Jupyter that shows it: built, found, installed.

pub mod kernel;
pub mod python;
