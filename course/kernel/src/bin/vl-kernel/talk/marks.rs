//! Standard output of a cell, taken apart: words, evcxr's lines and blocks, our library's records.
//!
//! A record is `\x1eVL{…}\x1e` with JSON between, which holds no such byte. evcxr's marks are lines, but a cell that ends
//! in `print!` without a newline puts the mark behind its own words.

use serde_json::Value;

const RECORD: u8 = 0x1e;
const EVCXR: &[u8] = b"EVCXR_";
const BEGIN: &str = "EVCXR_BEGIN_CONTENT ";
const END: &[u8] = b"\nEVCXR_END_CONTENT\n";
const PANIC: &[u8] = b"EVCXR_PANIC_NOTIFICATION\n";

/// A piece of the stream.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// A cell's own words.
    Text(Vec<u8>),
    /// What our library wants shown.
    Record(Value),
    /// A block of evcxr's protocol: its kind and content.
    Block(String, String),
    /// A line for evcxr.
    Line(String),
}

/// Takes a stream apart as it comes.
#[derive(Debug, Default)]
pub struct Marks {
    rest: Vec<u8>,
}

impl Marks {
    /// The pieces that are whole now.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.rest.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        let mut at = 0;
        loop {
            let rest = &self.rest[at..];
            let Some(found) = next_mark(rest) else { break };
            if found > 0 {
                text(&mut pieces, &rest[..found]);
            }
            at += found;
            match read_mark(&self.rest[at..]) {
                Mark::Is(length, piece) => {
                    match piece {
                        Piece::Text(bytes) => text(&mut pieces, &bytes),
                        piece => pieces.push(piece),
                    }
                    at += length;
                }
                Mark::Unfinished => {
                    self.rest.drain(..at);
                    return pieces;
                }
            }
        }
        let rest = &self.rest[at..];
        let keep = (1..EVCXR.len()).rev().find(|n| rest.ends_with(&EVCXR[..*n])).unwrap_or(0);
        text(&mut pieces, &rest[..rest.len() - keep]);
        self.rest.drain(..self.rest.len() - keep);
        pieces
    }

    /// What is left when nothing more comes.
    pub fn end(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.rest)
    }
}

fn text(pieces: &mut Vec<Piece>, bytes: &[u8]) {
    match pieces.last_mut() {
        _ if bytes.is_empty() => {}
        Some(Piece::Text(text)) => text.extend_from_slice(bytes),
        _ => pieces.push(Piece::Text(bytes.to_vec())),
    }
}

enum Mark {
    Is(usize, Piece),
    Unfinished,
}

