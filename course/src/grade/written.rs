//! Written answers: collected into `written.csv`, scored there by hand, and read back.
//!
//! A program can tell that a question was answered; whether the answer is good somebody must read. The table has a row an
//! answer; who grades fills in `score` (and `comment`, which the student sees), in a spreadsheet or an editor, and grades
//! once more: what has not changed is not graded again, and the scores are in `grades.csv`, `results.json` and on the pages.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::one::Grade;
use crate::sync::write;
use crate::{Error, Result};

/// The table's name.
pub const TABLE: &str = "written.csv";

/// A written question: its exercise, what its answer is called, the question, its points.
const QUESTIONS: [(&str, &str, &str, u32); 1] = [(
    "perplexity",
    "early_stopping",
    "Is early stopping with the perplexity value a good way to judge the overfitting in Frozen?",
    5,
)];

/// What is kept of an answer.
const LONGEST: usize = 20_000;

/// An answer and its score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The exercise.
    pub exercise: String,
    /// What the answer is called: `early_stopping`.
    pub question: String,
    /// The student's words; empty where there are none.
    pub answer: String,
    /// What it is worth at most.
    pub of: u32,
    /// What somebody has given for it.
    pub score: Option<u32>,
    /// What somebody has said about it.
    pub comment: String,
}

/// The written questions of an exercise, with what has been answered.
pub(super) fn answered(
    id: &str,
    answers: &std::collections::BTreeMap<String, String>,
) -> Vec<Written> {
    let of = QUESTIONS.iter().filter(|(exercise, ..)| *exercise == id);
    of.map(|(exercise, question, _, of)| Written {
        exercise: (*exercise).into(),
        question: (*question).into(),
        answer: answers
            .get(*question)
            .map(|a| a.chars().take(LONGEST).collect())
            .unwrap_or_default(),
        of: *of,
        score: None,
        comment: String::new(),
    })
    .collect()
}

/// Puts the scores of `out`'s table to the grades; which grades have changed by it.
///
/// # Errors
/// A row that cannot be read, by its line.
pub(super) fn read_back(out: &Path, grades: &mut [Grade]) -> Result<Vec<usize>> {
    let table = out.join(TABLE);
    let Ok(text) = fs::read_to_string(&table) else { return Ok(Vec::new()) };
    let wrong =
        |line: usize, why: String| Error::Usage(format!("{}:{line}: {why}", table.display()));
    let mut rows = rows(&text).into_iter();
    let head = rows.next().map(|(_, row)| row).unwrap_or_default();
    let column = |name: &str| {
        let found = head.iter().position(|cell| cell.trim() == name);
        found
            .ok_or_else(|| wrong(1, format!("expected a column `{name}`, got {}", head.join(", "))))
    };
    let [name, exercise, question, answer, score, comment] =
        ["submission", "exercise", "question", "answer", "score", "comment"].map(column);
    let places = [name?, exercise?, question?, answer?, score?, comment?];
    let mut changed = Vec::new();
    for (line, row) in rows {
        let [name, exercise, question, answer, score, comment] =
            places.map(|place| row.get(place).map(String::as_str).unwrap_or_default());
        let name = name.strip_prefix('\'').unwrap_or(name);
        let Some(at) = grades.iter().position(|grade| grade.name == name) else { continue };
        let mut written = grades[at].written.iter_mut();
        let Some(written) = written.find(|w| w.exercise == exercise && w.question == question)
        else {
            continue;
        };
        let score = match score.trim() {
            "" => None,
            text => Some(text.parse().ok().filter(|n| *n <= written.of).ok_or_else(|| {
                wrong(line, format!("expected a score of 0 to {}, got {text:?}", written.of))
            })?),
        };
        let comment = comment.trim().to_string();
        // Somebody has read another answer.
        let (score, comment) = match same(answer, &written.answer) {
            true => (score, comment),
            false if score.is_none() && comment.is_empty() => (None, comment),
            false if comment.starts_with(CHANGED) => (None, comment),
            false => (
                None,
                format!("{CHANGED}{}", score.map(|n| format!(" (it had {n})")).unwrap_or_default()),
            ),
        };
        if (score, &comment) != (written.score, &written.comment) {
            (written.score, written.comment) = (score, comment);
            changed.push(at);
        }
    }
    Ok(changed)
}

/// The comment on an answer that is another one since it was scored.
const CHANGED: &str = "the answer has changed since it was scored";

/// Whether two answers are the same but for what a spreadsheet does to spaces.
fn same(a: &str, b: &str) -> bool {
    let a = a.strip_prefix('\'').unwrap_or(a);
    a.split_whitespace().eq(b.split_whitespace())
}

