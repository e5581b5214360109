//! The course's own kernel, as the library sees it: records on standard output, and the stop button.
//!
//! evcxr's protocol knows blocks of text and no more. Where the process that runs the cells was started by our kernel
//! (`VL_RECORDS` is set), what is shown goes out as a record, `\x1eVL{…}\x1e`: several forms of one thing, and a place
//! below the cell that is shown anew. On any other kernel the blocks are used.

use std::ffi::c_int;
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::in_notebook;
use crate::{Error, Result};

/// Whether records are understood.
pub(super) fn records() -> bool {
    static RECORDS: OnceLock<bool> = OnceLock::new();
    *RECORDS.get_or_init(|| in_notebook() && std::env::var_os("VL_RECORDS").is_some())
}

/// How something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way<'a> {
    /// As the value of the cell's last expression.
    Value,
    /// Below what the cell has shown so far.
    Below,
    /// At a place of its own, for the first time.
    At(&'a str),
    /// At that place, instead of what was there.
    Anew(&'a str),
}

/// Shows one thing in several forms (MIME type, content): our kernel gets a record, another one blocks.
pub(super) fn show(way: Way, forms: &[(&str, &str)]) {
    let text = if records() { record(way, forms) } else { blocks(forms) };
    // A reader that has gone away is no reason to stop the work.
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn record(way: Way, forms: &[(&str, &str)]) -> String {
    let data: serde_json::Map<String, Value> =
        forms.iter().map(|(kind, content)| (kind.to_string(), json!(content))).collect();
    let mut record = json!({ "data": data });
    match way {
        Way::Value => record["result"] = json!(true),
        Way::Below => {}
        Way::At(id) => record["id"] = json!(id),
        Way::Anew(id) => {
            record["id"] = json!(id);
            record["update"] = json!(true);
        }
    }
    format!("\u{1e}VL{record}\u{1e}")
}

fn blocks(forms: &[(&str, &str)]) -> String {
    let block = |(kind, content): &(&str, &str)| {
        format!("EVCXR_BEGIN_CONTENT {kind}\n{content}\nEVCXR_END_CONTENT\n")
    };
    forms.iter().map(block).collect()
}

static STOP: AtomicBool = AtomicBool::new(false);
static LISTENERS: AtomicUsize = AtomicUsize::new(0);
static CELL: AtomicUsize = AtomicUsize::new(0);

/// Which of the notebook's cells runs, counted as they begin; 0 on another kernel than ours.
pub(super) fn cell() -> usize {
    CELL.load(Ordering::Relaxed)
}

/// Whether the user has pressed the stop button since the cell began. Only the course's kernel tells.
pub fn interrupted() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// A loop that looks for the stop button at every step, as long as this lives: the kernel then waits for the step's end
/// and does not end the process.
///
/// ```
/// # use vision_language::display::Interruptible;
/// let stop = Interruptible::new("the counting");
/// for i in 0..10 {
///     stop.check(|| format!("{i} of 10 are counted"))?;
/// }
/// # Ok::<(), vision_language::Error>(())
/// ```
#[derive(Debug)]
pub struct Interruptible {
    what: &'static str,
}

impl Interruptible {
    /// `what` is to be stopped, as `the training`.
    pub fn new(what: &'static str) -> Self {
        LISTENERS.fetch_add(1, Ordering::Relaxed);
        Self { what }
    }

    /// An error where the user has pressed the stop button; `so_far` says what is done.
    ///
    /// # Errors
    /// [`Error::Stopped`].
    pub fn check(&self, so_far: impl FnOnce() -> String) -> Result<()> {
        if interrupted() {
            let so_far = so_far();
            return Err(Error::Stopped { what: format!("{} ({so_far})", self.what) });
        }
        Ok(())
    }
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// For the kernel: the stop button is pressed (1), or a new cell begins (0). Gives whether a loop listens.
#[unsafe(no_mangle)]
extern "C" fn vision_language_interrupt(on: c_int) -> c_int {
    STOP.store(on != 0, Ordering::Relaxed);
    if on == 0 {
        CELL.fetch_add(1, Ordering::Relaxed);
    }
    c_int::from(LISTENERS.load(Ordering::Relaxed) > 0)
}

/// For the kernel: what was printed without a newline goes out.
#[unsafe(no_mangle)]
extern "C" fn vision_language_flush() {
    let _ = std::io::stdout().flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_holds_all_forms_and_the_place() {
        let record = record(Way::Anew("p1"), &[("text/plain", "40 %"), ("text/html", "<b>")]);
        let json = record.strip_prefix("\u{1e}VL").and_then(|r| r.strip_suffix('\u{1e}')).unwrap();
        let json: Value = serde_json::from_str(json).unwrap();
        assert_eq!(json["data"], json!({"text/plain": "40 %", "text/html": "<b>"}));
        assert_eq!((&json["id"], &json["update"]), (&json!("p1"), &json!(true)));
    }

    #[test]
    fn another_kernel_gets_evcxrs_blocks() {
        let expected = "EVCXR_BEGIN_CONTENT image/png\ncG5n\nEVCXR_END_CONTENT\n";
        assert_eq!(blocks(&[("image/png", "cG5n")]), expected);
    }
}
