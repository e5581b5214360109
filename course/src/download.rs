//! Bars of what is downloaded and made, on stderr where that is a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use vision_language::hub::Progress;

/// What a bar of bytes shows.
pub const BYTES: &str = "{prefix}{bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";

/// A bar after a template of indicatif's that moves by itself; one that shows nothing where it is `hidden`.
pub fn bar(template: &str, hidden: bool) -> ProgressBar {
    if hidden {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template).expect("a template of indicatif's");
    let bar = ProgressBar::new(0).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Shows in `bar` how far a download is; `say` hears why it waits.
pub fn show(bar: &ProgressBar, progress: Progress, say: &dyn Fn(String)) {
    match progress {
        Progress::Bytes(done, total) => {
            bar.set_length(total.unwrap_or(done));
            bar.set_position(done);
        }
        Progress::Waiting(wait, why) => {
            let seconds = wait.as_secs_f64();
            bar.suspend(|| say(format!("{why}: trying again in {seconds:.0} s.")));
        }
    }
}