/// Writes the table of all written answers, if there are any questions of that kind.
///
/// # Errors
/// When it cannot be written.
pub(super) fn table(out: &Path, grades: &[Grade]) -> Result<()> {
    if grades.iter().all(|grade| grade.written.is_empty()) {
        return Ok(());
    }
    let mut text = String::from("submission,exercise,question,answer,of,score,comment\n");
    for grade in grades {
        for written in &grade.written {
            let score = written.score.map(|n| n.to_string()).unwrap_or_default();
            let _ = writeln!(
                text,
                "{},{},{},{},{},{score},{}",
                field(&grade.name),
                written.exercise,
                written.question,
                field(&written.answer),
                written.of,
                field(&written.comment)
            );
        }
    }
    // Somebody's scores of others are kept: they were not graded this time.
    let before = fs::read_to_string(out.join(TABLE)).unwrap_or_default();
    for (_, row) in rows(&before).into_iter().skip(1) {
        let name = row.first().map(String::as_str).unwrap_or_default();
        if row.len() == 7 && !grades.iter().any(|grade| grade.name == name) {
            let row: Vec<String> = row.iter().map(|cell| field(cell)).collect();
            let _ = writeln!(text, "{}", row.join(","));
        }
    }
    write(&out.join(TABLE), &text)
}

/// A text as a field of a table.
pub(super) fn field(text: &str) -> String {
    // A spreadsheet takes what begins like this for a formula.
    let formula = text.starts_with(['=', '+', '-', '@', '\t']);
    let mark = if formula { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\"").replace('\r', ""))
}

/// The question's words, for a page.
pub(super) fn words(question: &str) -> &'static str {
    QUESTIONS.iter().find(|(_, name, ..)| *name == question).map_or("", |(_, _, words, _)| words)
}

/// The rows of a table with the lines on which they begin: RFC 4180, with the separator that its first line has.
fn rows(text: &str) -> Vec<(usize, Vec<String>)> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let count = |c: char| first.matches(c).count();
    let separator =
        [',', ';', '\t'].into_iter().max_by_key(|c| (count(*c), *c == ',')).unwrap_or(',');
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut line, mut begun) = (false, 1, 1);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted || cell.is_empty() => quoted = !quoted,
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push((begun, std::mem::take(&mut row)));
                begun = line + 1;
            }
            '\r' if !quoted => {}
            c if c == separator && !quoted => row.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
        line += usize::from(c == '\n');
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push((begun, row));
    }
    rows.retain(|(_, row)| row.iter().any(|cell| !cell.trim().is_empty()));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cage::Usage;

    fn grade(name: &str, answer: &str) -> Grade {
        let answers = [("early_stopping".to_string(), answer.to_string())].into();
        Grade {
            name: name.into(),
            key: "k".into(),
            seed: 0,
            exercises: vec![],
            written: answered("perplexity", &answers),
            notes: vec![],
            seconds: 0.,
            used: Usage::default(),
            compiling: Usage::default(),
        }
    }

    #[test]
    fn scores_go_into_the_table_and_come_back() {
        let out = tempfile::tempdir().unwrap();
        let answer = "=No, \"since\" it\nonly falls, as words do";
        let mut grades = vec![grade("ada", answer), grade("bob", "Yes")];
        assert!(read_back(out.path(), &mut grades).unwrap().is_empty(), "no table yet");
        table(out.path(), &grades).unwrap();
        let path = out.path().join(TABLE);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(rows(&text).len(), 3, "{text}");
        // As a spreadsheet writes it: semicolons, other line ends, quotes where they are needed.
        let scored = "\u{feff}submission;exercise;question;answer;of;score;comment\r\n\
            ada;perplexity;early_stopping;\"'=No, \"\"since\"\" it\nonly falls, as words do\";5;4;\"good; short\"\r\n\
            bob;perplexity;early_stopping;Yes, and more;5;5;\r\n";
        fs::write(&path, scored).unwrap();
        assert_eq!(read_back(out.path(), &mut grades).unwrap(), [0, 1]);
        assert_eq!((grades[0].written[0].score, grades[0].points()), (Some(4), 4));
        assert_eq!(grades[0].written[0].comment, "good; short");
        assert_eq!(grades[1].written[0].score, None, "another answer was read");
        assert!(grades[1].written[0].comment.starts_with(CHANGED));
        table(out.path(), &grades).unwrap();
        assert!(read_back(out.path(), &mut grades).unwrap().is_empty(), "nothing new");
    }

    #[test]
    fn a_score_that_is_none_is_said_with_its_line() {
        let out = tempfile::tempdir().unwrap();
        let head = "submission,exercise,question,answer,of,score,comment\n";
        let row = "ada,perplexity,early_stopping,\"a\nb\",5,";
        fs::write(out.path().join(TABLE), format!("{head}{row},\n{row}6,\n")).unwrap();
        let error = read_back(out.path(), &mut [grade("ada", "a b")]).unwrap_err();
        assert!(error.to_string().contains("written.csv:4: expected a score of 0 to 5"), "{error}");
        fs::write(out.path().join(TABLE), "name,score\nada,5\n").unwrap();
        let error = read_back(out.path(), &mut [grade("ada", "a b")]).unwrap_err();
        assert!(error.to_string().contains("column `submission`"), "{error}");
    }
}
