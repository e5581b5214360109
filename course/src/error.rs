//! What can go wrong in a command, in words that say what to do.

use std::path::PathBuf;

/// A command's outcome.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The call itself was wrong: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The work failed, with a sentence on what to do.
    #[error("{0}")]
    Failed(String),
    /// A file or folder could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The library could not do it.
    #[error(transparent)]
    Library(#[from] vision_language::Error),
    /// A program could not be started or did not succeed.
    #[error("`{command}` {why}")]
    Program {
        /// The command line.
        command: String,
        /// What happened, and what to do.
        why: String,
    },
}

impl Error {
    /// The command's exit code: 2 where the call was wrong, 1 where the work failed.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage(_) => 2,
            _ => 1,
        }
    }

    /// An I/O error with its file.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        |source| Error::Io { path, source }
    }
}
