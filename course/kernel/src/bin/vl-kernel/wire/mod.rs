//! Jupyter's wire: messages, their signatures, and the five sockets.

pub mod connection;
pub mod message;
pub mod sockets;

pub use connection::Connection;
pub use message::Message;
