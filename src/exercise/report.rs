//! What the checks of an exercise said: a table in a notebook, coloured lines in a terminal, JSON for programs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Passed,
    /// The hole is not filled yet.
    NotYet,
    /// Not asked: an earlier check must pass first.
    Waiting,
    /// Another value than expected.
    Wrong,
    /// Another shape than expected.
    Shape,
    /// NaN, or infinite.
    NotFinite,
    /// The code gave an `Err`.
    Error,
    /// The code panicked.
    Panic,
    /// No end within the time limit.
    TimedOut,
    /// The process of the code ended.
    Died,
}

impl Status {
    /// `✓`, `✗` or `–`.
    pub fn mark(self) -> char {
        match self {
            Status::Passed => '✓',
            Status::NotYet | Status::Waiting => '–',
            _ => '✗',
        }
    }

    /// Whether something is wrong.
    pub fn is_failure(self) -> bool {
        self.mark() == '✗'
    }
}

/// How far a value was from the expected one, and how far it may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// The largest difference.
    pub deviation: f64,
    /// The largest that passes.
    pub tolerance: f64,
}

/// One check's word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's id.
    pub id: String,
    /// What it asks for, in the student's words.
    pub name: String,
    /// What it is worth.
    pub points: u32,
    /// How it ended.
    pub status: Status,
    /// What was expected; empty when it passed.
    pub expected: String,
    /// What came; empty when it passed.
    pub came: String,
    /// The misconception that was recognised.
    pub misconception: Option<String>,
    /// The question that leads on: the first step of the hint.
    pub question: String,
    /// The largest difference to a number, where numbers were compared.
    pub measure: Option<Measure>,
}

/// What all checks of an exercise said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The exercise's id.
    pub id: String,
    /// What the exercise is about.
    pub title: String,
    /// Its checks, in order.
    pub checks: Vec<CheckResult>,
}

impl Report {
    /// The points of the checks that passed.
    pub fn points(&self) -> u32 {
        self.checks.iter().filter(|c| c.status == Status::Passed).map(|c| c.points).sum()
    }

    /// The points that there are.
    pub fn of(&self) -> u32 {
        self.checks.iter().map(|c| c.points).sum()
    }

    /// Whether every check passed.
    pub fn is_complete(&self) -> bool {
        self.checks.iter().all(|c| c.status == Status::Passed)
    }

    /// Whether nothing is wrong and the hole is not filled yet.
    pub fn is_not_yet(&self) -> bool {
        let any = |wanted: fn(Status) -> bool| self.checks.iter().any(|c| wanted(c.status));
        any(|status| status == Status::NotYet) && !any(Status::is_failure)
    }

    /// The first misconception that was recognised.
    pub fn misconception(&self) -> Option<&str> {
        self.checks.iter().find_map(|c| c.misconception.as_deref())
    }

    /// One line: `✓ clip_loss: 10 of 10 points`.
    pub fn summary(&self) -> String {
        let (points, of) = (self.points(), self.of());
        match (self.is_complete(), self.is_not_yet()) {
            (true, _) => format!("✓ {}: {points} of {of} points", self.id),
            (_, true) if points == 0 => format!("– {}: not filled in yet", self.id),
            (_, true) => format!("– {}: {points} of {of} points, more to fill in", self.id),
            _ => format!("✗ {}: {points} of {of} points", self.id),
        }
    }

    /// The report as lines, in colour or without.
    pub fn text(&self, colour: bool) -> String {
        let paint = |code: &str, text: &str| match colour {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_string(),
        };
        let of = |status: Status| match status {
            Status::Passed => "32",
            Status::NotYet | Status::Waiting => "2",
            _ => "31",
        };
        let mut lines = vec![format!("{}  {}", paint("1", &self.id), self.title)];
        for check in &self.checks {
            let points = if check.status == Status::Passed { check.points } else { 0 };
            let mark = paint(of(check.status), &check.status.mark().to_string());
            lines.push(format!(" {mark} {points}/{}  {}", check.points, check.name));
            let says = [("expected", &check.expected), ("came", &check.came)];
            for (word, text) in says.into_iter().filter(|(_, text)| !text.is_empty()) {
                let text = text.replace('\n', "\n                 ");
                lines.push(format!("        {} {text}", paint("2", &format!("{word:<8}"))));
            }
            if !check.question.is_empty() {
                lines.push(format!("        {}", paint("33", &check.question)));
            }
        }
        let code = if self.is_complete() { "32" } else { "1" };
        lines.push(paint(code, &self.summary()));
        lines.join("\n") + "\n"
    }

