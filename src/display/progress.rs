//! How far long work is: a bar on a terminal, one that moves below a notebook's cell, a line now and then elsewhere.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::table::escape;
use super::{Live, in_notebook};

/// The progress of work in `total` steps.
///
/// On a terminal a bar on stderr; in a notebook on the course's kernel a bar that moves, on a stock kernel a line on
/// stdout at most every two seconds; elsewhere (a file, a pipe) a line on stderr at most every ten.
pub struct Progress {
    what: String,
    total: usize,
    started: Instant,
    face: Face,
}

enum Face {
    Bar(ProgressBar),
    Place { live: Live, every: Duration, last: Option<Instant> },
    Lines { every: Duration, last: Instant, notebook: bool },
    Silent,
}

impl Progress {
    /// Starts the clock.
    pub fn new(what: impl Into<String>, total: usize) -> Self {
        Self::start(what.into(), total)
    }

    /// Apart, since a cell compiles generic functions anew with all that they call.
    #[inline(never)]
    fn start(what: String, total: usize) -> Self {
        let now = Instant::now();
        let live = Live::new();
        let face = if live.is_live() {
            Face::Place { live, every: Duration::from_millis(150), last: None }
        } else if in_notebook() {
            Face::Lines { every: Duration::from_secs(2), last: now, notebook: true }
        } else if std::io::stderr().is_terminal() {
            Face::Bar(bar(&what, total))
        } else {
            Face::Lines { every: Duration::from_secs(10), last: now, notebook: false }
        };
        Self { what, total, started: now, face }
    }

    /// One that shows nothing: for a program's `--json`.
    pub fn silent(total: usize) -> Self {
        Self { what: String::new(), total, started: Instant::now(), face: Face::Silent }
    }

    /// `done` of the steps are done; `note` is what else is known, as `loss 3.21, 812 pairs/s`.
    pub fn update(&mut self, done: usize, note: &str) {
        let left = time_left(self.started.elapsed(), done, self.total);
        let line = line(&self.what, done, self.total, note, left);
        match &mut self.face {
            Face::Bar(bar) => {
                bar.set_message(note.to_string());
                bar.set_position(done as u64);
            }
            Face::Place { live, every, last } => {
                if last.is_none_or(|last| last.elapsed() >= *every) {
                    *last = Some(Instant::now());
                    let html = html(&self.what, done, self.total, note, left);
                    live.show(&[("text/html", &html), ("text/plain", &line)]);
                }
            }
            Face::Lines { every, last, notebook } => {
                if last.elapsed() >= *every {
                    *last = Instant::now();
                    say(*notebook, &line);
                }
            }
            Face::Silent => {}
        }
    }

    /// Ends it with a line that stays, which says how long the work took.
    pub fn finish(self, note: &str) {
        let took = clock(self.started.elapsed());
        let line = format!("{}  done in {took}{}{note}", self.what, gap(note));
        match self.face {
            Face::Bar(bar) => {
                bar.finish_and_clear();
                eprintln!("{line}");
            }
            Face::Place { mut live, .. } => {
                let html = format!("<pre>{}</pre>", escape(&line));
                live.show(&[("text/html", &html), ("text/plain", &line)]);
            }
            Face::Lines { notebook, .. } => say(notebook, &line),
            Face::Silent => {}
        }
    }
}

fn bar(what: &str, total: usize) -> ProgressBar {
    let template = "{prefix}  {bar:24} {percent:>3} %  {msg}  {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar());
    ProgressBar::new(total as u64).with_prefix(what.to_string()).with_style(style)
}

/// A reader that has gone away is no reason to stop the work.
fn say(notebook: bool, line: &str) {
    if notebook {
        println!("{line}");
    } else {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

fn gap(note: &str) -> &'static str {
    if note.is_empty() { "" } else { "  " }
}

/// `epoch 1/4  ████████░░░░░░░░░░░░  40 %  loss 3.21  0:21 left`
fn line(what: &str, done: usize, total: usize, note: &str, left: Option<Duration>) -> String {
    const WIDTH: usize = 20;
    let part = done.min(total) as f64 / total.max(1) as f64;
    let full = (part * WIDTH as f64).round() as usize;
    let bar = "█".repeat(full) + &"░".repeat(WIDTH - full);
    let left = left.map_or(String::new(), |left| format!("  {} left", clock(left)));
    format!("{what}  {bar} {:>3.0} %{}{note}{left}", part * 100., gap(note))
}

/// The same for a page: a bar that the reader's colours go with, and the words.
fn html(what: &str, done: usize, total: usize, note: &str, left: Option<Duration>) -> String {
    let percent = done.min(total) as f64 / total.max(1) as f64 * 100.;
    let left = left.map_or(String::new(), |left| format!("  {} left", clock(left)));
    let words = escape(&format!(" {percent:>3.0} %{}{note}{left}", gap(note)));
    format!(
        "<pre>{}  <progress style=\"width:16em;vertical-align:middle\" max=\"100\" value=\"{percent:.1}\">\
         </progress>{words}</pre>",
        escape(what)
    )
}

fn time_left(elapsed: Duration, done: usize, total: usize) -> Option<Duration> {
    (done > 0 && total >= done).then(|| elapsed.mul_f64((total - done) as f64 / done as f64))
}

/// `0:07`, `12:30`, `1:02:03`
fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_long() {
        let left = time_left(Duration::from_secs(10), 40, 100);
        assert_eq!(left, Some(Duration::from_secs(15)));
        let expected = "epoch 1/4  ████████░░░░░░░░░░░░  40 %  loss 3.21  0:15 left";
        assert_eq!(line("epoch 1/4", 40, 100, "loss 3.21", left), expected);
        assert_eq!(time_left(Duration::from_secs(10), 0, 100), None);
    }

    #[test]
    fn more_than_all_is_all() {
        assert!(line("x", 7, 5, "", None).ends_with("100 %"));
        assert!(line("x", 0, 0, "", None).ends_with("  0 %"));
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
    }
}
