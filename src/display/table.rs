//! Tables: HTML in a notebook, aligned text elsewhere.

use std::fmt;

use polars::prelude::{AnyValue, DataFrame};

use super::in_notebook;
use super::kernel::{Way, show};

/// A small table. As the last expression of a notebook cell it is shown below the cell; with `{}` it prints as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, a text a column.
    pub rows: Vec<Vec<String>>,
    /// A line below the table; may be empty.
    pub note: String,
}

impl Table {
    /// A table without rows.
    pub fn new<S: Into<String>>(columns: impl IntoIterator<Item = S>) -> Self {
        Self { columns: columns.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// With one more row. Too few values are filled with empty ones, too many are dropped.
    pub fn row<S: Into<String>>(mut self, values: impl IntoIterator<Item = S>) -> Self {
        let mut row: Vec<String> = values.into_iter().map(Into::into).collect();
        row.resize(self.columns.len(), String::new());
        self.rows.push(row);
        self
    }

    /// With a line below it.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// The first `rows` rows of a polars table.
    pub fn of_frame(frame: &DataFrame, rows: usize) -> Self {
        let columns = frame.columns();
        let mut table = Self::new(columns.iter().map(|c| c.name().to_string()));
        for i in 0..frame.height().min(rows) {
            table = table.row(columns.iter().map(|c| match c.get(i) {
                Ok(AnyValue::String(text)) => text.to_string(),
                Ok(value) => value.to_string(),
                Err(_) => String::new(),
            }));
        }
        if frame.height() > rows {
            table.note = format!("{rows} of {} rows", frame.height());
        }
        table
    }

    /// Shows it below the notebook cell; anywhere else prints it as text.
    pub fn show(&self) {
        if in_notebook() { self.display(Way::Below) } else { print!("{self}") }
    }

    /// What evcxr calls on a cell's last expression: HTML, and text for readers without it.
    pub fn evcxr_display(&self) {
        self.display(Way::Value);
    }

    fn display(&self, way: Way) {
        show(way, &[("text/html", &self.html()), ("text/plain", self.to_string().trim_end())]);
    }

    /// The table as HTML; what stands in the cells is escaped.
    pub fn html(&self) -> String {
        let right: Vec<bool> = (0..self.columns.len()).map(|c| self.is_numeric(c)).collect();
        let cell = |tag: &str, column: usize, text: &str| {
            let side = if right[column] { "right" } else { "left" };
            format!("<{tag} style=\"text-align:{side}\">{}</{tag}>", escape(text))
        };
        let line = |tag: &str, values: &[String]| {
            let cells: String = values.iter().enumerate().map(|(c, v)| cell(tag, c, v)).collect();
            format!("<tr>{cells}</tr>")
        };
        let rows: String = self.rows.iter().map(|r| line("td", r)).collect();
        let note = match self.note.as_str() {
            "" => String::new(),
            note => format!("<p style=\"color:#6e7582\">{}</p>", escape(note)),
        };
        let head = line("th", &self.columns);
        format!("<table><thead>{head}</thead><tbody>{rows}</tbody></table>{note}")
    }

    /// Whether every value of the column is a number (or empty).
    fn is_numeric(&self, column: usize) -> bool {
        let value = |row: &Vec<String>| {
            let text = row[column].trim_end_matches('%').trim();
            text.is_empty() || text.replace([',', '−'], "").parse::<f64>().is_ok()
        };
        !self.rows.is_empty() && self.rows.iter().all(value)
    }
}

/// A text as HTML shows it.
pub(super) fn escape(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', "&quot;").replace('\n', "<br>")
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|r| &r[column]).chain([&self.columns[column]]);
            cells.map(|c| c.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |f: &mut fmt::Formatter<'_>, values: &[String]| {
            let mut text = String::new();
            for (column, value) in values.iter().enumerate() {
                let room = widths[column];
                let right = self.is_numeric(column);
                let padded =
                    if right { format!("{value:>room$}  ") } else { format!("{value:<room$}  ") };
                text += &padded;
            }
            writeln!(f, "{}", text.trim_end())
        };
        line(f, &self.columns)?;
        let total: usize = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        writeln!(f, "{}", "─".repeat(total))?;
        for row in &self.rows {
            line(f, row)?;
        }
        if !self.note.is_empty() {
            writeln!(f, "{}", self.note)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column, DataFrame};

    use super::*;

    #[test]
    fn text_is_aligned() {
        let table = Table::new(["query", "recall@10"]).row(["full", "0.75"]).row(["any", "0.5"]);
        let expected =
            "query  recall@10\n────────────────\nfull        0.75\nany          0.5\n".to_string();
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn html_escapes_what_a_caption_may_hold() {
        let html = Table::new(["caption"]).row(["<b>a & b</b>"]).html();
        assert!(html.contains("&lt;b&gt;a &amp; b&lt;/b&gt;"), "{html}");
    }

    #[test]
    fn a_frame_says_how_much_is_left_out() {
        let column = Column::new("caption".into(), ["a dog", "a cat", "a cow"]);
        let frame = DataFrame::new(3, vec![column]).unwrap();
        let table = Table::of_frame(&frame, 2);
        assert_eq!(table.rows, [["a dog"], ["a cat"]]);
        assert_eq!(table.note, "2 of 3 rows");
    }
}
