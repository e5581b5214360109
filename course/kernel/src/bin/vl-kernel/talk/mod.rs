//! What the process that runs the cells says while it runs them, on its way to Jupyter.
//!
//! evcxr hands a cell's words on by whole lines, and its pictures at the cell's end, of each kind the last. So the process
//! ([`crate::child`]) puts sockets of ours in the place of its standard output and error, and here is their other end:
//! [`marks`] takes the stream apart, [`relay`] publishes words and pictures as they come and gives evcxr, by a third
//! socket, the lines that are meant for it. The sockets' other end outlives the process, so the last words of a crash
//! arrive too.

pub mod cell;
pub mod marks;
pub mod relay;
mod stream;

pub use relay::Talk;