    /// The report as HTML; what the code said is escaped.
    pub fn html(&self) -> String {
        let mut rows = String::new();
        for check in &self.checks {
            let colour = match check.status {
                Status::Passed => "#0a7d4f",
                Status::NotYet | Status::Waiting => "#6e7582",
                _ => "#b3261e",
            };
            let mut says = escape(&check.name);
            for (word, text) in [("expected", &check.expected), ("came", &check.came)] {
                if !text.is_empty() {
                    let text = escape(text);
                    says += &format!("<br><span style=\"color:#6e7582\">{word}:</span> {text}");
                }
            }
            if !check.question.is_empty() {
                says += &format!("<br><i>{}</i>", escape(&check.question));
            }
            let points = if check.status == Status::Passed { check.points } else { 0 };
            rows += &format!(
                "<tr><td style=\"color:{colour};font-weight:bold\">{}</td>\
                 <td style=\"text-align:left\">{says}</td><td>{points}/{}</td></tr>",
                check.status.mark(),
                check.points
            );
        }
        let summary = escape(&self.summary());
        format!("<table><tbody>{rows}</tbody></table><p><b>{summary}</b></p>")
    }

    /// What evcxr calls on a cell's last expression.
    pub fn evcxr_display(&self) {
        print!(
            "EVCXR_BEGIN_CONTENT text/html\n{}\nEVCXR_END_CONTENT\n\
             EVCXR_BEGIN_CONTENT text/plain\n{self}\nEVCXR_END_CONTENT\n",
            self.html().replace('\n', "<br>")
        );
    }
}

fn escape(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', "&quot;").replace('\n', "<br>")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(statuses: &[Status]) -> Report {
        let checks = statuses.iter().enumerate().map(|(i, status)| CheckResult {
            id: format!("c{i}"),
            name: format!("check {i}"),
            points: 2,
            status: *status,
            expected: String::new(),
            came: if status.is_failure() { "<b>2</b>".into() } else { String::new() },
            misconception: None,
            question: String::new(),
            measure: None,
        });
        Report { id: "clip_loss".into(), title: "t".into(), checks: checks.collect() }
    }

    #[test]
    fn points_are_those_of_what_passed() {
        let half = report(&[Status::Passed, Status::Wrong, Status::Waiting]);
        assert_eq!((half.points(), half.of()), (2, 6));
        assert_eq!(half.summary(), "✗ clip_loss: 2 of 6 points");
        assert_eq!(report(&[Status::Passed]).summary(), "✓ clip_loss: 2 of 2 points");
        let stub = report(&[Status::NotYet, Status::NotYet]);
        assert!(stub.is_not_yet());
        assert_eq!(stub.summary(), "– clip_loss: not filled in yet");
        let begun = report(&[Status::Passed, Status::NotYet]);
        assert_eq!(begun.summary(), "– clip_loss: 2 of 4 points, more to fill in");
    }

    #[test]
    fn what_code_says_is_text_in_a_page() {
        let html = report(&[Status::Panic]).html();
        assert!(html.contains("✗") && html.contains("&lt;b&gt;2&lt;/b&gt;"), "{html}");
        let text = report(&[Status::Passed, Status::Panic]).text(true);
        assert!(text.contains("\x1b[32m✓") && text.contains("\x1b[31m✗"), "{text}");
    }

    #[test]
    fn a_report_survives_json() {
        let report = report(&[Status::TimedOut, Status::NotYet]);
        let json = serde_json::to_string(&report).unwrap();
        assert!(json.contains("\"timed_out\""));
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }
}
