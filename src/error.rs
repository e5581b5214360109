//! One error for the crate. A message says where, what was expected, what came, and what to do next.

use std::path::{Path, PathBuf};

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong in the library.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused a file operation.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A row of a captions file is not what its layout says.
    #[error("{}:{line}: expected {expected}, got {got}", path.display())]
    Row {
        /// The captions file.
        path: PathBuf,
        /// The line, counted from 1 with the header.
        line: usize,
        /// The layout's rule.
        expected: String,
        /// What stands there.
        got: String,
    },
    /// A picture is missing, damaged or not a picture.
    #[error("{} (item {index}): {why}", path.display())]
    Image {
        /// The picture's file.
        path: PathBuf,
        /// The item of the dataset that names it.
        index: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A tensor has the wrong shape.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// The operation and the argument.
        what: String,
        /// The expected shape with named dimensions, as `(batch, 2048)`.
        expected: String,
        /// The shape that came.
        got: String,
    },
    /// A value that was passed or configured cannot be used.
    #[error("{what}: expected {expected}, got {got}")]
    Value {
        /// The argument or the configuration's field.
        what: String,
        /// What it may be.
        expected: String,
        /// What it was.
        got: String,
    },
    /// A checkpoint cannot be read, or is another model's.
    #[error("{}: {why}\n  next: {next}", path.display())]
    Checkpoint {
        /// The checkpoint's file.
        path: PathBuf,
        /// What is wrong; the first missing, unexpected or misshapen key by name.
        why: String,
        /// What to do about it.
        next: String,
    },
    /// Files that the work needs are not there.
    #[error("{what} is not there: looked in {}\n  next: {next}", place.display())]
    Missing {
        /// What is missing.
        what: String,
        /// Where it was looked for.
        place: PathBuf,
        /// The command that makes or fetches it.
        next: String,
    },
    /// A download failed.
    #[error("{what}: {why}\n  next: {next}")]
    Download {
        /// What was being fetched.
        what: String,
        /// What went wrong.
        why: String,
        /// What to do about it.
        next: String,
    },
    /// A hole of an exercise is not filled yet.
    #[error("the hole `{id}` is not filled yet: run `cargo vl hint {id}`")]
    NotYet {
        /// The exercise's id.
        id: String,
    },
    /// The work was stopped by the user.
    #[error("stopped: {what}")]
    Stopped {
        /// What was stopped, and what is kept.
        what: String,
    },
    /// A tensor operation failed.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
    /// polars could not read or write a table.
    #[error("table: {0}")]
    Polars(#[from] polars::error::PolarsError),
    /// JSON that cannot be read or written.
    #[error("json: {0}")]
    Json(#[from] serde_json::Error),
    /// A tokenizer file or a text that cannot be encoded.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// A plot could not be drawn.
    #[error("plot: {0}")]
    Plot(String),
}

impl Error {
    /// An [`Error::Io`] at `path`; for `map_err`.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { path, source }
    }

    /// An [`Error::Shape`].
    pub fn shape(
        what: impl Into<String>,
        expected: impl Into<String>,
        got: &candle_core::Shape,
    ) -> Self {
        Self::Shape {
            what: what.into(),
            expected: expected.into(),
            got: format!("{:?}", got.dims()),
        }
    }

    /// An [`Error::Value`].
    pub fn value(
        what: impl Into<String>,
        expected: impl Into<String>,
        got: impl std::fmt::Display,
    ) -> Self {
        Self::Value { what: what.into(), expected: expected.into(), got: got.to_string() }
    }
}
