//! A place below a notebook's cell that is drawn anew while the cell runs.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::kernel::{Way, cell, records, show};
use super::{Picture, in_notebook};

/// A place below the cell: what is shown there takes the place of what was.
///
/// On the course's kernel it changes while the cell runs; a stock evcxr kernel shows at the cell's end what came last.
/// Outside of a notebook nothing is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    id: String,
    /// The cell that it was shown below: a cell that is run again begins with nothing below it.
    shown: Option<usize>,
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Live {
    /// A place that nothing stands at yet.
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let time = time.map_or(0, |time| time.as_micros());
        Self { id: format!("vl-{}-{time:x}-{n}", std::process::id()), shown: None }
    }

    /// Whether changes are seen while the cell runs.
    pub fn is_live(&self) -> bool {
        records()
    }

    /// Shows a picture.
    pub fn picture(&mut self, picture: &Picture) {
        let base64 = picture.base64();
        match records() {
            true => self.show(&[("image/png", &base64), ("text/plain", &picture.alt)]),
            // A stock kernel would show the words beside the picture.
            false => self.show(&[("image/png", &base64)]),
        }
    }

    /// Shows one thing in several forms: MIME type and content.
    pub(super) fn show(&mut self, forms: &[(&str, &str)]) {
        if in_notebook() {
            let there = self.shown == Some(cell());
            show(if there { Way::Anew(&self.id) } else { Way::At(&self.id) }, forms);
            self.shown = Some(cell());
        }
    }
}