fn next_mark(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|b| *b == RECORD || *b == b'E') {
        let at = from + at;
        if bytes[at] == RECORD || bytes[at..].starts_with(EVCXR) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// Reads what stands at a mark.
fn read_mark(bytes: &[u8]) -> Mark {
    if bytes[0] == RECORD {
        let Some(end) = bytes[1..].iter().position(|b| *b == RECORD) else {
            let begins = bytes[1..].iter().zip(b"VL{").all(|(a, b)| a == b);
            return if begins { Mark::Unfinished } else { Mark::Is(1, Piece::Text(vec![RECORD])) };
        };
        let json = bytes[1..end + 1].strip_prefix(b"VL");
        return match json.and_then(|json| serde_json::from_slice(json).ok()) {
            Some(record) => Mark::Is(end + 2, Piece::Record(record)),
            None => Mark::Is(1, Piece::Text(vec![RECORD])),
        };
    }
    let Some(end) = bytes.iter().position(|b| *b == b'\n') else { return Mark::Unfinished };
    let line = String::from_utf8_lossy(&bytes[..end]).trim_end().to_owned();
    if let Some(kind) = line.strip_prefix(BEGIN) {
        // A display that panics in the middle of its block.
        let panics = find(&bytes[end..], PANIC);
        return match find(&bytes[end..], END) {
            Some(close) if panics.is_none_or(|panics| close < panics) => {
                let content = &bytes[(end + 1).min(end + close)..end + close];
                let content = String::from_utf8_lossy(content).into_owned();
                Mark::Is(end + close + END.len(), Piece::Block(kind.to_owned(), content))
            }
            _ => match panics {
                Some(_) => Mark::Is(end + 1, Piece::Text(Vec::new())),
                None => Mark::Unfinished,
            },
        };
    }
    let known = ["EVCXR_EXECUTION_COMPLETE", "EVCXR_PANIC_NOTIFICATION", "EVCXR_ERROR_OCCURRED"];
    let begun = ["EVCXR_VARIABLE_CHANGED_TYPE:", "EVCXR_INPUT_REQUEST"];
    if known.contains(&line.as_str()) || begun.iter().any(|begun| line.starts_with(begun)) {
        Mark::Is(end + 1, Piece::Line(line))
    } else {
        Mark::Is(EVCXR.len(), Piece::Text(EVCXR.to_vec()))
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(text: &str) -> Piece {
        Piece::Text(text.as_bytes().to_vec())
    }

    fn line(text: &str) -> Piece {
        Piece::Line(text.to_owned())
    }

    #[test]
    fn a_cells_end_is_found_behind_words_without_a_newline() {
        let mut marks = Marks::default();
        assert_eq!(
            marks.feed(b"40 %EVCXR_EXECUTION_COMPLETE\n"),
            [words("40 %"), line("EVCXR_EXECUTION_COMPLETE")]
        );
    }

    #[test]
    fn the_pieces_are_the_same_however_the_stream_is_cut() {
        let stream = "a\n\u{1e}VL{\"data\":{\"text/plain\":\"é\"}}\u{1e}EVCX b EVCXR_X\n\
                      EVCXR_BEGIN_CONTENT image/png\nAAAA\nEVCXR_END_CONTENT\nEVCXR_ERROR_OCCURRED\n";
        let whole = [
            words("a\n"),
            Piece::Record(json!({"data": {"text/plain": "é"}})),
            words("EVCX b EVCXR_X\n"),
            Piece::Block("image/png".into(), "AAAA".into()),
            line("EVCXR_ERROR_OCCURRED"),
        ];
        for cut in 0..stream.len() {
            let mut marks = Marks::default();
            let mut pieces = Vec::new();
            for part in [&stream.as_bytes()[..cut], &stream.as_bytes()[cut..]] {
                for piece in marks.feed(part) {
                    match piece {
                        Piece::Text(bytes) => text(&mut pieces, &bytes),
                        piece => pieces.push(piece),
                    }
                }
            }
            assert_eq!(pieces, whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_block_that_panics_does_not_hide_the_panic() {
        let mut marks = Marks::default();
        let pieces = marks.feed(b"EVCXR_BEGIN_CONTENT text/plain\nhalfEVCXR_PANIC_NOTIFICATION\n");
        assert_eq!(pieces, [words("half"), line("EVCXR_PANIC_NOTIFICATION")]);
    }

    #[test]
    fn an_empty_block_is_a_block() {
        let mut marks = Marks::default();
        let pieces = marks.feed(b"EVCXR_BEGIN_CONTENT text/plain\n\nEVCXR_END_CONTENT\n");
        assert_eq!(pieces, [Piece::Block("text/plain".into(), String::new())]);
    }

    #[test]
    fn words_are_not_held_back() {
        let mut marks = Marks::default();
        assert_eq!(marks.feed(b"loss 3.2\r"), [words("loss 3.2\r")]);
        assert_eq!(marks.feed(b"an E"), [words("an ")]);
        assert_eq!(marks.feed(b"gg\n"), [words("Egg\n")]);
        assert_eq!(marks.feed(b"\x1e what"), [words("\u{1e} what")]);
    }
}
