//! The exercises: which there are, whether a student's item is filled in yet, what stands in where it is not, so that
//! every notebook runs from top to bottom, the checks that say what is right and what is wrong, and the hints.

pub mod ask;
pub mod check;
pub mod filled;
pub mod hint;
mod list;
mod report;
mod scenes;
pub mod stand_in;
mod trial;

pub use check::{Check, checks};
pub use list::{Exercise, exercise, exercises};
pub use report::{CheckResult, Measure, Report, Status};
pub use scenes::scenes;
pub use trial::{Filled, Hole};
