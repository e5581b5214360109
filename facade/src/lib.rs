//! The library as cells see it, and what every cell would otherwise compile for itself.
//!
//! This crate is compiled without optimisation, as cells are: what is instantiated here of generic functions is shared with
//! them. An optimised crate shares nothing of that kind.

pub use vision_language::*;

#[doc(hidden)]
pub mod evcxr_internal_runtime;
#[doc(hidden)]
pub mod shared;
