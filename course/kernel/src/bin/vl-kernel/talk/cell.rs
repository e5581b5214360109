//! What is known of the cell that runs: who asked for it, how it went.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::wire::{Message, sockets::Out};

/// What of a cell's words is published; the rest is dropped, with a note.
const MOST_WORDS: usize = 400_000;

/// What of one display's text is published.
const MOST_TEXT: usize = 100_000;

/// A panic as Rust reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    /// The file, as the compiler named it.
    pub file: String,
    pub line: usize,
    pub message: String,
}

impl Panic {
    /// Reads `thread '…' panicked at FILE:LINE:COLUMN:\nMESSAGE\nnote: …`.
    pub fn read(text: &str) -> Option<Panic> {
        let (_, rest) = text.split_once(" panicked at ")?;
        let (place, message) = rest.split_once(":\n").unwrap_or((rest.trim_end(), ""));
        let mut place = place.rsplitn(3, ':');
        let (_, line, file) = (place.next()?, place.next()?, place.next()?);
        let message = message.split("\nnote: run with `RUST_BACKTRACE").next()?;
        let message = message.split("\nstack backtrace:").next()?;
        Some(Panic {
            file: file.to_owned(),
            line: line.parse().ok()?,
            message: message.trim_end().to_owned(),
        })
    }
}

/// The cell that runs, or ran last.
#[derive(Debug, Default)]
pub struct Cell {
    /// The request that it answers.
    pub request: Message,
    /// Its number.
    pub count: u32,
    /// What is said is published: not before there is a cell.
    pub audible: bool,
    /// It reached for memory that is not its own.
    pub fault: bool,
    /// It panicked.
    pub panicked: bool,
    /// What was said of the panic.
    pub panic: Option<Panic>,
    /// A `?` ended it.
    pub failed: bool,
    /// What the `?` said.
    pub error: String,
    /// The line of generated code where the `?` stands.
    pub error_line: Option<usize>,
    /// Variables that are gone since their type was defined anew.
    pub redefined: Vec<String>,
    /// The user wants it to end.
    pub interrupted: bool,
    /// A loop of the library has said that it looks for interrupts.
    pub listens: bool,
    /// It did not listen, and its process was ended.
    pub killed: bool,
    /// It began to run and has not come to its end.
    pub running: Option<Instant>,
    /// How long its code ran.
    pub ran: Duration,
    /// How many bytes of words were published.
    words: usize,
    cut: bool,
    /// Blocks of evcxr's that belong to one display.
    block: Map<String, Value>,
}

impl Cell {
    /// A cell that `request` asks for.
    pub fn new(request: Message, count: u32) -> Cell {
        Cell { request, count, audible: true, ..Cell::default() }
    }

    /// Publishes words.
    pub fn say(&mut self, out: &Out, name: &str, text: &str) {
        if text.is_empty() || !self.audible {
            return;
        }
        self.end_block(out);
        // evcxr's handler says so, and then prints its own frames.
        let text = match text.split_once("Segmentation fault.") {
            _ if self.fault && name == "stderr" => return,
            Some((before, _)) if name == "stderr" => {
                self.fault = true;
                before
            }
            _ => text,
        };
        if text.is_empty() {
            return;
        }
        let room = MOST_WORDS.saturating_sub(self.words);
        let part = &text[..floor(text, room)];
        self.words += text.len();
        if !part.is_empty() {
            self.stream(out, name, part);
        }
        if part.len() < text.len() && !self.cut {
            self.cut = true;
            let note = format!("\n… the output is cut here, after {} kB.\n", MOST_WORDS / 1000);
            self.stream(out, "stderr", &note);
        }
    }

    /// Publishes words of the kernel's own, never cut.
    pub fn note(&mut self, out: &Out, text: &str) {
        self.end_block(out);
        self.stream(out, "stderr", text);
    }

    fn stream(&self, out: &Out, name: &str, text: &str) {
        out.publish(self.request.child("stream", json!({"name": name, "text": text})));
    }

    /// Publishes what our library wants shown: `data`, perhaps a place (`id`) and whether it is shown there anew.
    pub fn record(&mut self, out: &Out, record: &Value) {
        self.end_block(out);
        if !self.audible {
            return;
        }
        let Some(data) = record["data"].as_object() else { return };
        let data = cut(data.clone());
        let transient = match record["id"].as_str() {
            Some(id) => json!({"display_id": id}),
            None => json!({}),
        };
        let content = json!({"data": data, "metadata": {}, "transient": transient});
        let message = match (record["update"] == true, record["result"] == true) {
            (true, _) => self.request.child("update_display_data", content),
            (_, true) => return self.result(out, data),
            _ => self.request.child("display_data", content),
        };
        out.publish(message);
    }

