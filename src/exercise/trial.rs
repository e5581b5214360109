//! Runs a student's item and says whether it is filled in. A stub's `todo!()` is "not yet", never a crash.

use std::any::Any;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;

use crate::{Error, Result};

/// How far a hole is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filled {
    /// It runs, and what it gives has the right form. Whether it is right is the checks' word, not this one's.
    Yes,
    /// The stub's `todo!()` is still there.
    NotYet,
    /// It fails, panics, or gives something of another form: what happened.
    Broken(String),
}

/// A hole of an exercise, after it was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The exercise's id.
    pub id: String,
    /// How far it is.
    pub filled: Filled,
}

impl Hole {
    /// Runs `code` on small inputs, quietly.
    pub(super) fn try_out(id: &str, code: impl FnOnce() -> Result<()>) -> Self {
        let filled = match quietly(code) {
            Ok(Ok(())) => Filled::Yes,
            Ok(Err(Error::NotYet { .. })) => Filled::NotYet,
            Ok(Err(error)) => Filled::Broken(error.to_string()),
            Err(panic) => {
                let message = message(panic.as_ref());
                // What `todo!()` says; `unimplemented!()` says "not implemented".
                let not_yet = ["not yet implemented", "not implemented"];
                if not_yet.iter().any(|m| message.starts_with(m)) {
                    Filled::NotYet
                } else {
                    Filled::Broken(format!("panicked: {message}"))
                }
            }
        };
        Self { id: id.into(), filled }
    }

    /// Whether it is filled in and runs.
    pub fn is_filled(&self) -> bool {
        self.filled == Filled::Yes
    }

    /// What evcxr calls on a cell's last expression.
    pub fn evcxr_display(&self) {
        let colour = match self.filled {
            Filled::Yes => "#0a7d4f",
            Filled::NotYet => "#6e7582",
            Filled::Broken(_) => "#b3261e",
        };
        let escaped = self.to_string().replace('&', "&amp;").replace('<', "&lt;");
        let escaped = escaped.replace('\n', "<br>");
        print!(
            "EVCXR_BEGIN_CONTENT text/html\n<span style=\"color:{colour}\">{escaped}</span>\n\
             EVCXR_END_CONTENT\nEVCXR_BEGIN_CONTENT text/plain\n{self}\nEVCXR_END_CONTENT\n"
        );
    }
}

impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.filled {
            Filled::Yes => write!(f, "✓ {} is filled in and runs", self.id),
            Filled::NotYet => write!(f, "… {} is not filled in yet", self.id),
            Filled::Broken(why) => write!(f, "✗ {} does not work yet: {why}", self.id),
        }
    }
}

/// Catches a panic, without its message and backtrace on stderr.
fn quietly<T>(code: impl FnOnce() -> T) -> std::thread::Result<T> {
    // The hook is the process's: one at a time.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(|e| e.into_inner());
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome = panic::catch_unwind(AssertUnwindSafe(code));
    panic::set_hook(hook);
    outcome
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or("without a message".into())
}
