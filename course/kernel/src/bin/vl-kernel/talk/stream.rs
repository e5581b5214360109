//! Words on their way: gathered for a moment, so that a thousand `println!` are not a thousand messages.

use std::time::{Duration, Instant};

/// How long words wait for more.
const GATHER: Duration = Duration::from_millis(20);

/// How long a panic's words wait for the mark that tells that the cell ended by it.
const PANIC: Duration = Duration::from_millis(300);

/// Words of one of the two streams that are not published yet.
#[derive(Debug, Default)]
pub struct Stream {
    bytes: Vec<u8>,
    since: Option<Instant>,
    last: Option<Instant>,
}

impl Stream {
    /// Takes more words in.
    pub fn push(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.since.get_or_insert_with(Instant::now);
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// When the words want to be published.
    pub fn due(&self) -> Option<Instant> {
        let since = self.since?;
        if find_panic(&String::from_utf8_lossy(&self.bytes)).is_some() {
            return Some(since + PANIC);
        }
        // After a pause the first words go out at once.
        let paused = self.last.is_none_or(|last| last.elapsed() > GATHER);
        Some(if paused { since + Duration::from_millis(2) } else { since + GATHER })
    }

    /// The words that are there, but for the first bytes of a character that has not arrived whole.
    pub fn take(&mut self) -> String {
        self.since = None;
        self.last = Some(Instant::now());
        let whole = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => self.bytes.len(),
        };
        let rest = self.bytes.split_off(whole);
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        self.bytes = rest;
        text
    }
}

/// Where in the words of standard error a panic begins: Rust's line `thread '…' panicked at …`.
pub fn find_panic(text: &str) -> Option<usize> {
    let at = text.find(" panicked at ")?;
    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    text[line..].starts_with("thread '").then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_waits_until_it_is_whole() {
        let mut stream = Stream::default();
        stream.push(&"aé".as_bytes()[..2]);
        assert_eq!(stream.take(), "a");
        stream.push(&"é".as_bytes()[1..]);
        assert_eq!(stream.take(), "é");
        stream.push(b"\xff\xffb");
        assert_eq!(stream.take(), "\u{fffd}\u{fffd}b");
    }

    #[test]
    fn a_panic_is_told_by_its_line() {
        assert_eq!(
            find_panic("x\nthread '<unnamed>' (7) panicked at src/lib.rs:3:1:\nno"),
            Some(2)
        );
        assert_eq!(find_panic("it panicked at nothing"), None);
    }

    #[test]
    fn words_wait_a_moment_and_a_panic_longer() {
        let mut stream = Stream::default();
        assert_eq!(stream.due(), None);
        stream.push(b"a");
        assert!(stream.due().unwrap() < Instant::now() + GATHER);
        stream.push(b"\nthread 'main' panicked at x:1:1:\n");
        assert!(stream.due().unwrap() > Instant::now() + GATHER);
    }
}
