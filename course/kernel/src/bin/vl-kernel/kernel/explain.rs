//! The compiler's errors at the cell's own lines, in rustc's own form.

use std::fmt::Write;

use evcxr::CompilationError;
use serde_json::Value;

use super::past::{Past, Why};
use super::words::{BLUE, BOLD, DIM, Failure, PLAIN, RED};

/// Errors that are shown in full.
const MOST: usize = 4;

/// What rustc says of a cell.
pub fn compilation(errors: &[CompilationError], code: &str, count: u32, past: &Past) -> Failure {
    // Among the errors evcxr gives rustc's warnings, also those about earlier cells.
    let mut errors: Vec<&CompilationError> = errors.iter().collect();
    if errors.iter().any(|error| error.level() == "error") {
        errors.retain(|error| error.level() == "error");
    }
    let mut text = String::new();
    for error in errors.iter().take(MOST) {
        one(&mut text, error, code, count, past);
        text.push('\n');
    }
    if errors.len() > MOST {
        let _ =
            writeln!(text, "… and {} more; they often follow from the first.", errors.len() - MOST);
    }
    if errors.first().is_some_and(|error| error.explanation().is_some()) {
        let _ =
            write!(text, "{DIM}`:explain` in a cell tells more about this kind of error.{PLAIN}");
    }
    let first = errors.first();
    let code =
        first.and_then(|error| error.code()).map_or(String::new(), |code| format!("[{code}]"));
    let value =
        first.map_or_else(|| "the cell does not compile".to_owned(), |error| error.message());
    Failure { name: format!("error{code}"), value, text: text.trim_end().to_owned() }
}

fn one(text: &mut String, error: &CompilationError, code: &str, count: u32, past: &Past) {
    let message = error.message();
    let number = error.code().map_or(String::new(), |code| format!("[{code}]"));
    let _ = writeln!(text, "{RED}error{number}{PLAIN}{BOLD}: {message}{PLAIN}");
    let labels: Vec<Label> = error
        .spanned_messages()
        .iter()
        .filter_map(|spanned| {
            let span = spanned.span?;
            let fallback = spanned.label == format!("error: {message}");
            Some(Label {
                line: span.start_line,
                from: span.start_column,
                to: if span.end_line == span.start_line { Some(span.end_column) } else { None },
                text: if fallback { String::new() } else { spanned.label.clone() },
                primary: spanned.is_primary,
            })
        })
        .collect();
    let width = labels.iter().map(|label| label.line.to_string().len()).max().unwrap_or(1);
    let gap = " ".repeat(width);
    if let Some(first) = labels.iter().find(|label| label.primary).or(labels.first()) {
        let _ = writeln!(text, "{BLUE}{gap}-->{PLAIN} cell [{count}], line {}", first.line);
        snippet(text, &labels, code, width);
    }
    for (level, said) in children(&error.json) {
        let _ = writeln!(text, "{BLUE}{gap} = {PLAIN}{BOLD}{level}{PLAIN}: {said}");
    }
    if let Some(reason) = reason(error.code(), &message, past) {
        let _ = writeln!(text, "{BLUE}{gap} = {PLAIN}{BOLD}here{PLAIN}: {reason}");
    }
}

/// A part of a line and what is said of it; columns from 1, without an end where it goes over the line's.
#[derive(Clone, Debug)]
struct Label {
    line: usize,
    from: usize,
    to: Option<usize>,
    text: String,
    primary: bool,
}

impl Label {
    fn colour(&self) -> &'static str {
        if self.primary { RED } else { BLUE }
    }
}

fn snippet(text: &mut String, labels: &[Label], code: &str, width: usize) {
    let gap = " ".repeat(width);
    let _ = writeln!(text, "{BLUE}{gap} |{PLAIN}");
    let mut lines: Vec<usize> = labels.iter().map(|label| label.line).collect();
    lines.sort_unstable();
    lines.dedup();
    let mut last = None;
    for line in lines {
        if last.is_some_and(|last| line > last + 1) {
            let _ = writeln!(text, "{BLUE}...{PLAIN}");
        }
        last = Some(line);
        let source =
            code.lines().nth(line.saturating_sub(1)).unwrap_or_default().replace('\t', " ");
        let _ = writeln!(text, "{BLUE}{line:>width$} |{PLAIN} {source}");
        let mut here: Vec<&Label> = labels.iter().filter(|label| label.line == line).collect();
        here.sort_by_key(|label| label.from);
        for row in rows(&here, source.chars().count()) {
            let _ = writeln!(text, "{BLUE}{gap} |{PLAIN} {row}");
        }
    }
    let _ = writeln!(text, "{BLUE}{gap} |{PLAIN}");
}

/// The rows below a line: the marks with the last label, then the others, one by one from the right.
fn rows(labels: &[&Label], length: usize) -> Vec<String> {
    let end = |label: &Label| label.to.unwrap_or(length + 1).max(label.from + 1);
    let mut marks = Row::default();
    // What matters most is drawn over the rest.
    for primary in [false, true] {
        for label in labels.iter().filter(|label| label.primary == primary) {
            let mark = if label.primary { '^' } else { '-' };
            for column in label.from..end(label) {
                marks.put(column, mark, label.colour());
            }
        }
    }
    let mut said: Vec<&Label> =
        labels.iter().copied().filter(|label| !label.text.is_empty()).collect();
    let mut rows = Vec::new();
    if let Some(last) = said.last().copied()
        && labels.iter().all(|label| end(label) <= end(last))
    {
        said.pop();
        let mut first = last.text.lines();
        marks.words(end(last) + 1, first.next().unwrap_or_default(), last.colour());
        rows.push(marks.text());
        for line in first {
            let mut row = Row::default();
            row.words(end(last) + 1, line, last.colour());
            rows.push(row.text());
        }
    } else {
        rows.push(marks.text());
    }
    while let Some(label) = said.pop() {
        for text in std::iter::once("|").chain(label.text.lines()) {
            let mut row = Row::default();
            for other in &said {
                row.put(other.from, '|', other.colour());
            }
            row.words(label.from, text, label.colour());
            rows.push(row.text());
        }
    }
    rows
}

