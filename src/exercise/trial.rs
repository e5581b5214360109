//! Runs a student's item and says whether it is filled in. A stub's `todo!()` is "not yet", never a crash.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::time::Duration;

use super::ask::{Failure, within};
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
    /// Runs `code` on small inputs, quietly, ten seconds at most.
    pub(super) fn try_out(id: &str, code: impl FnOnce() -> Result<()> + Send + 'static) -> Self {
        let filled = match within(Duration::from_secs(10), code) {
            Ok(()) => Filled::Yes,
            Err(Failure::NotYet) => Filled::NotYet,
            Err(Failure::Error(error)) => Filled::Broken(error),
            Err(Failure::Panic(message)) => Filled::Broken(format!("panicked: {message}")),
            Err(Failure::TimedOut(limit)) => {
                let seconds = limit.as_secs();
                Filled::Broken(format!("no end after {seconds} s: is there an endless loop?"))
            }
            Err(Failure::Died(how)) => Filled::Broken(how),
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

thread_local! {
    /// Whether this thread's panics are caught and told by us.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs code and names what happens, without a panic's message and backtrace on stderr. Other threads' panics are told
/// as before.
pub(super) fn quietly<T>(code: impl FnOnce() -> Result<T>) -> Result<T, Failure> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.with(Cell::get) {
                before(info);
            }
        }));
    });
    let was = QUIET.with(|quiet| quiet.replace(true));
    let outcome = panic::catch_unwind(AssertUnwindSafe(code));
    QUIET.with(|quiet| quiet.set(was));
    match outcome {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Error::NotYet { .. })) => Err(Failure::NotYet),
        Ok(Err(error)) => Err(Failure::Error(plain(&error.to_string()))),
        Err(panic) => {
            let message = message(panic.as_ref());
            // What `todo!()` says; `unimplemented!()` says "not implemented".
            let not_yet = ["not yet implemented", "not implemented"];
            if not_yet.iter().any(|m| message.starts_with(m)) {
                return Err(Failure::NotYet);
            }
            Err(Failure::Panic(plain(&message)))
        }
    }
}

/// A message without the backtrace that candle appends to its errors where `RUST_BACKTRACE` is set.
fn plain(message: &str) -> String {
    let frame = |line: &str| {
        let number = line.trim_start().split(':').next().unwrap_or_default();
        line.starts_with(' ') && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
    };
    let lines: Vec<&str> = message.lines().take_while(|line| !frame(line)).collect();
    lines.join("\n").trim_end().to_string()
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or("without a message".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backtrace_is_no_part_of_a_message() {
        let told = "shape mismatch in matmul\n   0: candle_core::error::Error::bt\n   1: main";
        assert_eq!(plain(told), "shape mismatch in matmul");
        assert_eq!(plain("a: b\n  next: c"), "a: b\n  next: c");
    }
}
