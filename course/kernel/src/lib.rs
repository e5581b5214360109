//! The Jupyter kernel of the course: evcxr, unmodified, with the library compiled beforehand, behind a server of our own.
//!
//! evcxr compiles each cell by `cargo build` in a crate of its own and asks `cargo metadata` for the crates that its
//! rust-analyzer reads. Over this library's 250 packages cargo alone costs half a second a call, after nine minutes of
//! compiling. So the kernel ([`session`]) gives evcxr a private directory with a small `cargo` ([`shim`]) in front of
//! the real one:
//!
//! - `build` and `check` of a cell are one call of `rustc` against `facade`, the library as one dynamic library, built
//!   once in the workspace's own target directory ([`shim::build`]); that `rustc` waits, with the library read, before
//!   there is a cell ([`shim::spare`]);
//! - `metadata` of the cell's crate is answered from a recording, cut down to the packages whose types a cell can name
//!   ([`metadata`]), and points to their outlines ([`outline`]); so is that of the standard library, and what rust-analyzer
//!   asks about the target ([`install`]);
//! - everything else goes to the real cargo.
//!
//! Two programs: `vl-kernel` is the kernel and the process that runs the cells (`bin/vl-kernel`: Jupyter's wire, what cells
//! say while they run, words for failures); `vl-cargo` is the small `cargo`, apart because it starts several times a cell
//! and evcxr is a large program to load, and the guard that cleans up behind a kernel that was killed.
#![warn(missing_docs)]

pub mod install;
pub mod metadata;
pub mod outline;
pub mod refresh;
pub mod session;
pub mod shim;