/// A row of coloured characters.
#[derive(Debug, Default)]
struct Row(Vec<(char, &'static str)>);

impl Row {
    fn put(&mut self, column: usize, mark: char, colour: &'static str) {
        if self.0.len() < column {
            self.0.resize(column, (' ', ""));
        }
        if column > 0 {
            self.0[column - 1] = (mark, colour);
        }
    }

    fn words(&mut self, column: usize, text: &str, colour: &'static str) {
        for (i, c) in text.chars().enumerate() {
            self.put(column + i, c, colour);
        }
    }

    fn text(&self) -> String {
        let (mut text, mut now) = (String::new(), "");
        for (c, colour) in &self.0 {
            if *colour != now && *c != ' ' {
                text.push_str(PLAIN);
                text.push_str(colour);
                now = colour;
            }
            text.push(*c);
        }
        text.push_str(PLAIN);
        text
    }
}

/// rustc's notes and helps, as far as they are about the cell.
fn children(json: &Value) -> Vec<(String, String)> {
    let children = json["children"].as_array().map(Vec::as_slice).unwrap_or_default();
    let about_cell = |child: &&Value| {
        let spans = child["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
        spans
            .iter()
            .all(|span| span["file_name"].as_str().is_some_and(|file| file.ends_with("src/lib.rs")))
    };
    let said = children.iter().filter(about_cell).filter_map(|child| {
        let (level, message) = (child["level"].as_str()?, child["message"].as_str()?);
        let hidden = ["evcxr", "--explain", "RUST_BACKTRACE", "Cargo.toml", "full type name"];
        if !["help", "note"].contains(&level) || hidden.iter().any(|word| message.contains(word)) {
            return None;
        }
        let parts: Vec<&str> = child["spans"]
            .as_array()?
            .iter()
            .filter_map(|span| span["suggested_replacement"].as_str())
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect();
        let what = match parts.as_slice() {
            [] => String::new(),
            parts if parts.iter().any(|part| part.contains("evcxr")) => return None,
            parts => format!(": `{}`", parts.join("` … `")),
        };
        Some((level.to_owned(), format!("{message}{what}")))
    });
    said.take(4).collect()
}

/// What this notebook knows about a name that the compiler does not find.
fn reason(code: Option<&str>, message: &str, past: &Past) -> Option<String> {
    if !matches!(code?, "E0425" | "E0412" | "E0433" | "E0405" | "E0432" | "E0422") {
        return None;
    }
    let name = message.split('`').nth(1)?;
    if let Some((why, cell)) = past.why(name) {
        return Some(match why {
            Why::Redefined => format!(
                "cell [{cell}] defined anew a type that `{name}` was made of; run the cell that makes `{name}` again"
            ),
            Why::Moved => format!(
                "cell [{cell}] gave `{name}` away (a value has one owner); run the cell that makes it again, or lend it there: `&{name}`"
            ),
            Why::Ended => format!(
                "`{name}` was lost when the process ended in cell [{cell}]; run the cell that makes it again"
            ),
            Why::Unmade => format!(
                "cell [{cell}] would have made `{name}`, but it failed; mend it and run it again"
            ),
        });
    }
    (!past.has_prelude()).then(|| "the course's names come with `use vision_language::prelude::*;`, the first cell of every notebook".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(from: usize, to: usize, text: &str, primary: bool) -> Label {
        Label { line: 1, from, to: Some(to), text: text.into(), primary }
    }

    fn plain(rows: Vec<String>) -> Vec<String> {
        let colours = [RED, BLUE, PLAIN];
        rows.into_iter()
            .map(|row| colours.iter().fold(row, |row, colour| row.replace(colour, "")))
            .collect()
    }

    #[test]
    fn labels_stand_below_their_parts() {
        // let n: usize = "one";
        let (kind, value) =
            (label(8, 13, "expected due to this", false), label(16, 21, "expected `usize`", true));
        let rows = plain(rows(&[&kind, &value], 21));
        assert_eq!(
            rows,
            ["       -----   ^^^^^ expected `usize`", "       |", "       expected due to this"]
        );
    }

    #[test]
    fn a_part_that_goes_on_is_marked_to_the_lines_end() {
        let open = Label { to: None, ..label(3, 0, "here", true) };
        assert_eq!(plain(rows(&[&open], 6)), ["  ^^^^ here"]);
    }

    #[test]
    fn help_says_what_to_write() {
        let json = serde_json::json!({"children": [
            {"level": "help", "message": "consider borrowing here", "spans": [{"file_name": "src/lib.rs", "suggested_replacement": "&"}]},
            {"level": "note", "message": "defined here", "spans": [{"file_name": "/x/tensor.rs"}]}]});
        assert_eq!(
            children(&json),
            [("help".to_owned(), "consider borrowing here: `&`".to_owned())]
        );
    }

    #[test]
    fn a_missing_name_has_a_reason() {
        let mut past = Past::default();
        past.lost("x", Why::Moved, 4);
        let said = reason(Some("E0425"), "cannot find value `x` in this scope", &past).unwrap();
        assert!(said.contains("cell [4]") && said.contains("`&x`"), "{said}");
        let said =
            reason(Some("E0433"), "failed to resolve: use of undeclared type `Tensor`", &past)
                .unwrap();
        assert!(said.contains("prelude"), "{said}");
    }
}
