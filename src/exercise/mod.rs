//! The exercises: which there are, whether a student's item is filled in yet, and what stands in where it is not, so
//! that every notebook runs from top to bottom.

pub mod filled;
mod list;
mod scenes;
pub mod stand_in;
mod trial;

pub use list::{Exercise, exercise, exercises};
pub use scenes::scenes;
pub use trial::{Filled, Hole};
