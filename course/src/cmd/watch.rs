//! `vl watch`: checks an exercise whenever its file is saved.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use vision_language::exercise::exercises;

use super::check::{as_text, file_of, known, one};
use super::{hint, progress as overview};
use crate::Result;
use crate::house::House;
use crate::progress::Progress;
use crate::sync::read;
use crate::worker::{LIMIT, Library, Outcome};

/// Check each exercise as you save it; keys: h hint, l list, r reset, q quit
#[derive(Args, Clone, Debug)]
pub struct WatchArgs {
    /// The exercise to begin with (by default the first that is not done)
    #[arg(value_name = "ID")]
    id: Option<String>,
}

/// How often the files are looked at.
const EVERY: Duration = Duration::from_millis(100);

const CTRL_C: u8 = 3;

/// Watches until `q` or the end of the input.
///
/// # Errors
/// An unknown id; a library that does not compile.
pub fn watch(args: &WatchArgs) -> Result<()> {
    let house = House::find()?;
    let mut watch = Watch {
        current: match &args.id {
            Some(id) => known(id)?.id,
            None => first_open(&Progress::read(&house)),
        },
        library: Library::ready(&house)?,
        seen: exercises().iter().map(|e| modified(&file_of(&house, e.id))).collect(),
        house,
    };
    let keys = Keys::listen();
    watch.check()?;
    loop {
        watch.prompt();
        loop {
            match keys.pressed.recv_timeout(EVERY) {
                Ok(b'q' | CTRL_C) | Err(RecvTimeoutError::Disconnected) => {
                    println!("Until next time: `cargo vl watch` goes on from here.");
                    return Ok(());
                }
                Ok(key) if watch.key(key, &keys)? => break,
                _ => {}
            }
            if let Some(id) = watch.changed() {
                watch.current = id;
                watch.check()?;
                break;
            }
        }
    }
}

fn first_open(progress: &Progress) -> &'static str {
    let all = exercises();
    all.iter().find(|e| !progress.of(e.id).complete).unwrap_or(&all[0]).id
}

struct Watch {
    house: House,
    library: Library,
    current: &'static str,
    seen: Vec<Option<SystemTime>>,
}

impl Watch {
    /// The first exercise whose file was saved since it was last looked at.
    fn changed(&mut self) -> Option<&'static str> {
        let mut changed = None;
        for (exercise, seen) in exercises().iter().zip(&mut self.seen) {
            let now = modified(&file_of(&self.house, exercise.id));
            if now.is_some() && now != *seen {
                *seen = now;
                changed = changed.or(Some(exercise.id));
            }
        }
        changed
    }

    /// Checks the current exercise; when it is done, goes on to the next one.
    fn check(&mut self) -> Result<()> {
        let begun = Instant::now();
        let (id, file) = (self.current, file_of(&self.house, self.current));
        self.library = Library::ready(&self.house)?;
        let outcome = match one(&self.library, id, &file, LIMIT) {
            Ok(outcome) => outcome,
            Err(error) => {
                println!("{error}");
                return Ok(());
            }
        };
        clear();
        print!("{}", as_text(id, &outcome, true));
        println!("checked in {:.1} s", begun.elapsed().as_secs_f64());
        if let Outcome::Checked(report) = &outcome {
            let mut progress = Progress::read(&self.house);
            progress.checked(report, &read(&file)?)?;
            if report.is_complete() {
                self.current = first_open(&progress);
            }
        }
        Ok(())
    }

    fn prompt(&self) {
        let progress = Progress::read(&self.house);
        let all = exercises();
        let done = all.iter().filter(|e| progress.of(e.id).complete).count();
        let bar: String = (0..all.len()).map(|i| if i < done { '█' } else { '░' }).collect();
        let id = self.current;
        if done == all.len() {
            println!("\n{bar} {done} of {}: all exercises are done.", all.len());
        } else {
            println!("\n{bar} {done} of {}. Now: {id}, in exercises/src/{id}.rs", all.len());
        }
        println!("h hint   l list   r reset   q quit   (a save checks)");
    }

    /// Does what a key asks for; says whether it was one of ours.
    fn key(&mut self, key: u8, keys: &Keys) -> Result<bool> {
        match key {
            b'h' => {
                let (_, text) = hint::next(&mut Progress::read(&self.house), self.current)?;
                println!("\n{text}");
            }
            b'l' => {
                let progress = Progress::read(&self.house);
                println!("\n{}", overview::overview(&self.house, &progress));
            }
            b'r' => {
                println!("Put {} back to how it came? What you wrote is kept. y / n", self.current);
                if keys.pressed.recv() == Ok(b'y') {
                    println!("{}", overview::put_back(&self.house, self.current)?);
                } else {
                    println!("Nothing was changed.");
                }
            }
            b'c' | b'\n' => self.check()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn modified(path: &PathBuf) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
}

/// An empty screen, on a terminal.
fn clear() {
    if std::io::stdout().is_terminal() {
        print!("\x1b[2J\x1b[H");
    }
}

/// Keys as they are pressed. The terminal is as it was when this goes away.
struct Keys {
    pressed: Receiver<u8>,
    before: Option<String>,
}

impl Keys {
    fn listen() -> Self {
        let terminal = std::io::stdin().is_terminal();
        let before = terminal.then(|| stty(&["-g"])).flatten();
        if before.is_some() {
            // Each key at once, and not shown; Ctrl-C too is a key, so that the terminal can be put back.
            stty(&["-icanon", "-echo", "-isig"]);
        }
        let (sender, pressed) = channel();
        std::thread::spawn(move || {
            let mut key = [0];
            while let Ok(1) = std::io::stdin().lock().read(&mut key) {
                if sender.send(key[0]).is_err() {
                    return;
                }
            }
            // The input has ended, which is the end of the watch: the channel closes.
        });
        Self { pressed, before }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            stty(&[before.trim()]);
        }
    }
}

fn stty(arguments: &[&str]) -> Option<String> {
    let output = Command::new("stty").args(arguments).stdin(Stdio::inherit()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
