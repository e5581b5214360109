//! Tables of text with line numbers: records are found and judged here, polars reads the good ones.
//!
//! polars' reader names neither the line nor the rule that a bad row breaks, and an open quote swallows the rest of
//! its file. So one pass over the bytes finds where each record starts, and only whole records reach polars.

use std::io::Cursor;
use std::path::Path;

use polars::prelude::{CsvParseOptions, CsvReadOptions, SerReader};

use crate::{Error, Result};

/// What to do with a row that breaks its layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BadRows {
    /// The first one is an error.
    #[default]
    Refuse,
    /// They are left out and listed.
    Skip,
}

/// A row that was left out, or read otherwise than it stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its line, counted from 1 with the header.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// How a table is written.
#[derive(Clone, Copy)]
pub(super) struct Dialect {
    pub separator: u8,
    /// Fields may stand in double quotes.
    pub quotes: bool,
    /// Makes a whole row of a known defect, and says which.
    pub repair: Option<fn(&str) -> Option<Repaired>>,
}

/// A row as it was meant, and what was wrong with it.
pub(super) type Repaired = (String, &'static str);

/// The wanted columns of a table, row by row.
pub(super) struct Table {
    /// One a wanted column; values are trimmed.
    pub columns: Vec<Vec<String>>,
    /// The line of each row.
    pub lines: Vec<usize>,
    pub skipped: Vec<Skipped>,
    pub repaired: Vec<Skipped>,
}

/// What breaks the layout: the rule and what stands there instead.
struct Bad {
    line: usize,
    expected: String,
    got: String,
}

/// Reads `wanted` columns of the file. Blank lines are nothing; an empty value in a wanted column is a bad row.
pub(super) fn read(
    path: &Path,
    dialect: Dialect,
    wanted: &[&str],
    policy: BadRows,
) -> Result<Table> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let refuse = |bad: Bad| Error::Row {
        path: path.to_path_buf(),
        line: bad.line,
        expected: bad.expected,
        got: bad.got,
    };
    let mut records = Records { bytes, at: 0, line: 1, dialect };
    let header = records.next().unwrap_or_else(|| {
        let expected = format!("a header with {}", wanted.join(", "));
        Err(Bad { line: 1, expected, got: "an empty file".into() })
    });
    let header = header.map_err(refuse)?;
    let names: Vec<&str> = header
        .text
        .split(char::from(dialect.separator))
        .map(|name| name.trim().trim_matches('"').trim())
        .collect();
    if let Some(missing) = wanted.iter().find(|w| !names.contains(w)) {
        let expected = format!("a header with the column `{missing}`");
        let got = format!("the columns {}", names.join(", "));
        return Err(refuse(Bad { line: header.line, expected, got }));
    }

    let mut good = String::with_capacity(bytes.len());
    good.push_str(&names.join(&char::from(dialect.separator).to_string()));
    let (mut lines, mut skipped, mut repaired) = (Vec::new(), Vec::new(), Vec::new());
    let judge = |bad: Bad, skipped: &mut Vec<Skipped>| match policy {
        BadRows::Refuse => Err(refuse(bad)),
        BadRows::Skip => {
            let reason = format!("expected {}, got {}", bad.expected, bad.got);
            skipped.push(Skipped { line: bad.line, reason });
            Ok(())
        }
    };
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(bad) => {
                judge(bad, &mut skipped)?;
                continue;
            }
        };
        let mut text = record.text.to_string();
        if record.fields != names.len() {
            let repair = dialect.repair.and_then(|repair| repair(record.text));
            let Some((whole, reason)) = repair else {
                judge(wrong_count(&record, names.len(), dialect), &mut skipped)?;
                continue;
            };
            repaired.push(Skipped { line: record.line, reason: reason.into() });
            text = whole;
        }
        good.push('\n');
        good.push_str(&text);
        lines.push(record.line);
    }
    good.push('\n');

    let mut columns = parse(path, good, dialect, wanted, lines.len())?;
    let empty = |row: usize| wanted.iter().zip(&columns).find(|(_, c)| c[row].is_empty());
    let mut keep = vec![true; lines.len()];
    for (row, &line) in lines.iter().enumerate() {
        if let Some((name, _)) = empty(row) {
            keep[row] = false;
            let expected = format!("a `{name}` that is not empty");
            judge(Bad { line, expected, got: "nothing".into() }, &mut skipped)?;
        }
    }
    for column in &mut columns {
        retain(column, &keep);
    }
    retain(&mut lines, &keep);
    skipped.sort_by_key(|s| s.line);
    Ok(Table { columns, lines, skipped, repaired })
}

fn retain<T>(values: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    values.retain(|_| *keep.next().expect("one a row"));
}

