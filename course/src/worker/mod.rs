//! A student's file, compiled alone against the prebuilt library into a process of its own, and asked over pipes.
//!
//! One path for everybody who needs a word about a student's code from outside: `vl check`, `vl watch`, the matrix of
//! misconceptions. The file is compiled by one call of rustc ([`Library::compile`]); the process only answers questions
//! ([`Worker`]); the checks run here, and a process that does not answer in time is ended.

mod compile;
mod library;
mod process;

use std::path::Path;
use std::time::Duration;

use vision_language::exercise::{Report, check};

pub(crate) use compile::main;
pub use compile::{Compiled, Item, Mistakes, item_name};
pub use library::Library;
pub use process::Worker;

use crate::Result;
use crate::sync::fingerprint;

/// How long one question may take.
pub const LIMIT: Duration = Duration::from_secs(10);

/// What came of checking a file.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It compiles, and this is what the checks say.
    Checked(Report),
    /// It does not compile: the compiler's words.
    Mistakes(Mistakes),
}

/// Compiles the file of the exercise `id` and checks it.
///
/// # Errors
/// When the compiler or the worker does not start; not for what is wrong with the file.
pub fn check(library: &Library, id: &str, file: &Path, limit: Duration) -> Result<Outcome> {
    let item = Item { name: id.into(), exercise: id.into(), file: file.to_path_buf() };
    // Two files of one exercise may be checked at the same time.
    let name = format!("{id}-{}", fingerprint(&file.to_string_lossy()));
    match library.compile(&name, std::slice::from_ref(&item))? {
        Compiled::Program(program) => {
            let worker = Worker::new(&program, id, limit);
            Ok(Outcome::Checked(check::run(id, &worker)?))
        }
        Compiled::Mistakes(mistakes) => Ok(Outcome::Mistakes(mistakes)),
    }
}