    /// A block of evcxr's protocol: the value of the cell's last expression. Blocks of different kinds, one directly after
    /// another, are one value in several forms.
    pub fn block(&mut self, out: &Out, kind: String, content: String) {
        if self.block.contains_key(&kind) {
            self.end_block(out);
        }
        let value = if kind.contains("json") {
            serde_json::from_str(&content).unwrap_or(Value::String(content))
        } else {
            Value::String(content)
        };
        self.block.insert(kind, value);
    }

    /// Publishes the blocks that have come so far.
    pub fn end_block(&mut self, out: &Out) {
        let data = cut(std::mem::take(&mut self.block));
        if !data.is_empty() && self.audible {
            self.result(out, data);
        }
    }

    /// Publishes the value of the cell.
    pub fn result(&self, out: &Out, data: Map<String, Value>) {
        let content = json!({"execution_count": self.count, "data": data, "metadata": {}});
        out.publish(self.request.child("execute_result", content));
    }
}

/// Cuts texts that no one reads to their end. Pictures are left alone: half of one is none.
fn cut(mut data: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::String(text)) = data.get_mut("text/plain")
        && text.len() > MOST_TEXT
    {
        let (size, end) = (text.len(), floor(text, MOST_TEXT));
        text.truncate(end);
        text.push_str(&format!("\n… cut: {} of {} kB", MOST_TEXT / 1000, size / 1000));
    }
    data
}

/// The largest place up to `at` where a text can be cut.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_read_from_rusts_words() {
        let text = "\nthread '<unnamed>' (12) panicked at src/lib.rs:40:13:\nnot yet implemented: a hole\n\
                    note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n";
        let panic = Panic::read(text).unwrap();
        assert_eq!((panic.file.as_str(), panic.line), ("src/lib.rs", 40));
        assert_eq!(panic.message, "not yet implemented: a hole");
    }

    #[test]
    fn words_are_cut_once_with_a_note() {
        let (out, mut published) = Out::for_tests();
        let mut cell = Cell::new(Message::default(), 1);
        let line = "é".repeat(MOST_WORDS / 4);
        for _ in 0..4 {
            cell.say(&out, "stdout", &line);
        }
        let mut notes = Vec::new();
        while let Ok(message) = published.try_recv() {
            notes.push(message.content["text"].as_str().unwrap().to_owned());
        }
        assert_eq!(notes.len(), 3);
        assert!(notes[2].contains("cut"), "{}", notes[2]);
    }

    #[test]
    fn a_place_is_shown_and_shown_anew() {
        let (out, mut published) = Out::for_tests();
        let mut cell = Cell::new(Message::default(), 7);
        cell.record(&out, &json!({"data": {"text/plain": "1 %"}, "id": "a"}));
        cell.record(&out, &json!({"data": {"text/plain": "2 %"}, "id": "a", "update": true}));
        cell.record(&out, &json!({"data": {"text/plain": "x"}, "result": true}));
        let kinds: Vec<Message> = std::iter::from_fn(|| published.try_recv().ok()).collect();
        let names: Vec<&str> = kinds.iter().map(Message::kind).collect();
        assert_eq!(names, ["display_data", "update_display_data", "execute_result"]);
        assert_eq!(kinds[1].content["transient"]["display_id"], "a");
        assert_eq!(kinds[2].content["execution_count"], 7);
    }

    #[test]
    fn blocks_of_two_kinds_are_one_value() {
        let (out, mut published) = Out::for_tests();
        let mut cell = Cell::new(Message::default(), 1);
        cell.block(&out, "text/html".into(), "<b>".into());
        cell.block(&out, "text/plain".into(), "b".into());
        cell.block(&out, "text/plain".into(), "c".into());
        cell.end_block(&out);
        let values: Vec<Message> = std::iter::from_fn(|| published.try_recv().ok()).collect();
        assert_eq!(values.len(), 2);
        assert_eq!(values[0].content["data"], json!({"text/html": "<b>", "text/plain": "b"}));
    }
}