/// Lets polars read the rows that are whole: every column as text.
fn parse(
    path: &Path,
    good: String,
    dialect: Dialect,
    wanted: &[&str],
    rows: usize,
) -> Result<Vec<Vec<String>>> {
    if rows == 0 {
        return Ok(vec![Vec::new(); wanted.len()]);
    }
    let parse = CsvParseOptions::default()
        .with_separator(dialect.separator)
        .with_quote_char(dialect.quotes.then_some(b'"'))
        .with_missing_is_null(false);
    let frame = CsvReadOptions::default()
        .with_has_header(true)
        .with_infer_schema_length(Some(0))
        .with_parse_options(parse)
        .into_reader_with_file_handle(Cursor::new(good))
        .finish()?;
    if frame.height() != rows {
        let what = format!("the table {}", path.display());
        return Err(Error::value(what, format!("{rows} rows"), frame.height()));
    }
    let column = |name: &&str| -> Result<Vec<String>> {
        let values = frame.column(name)?.str()?;
        Ok(values.iter().map(|v| v.unwrap_or_default().trim().to_string()).collect())
    };
    wanted.iter().map(column).collect()
}

/// At most 80 characters of a row, for a message.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

fn wrong_count(record: &Record, expected: usize, dialect: Dialect) -> Bad {
    let separator = char::from(dialect.separator);
    let hint = if dialect.quotes { " (a value with a comma stands in quotes)" } else { "" };
    Bad {
        line: record.line,
        expected: format!("{expected} fields between `{separator}`{hint}"),
        got: format!("{}: {}", record.fields, excerpt(record.text)),
    }
}

/// One record: its first line, its bytes without the line's end, how many fields it has.
struct Record<'a> {
    line: usize,
    text: &'a str,
    fields: usize,
}

/// The records of a table, in order. After a bad one it goes on at the next line.
struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
    dialect: Dialect,
}

impl<'a> Records<'a> {
    /// Where the line that holds `from` ends, without its `\n`.
    fn line_end(&self, from: usize) -> usize {
        let rest = &self.bytes[from..];
        from + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len())
    }

    /// The end of the record that starts at `at` and its number of fields; or which rule of quoting it breaks.
    fn span(&self) -> Result<(usize, usize), &'static str> {
        let (bytes, separator) = (self.bytes, self.dialect.separator);
        if !self.dialect.quotes {
            let end = self.line_end(self.at);
            let fields = bytes[self.at..end].iter().filter(|&&b| b == separator).count() + 1;
            return Ok((end, fields));
        }
        let (mut at, mut fields) = (self.at, 1);
        loop {
            if bytes.get(at) == Some(&b'"') {
                at = closing_quote(bytes, at).ok_or("a closing quote")? + 1;
                if !matches!(bytes.get(at), None | Some(b'\n' | b'\r')) && bytes[at] != separator {
                    return Err("a quoted value that ends at its quote");
                }
            }
            while at < bytes.len() && bytes[at] != separator && bytes[at] != b'\n' {
                if bytes[at] == b'"' {
                    return Err("a value with a quote in it to stand in quotes, the quote doubled");
                }
                at += 1;
            }
            if bytes.get(at) != Some(&separator) {
                return Ok((at, fields));
            }
            at += 1;
            fields += 1;
        }
    }
}

/// Where the quote that opens at `open` closes; a doubled quote is a quote.
fn closing_quote(bytes: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        at += bytes.get(at..)?.iter().position(|&b| b == b'"')?;
        if bytes.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Bad>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.bytes.len() {
            let (start, line, first_end) = (self.at, self.line, self.line_end(self.at));
            if self.bytes[start..first_end].trim_ascii().is_empty() {
                (self.at, self.line) = (first_end + 1, line + 1);
                continue;
            }
            let (end, fields) = match self.span() {
                Ok(span) => span,
                Err(expected) => {
                    (self.at, self.line) = (first_end + 1, line + 1);
                    let got = excerpt(&String::from_utf8_lossy(&self.bytes[start..first_end]));
                    return Some(Err(Bad { line, expected: expected.into(), got }));
                }
            };
            let record = &self.bytes[start..end];
            self.at = end + 1;
            self.line += 1 + record.iter().filter(|&&b| b == b'\n').count();
            let record = record.strip_suffix(b"\r").unwrap_or(record);
            return Some(match std::str::from_utf8(record) {
                Ok(text) => Ok(Record { line, text, fields }),
                Err(e) => {
                    let before = &record[..e.valid_up_to()];
                    let line = line + before.iter().filter(|&&b| b == b'\n').count();
                    let byte = record[e.valid_up_to()];
                    let got = format!(
                        "byte 0x{byte:02x} after {}",
                        excerpt(&String::from_utf8_lossy(before))
                    );
                    Err(Bad { line, expected: "UTF-8".into(), got })
                }
            });
        }
        None
    }
}
