//! Failures, as a teacher would say them.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::past::{Past, Place};
use crate::talk::cell::{Cell, Panic};

pub const RED: &str = "\x1b[1;31m";
pub const YELLOW: &str = "\x1b[1;33m";
pub const BLUE: &str = "\x1b[1;34m";
pub const BOLD: &str = "\x1b[1m";
pub const DIM: &str = "\x1b[2m";
pub const PLAIN: &str = "\x1b[0m";

/// Why a cell did not do what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What kind it is, for programs: `panic`, `error`, `interrupted`, `process ended`, `error[E0308]`.
    pub name: String,
    /// The short of it.
    pub value: String,
    /// What a person reads, in colour.
    pub text: String,
}

impl Failure {
    /// The content of Jupyter's message.
    pub fn content(&self) -> Value {
        let lines: Vec<&str> = self.text.trim_end().lines().collect();
        json!({"ename": self.name, "evalue": self.value, "traceback": lines})
    }
}

fn failure(name: &str, value: &str, text: String) -> Failure {
    Failure { name: name.to_owned(), value: value.to_owned(), text }
}

const KEPT: &str =
    "The variables of earlier cells are kept; what this cell would have defined is not there.";

/// evcxr could not be made ready.
pub fn not_started(why: &str) -> Failure {
    let text = format!(
        "{RED}the kernel cannot run cells{PLAIN}: {why}\n{DIM}`cargo vl doctor` looks for the reason.{PLAIN}"
    );
    failure("kernel", why, text)
}

/// The stop button, before the cell's code began to run.
pub fn did_not_run() -> Failure {
    let text = format!(
        "{YELLOW}interrupted{PLAIN}: the cell was stopped before its code ran. Nothing is lost."
    );
    failure("interrupted", "stopped before it ran", text)
}

/// evcxr did not take the cell.
pub fn refused(why: &str) -> Failure {
    failure("error", why.lines().next().unwrap_or_default(), format!("{RED}error{PLAIN}: {why}"))
}

/// What a panic's message shows of the line that it stands in.
fn sign(message: &str) -> &'static str {
    let signs = [
        ("not yet implemented", "todo!"),
        ("not implemented", "unimplemented!"),
        ("called `Option::unwrap()`", "unwrap"),
        ("called `Result::unwrap()`", "unwrap"),
        ("assertion", "assert"),
        ("index out of bounds", "["),
        ("internal error: entered unreachable code", "unreachable!"),
    ];
    signs.iter().find(|(begin, _)| message.starts_with(begin)).map_or("", |(_, sign)| sign)
}

/// A panic in the cell.
pub fn panicked(panic: Option<&Panic>, past: &Past) -> Failure {
    let Some(panic) = panic else {
        return failure(
            "panic",
            "the cell panicked",
            format!("{RED}panic{PLAIN}\n{DIM}{KEPT}{PLAIN}"),
        );
    };
    let in_cell = panic.file.ends_with("src/lib.rs") && !panic.file.starts_with('/');
    let place = if in_cell { past.place(panic.line, sign(&panic.message)) } else { None };
    if let Some(what) = panic.message.strip_prefix("not yet implemented") {
        return hole(what.trim_start_matches([':', ' ']), place.as_ref());
    }
    let mut text = format!("{RED}panic{PLAIN}{BOLD}: {}{PLAIN}\n", panic.message);
    match &place {
        Some(place) => snippet(&mut text, place),
        None if !in_cell => {
            let file = panic.file.rsplit("/src/").next().unwrap_or(&panic.file);
            let _ =
                writeln!(text, "{BLUE} -->{PLAIN} inside the library: {file}, line {}", panic.line);
        }
        None => {}
    }
    let _ = write!(text, "{DIM}{KEPT}{PLAIN}");
    failure("panic", &panic.message, text)
}

/// A `todo!()` that was reached.
fn hole(what: &str, place: Option<&Place>) -> Failure {
    let function = place.and_then(|place| place.function.as_deref());
    let name = function.map_or(String::new(), |name| format!(" in `{name}`"));
    let what = if what.is_empty() { String::new() } else { format!(": {what}") };
    let value = format!("the hole{name} is not filled yet{what}");
    let mut text = format!("{YELLOW}not yet{PLAIN}{BOLD}: {value}{PLAIN}\n");
    if let Some(place) = place {
        snippet(&mut text, place);
    }
    let _ = write!(
        text,
        "{DIM}Put your code in the place of `todo!`, run that cell, then this one again. {KEPT}{PLAIN}"
    );
    failure("panic", &value, text)
}

fn snippet(text: &mut String, place: &Place) {
    let number = place.line.to_string();
    let gap = " ".repeat(number.len());
    let _ = writeln!(text, "{BLUE}{gap}-->{PLAIN} cell [{}], line {number}", place.cell);
    let _ = writeln!(text, "{BLUE}{gap} |{PLAIN}");
    let _ = writeln!(text, "{BLUE}{number} |{PLAIN} {}", place.text);
    let _ = writeln!(text, "{BLUE}{gap} |{PLAIN}");
}

/// A `?` that met an error, and where it stands.
pub fn failed(error: &str, place: Option<&Place>) -> Failure {
    let error = error.trim();
    let first = error.lines().next().unwrap_or("an error");
    if let Some(what) = error.strip_prefix("stopped: ") {
        let text = format!(
            "{YELLOW}interrupted{PLAIN}{BOLD}: {what}{PLAIN}\n{DIM}Everything is as the last step left it. {KEPT}{PLAIN}"
        );
        return failure("interrupted", what, text);
    }
    let mut text = format!("{RED}error{PLAIN}{BOLD}: {error}{PLAIN}\n");
    if let Some(shapes) = shapes(error) {
        let _ = writeln!(text, "{shapes}");
    }
    if let Some(place) = place {
        snippet(&mut text, place);
    }
    let _ = write!(text, "{DIM}The `?` of this line has stopped the cell there. {KEPT}{PLAIN}");
    failure("error", first, text)
}

/// candle's `shape mismatch in matmul, lhs: [2, 3], rhs: [2, 3]`, said at length.
fn shapes(error: &str) -> Option<String> {
    let (_, rest) = error.split_once("shape mismatch in ")?;
    let (operation, rest) = rest.split_once(", lhs: ")?;
    let (left, rest) = rest.split_once(", rhs: ")?;
    let right = rest.lines().next()?;
    let dims = |text: &str| -> Option<Vec<usize>> {
        let inner = text.trim().strip_prefix('[')?.split(']').next()?;
        inner.split(',').map(str::trim).filter(|d| !d.is_empty()).map(|d| d.parse().ok()).collect()
    };
    let (l, r) = (dims(left)?, dims(right)?);
    let shown = |dims: &[usize]| {
        let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
        format!("({})", dims.join(", "))
    };
    let (left, right) = (shown(&l), shown(&r));
    Some(match (operation, l.as_slice(), r.as_slice()) {
        ("matmul", [.., n, k], [.., k2, m]) if k != k2 => format!(
            "A product of {left} and {right}: of (n, k) = ({n}, {k}) and (k, m) = ({k2}, {m}) the two k must be equal, {k} ≠ {k2}."
        ),
        ("matmul", ..) => format!(
            "A product of {left} and {right}: the dimensions in front of the last two must be equal."
        ),
        (operation, ..) if operation.starts_with("broadcast") => format!(
            "{operation} of {left} and {right}: read from the right, two dimensions must be equal, or one of them 1."
        ),
        (operation, ..) => format!(
            "{operation} of {left} and {right}: both must have the same shape; `broadcast_{operation}` stretches dimensions of 1."
        ),
    })
}

/// A type was defined anew, and took variables with it.
pub fn redefined(lost: &[String], types: &BTreeMap<String, String>) -> String {
    let one = |name: &String| match types.get(name) {
        Some(kind) => format!("`{name}` ({kind})"),
        None => format!("`{name}`"),
    };
    let names: Vec<String> = lost.iter().map(one).collect();
    let (is, it) = if lost.len() == 1 { ("is", "it") } else { ("are", "them") };
    format!(
        "{} {is} gone: this cell defines anew a type that {it} was made of. Run the cell that makes {it} again.\n",
        names.join(", ")
    )
}

/// The process that runs the cells has ended.
pub fn ended(how: &str, cell: &Cell, had_variables: bool, memory: &Option<f64>) -> Failure {
    let last: &str = how.lines().last().unwrap_or_default();
    let why = if cell.killed {
        "the cell did not listen to the stop button for five seconds, so the process that runs the cells was ended".to_owned()
    } else if last.contains("signal: 9") {
        let memory = memory.map_or(String::new(), |gb| format!(" (there are {gb:.0} GB)"));
        format!(
            "the system has killed the process that runs the cells: most likely the memory ran out{memory}; a smaller batch needs less"
        )
    } else if cell.fault || last.contains("signal: 11") || last.contains("signal: 7") {
        "the process that runs the cells made an access to memory that is not its own (a segmentation fault); an endless recursion does that too".to_owned()
    } else if last.contains("signal: 6") {
        "the process that runs the cells gave up (`abort`); its last words are above".to_owned()
    } else if last.contains("exit status: 99") {
        "the compiled cell could not be loaded: the library has changed below it. Restart the kernel".to_owned()
    } else if let Some((_, code)) = last.split_once("exit status: ") {
        format!("the cell ended its own process (exit code {})", code.trim())
    } else {
        format!("the process that runs the cells ended ({last})")
    };
    let name = if cell.killed { "interrupted" } else { "process ended" };
    let gone = if had_variables {
        "All variables are gone; functions, types and `use` lines are still known. Run the cells that make the variables again (Run ▸ Run All Above Selected Cell)."
    } else {
        "The next cell starts a new one."
    };
    let text = format!("{RED}{name}{PLAIN}{BOLD}: {why}.{PLAIN}\n{gone}\n{DIM}{last}{PLAIN}");
    failure(name, &format!("{why} ({last})"), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_that_does_not_fit_names_its_dimensions() {
        let place = Place { cell: 4, line: 2, text: "a.matmul(&b)?".into(), function: None };
        let said = failed("shape mismatch in matmul, lhs: [2, 3], rhs: [2, 3]", Some(&place)).text;
        assert!(said.contains("cell [4], line 2"), "{said}");
        assert!(
            said.contains("(n, k) = (2, 3) and (k, m) = (2, 3)") && said.contains("3 ≠ 2"),
            "{said}"
        );
        let said = failed("shape mismatch in add, lhs: [2, 3], rhs: [3]", None).text;
        assert!(said.contains("`broadcast_add`"), "{said}");
    }

    #[test]
    fn the_stop_button_is_no_error_of_the_student() {
        let said = failed("stopped: the training (epoch 1: 3 of 9 steps are done)\n", None);
        assert_eq!(said.name, "interrupted");
        assert!(said.text.contains("3 of 9"), "{}", said.text);
    }

    #[test]
    fn a_hole_is_named() {
        let place =
            Place { cell: 3, line: 7, text: "todo!()".into(), function: Some("clip_loss".into()) };
        let said = hole("write your code", Some(&place));
        assert_eq!(said.value, "the hole in `clip_loss` is not filled yet: write your code");
        assert!(said.text.contains("cell [3], line 7"), "{}", said.text);
    }

    #[test]
    fn a_process_that_ended_says_what_is_gone() {
        let cell = Cell::default();
        let said = ended(
            "Subprocess terminated with status: signal: 9 (SIGKILL)",
            &cell,
            true,
            &Some(24.),
        );
        assert!(
            said.text.contains("memory ran out (there are 24 GB)")
                && said.text.contains("All variables")
        );
        let said = ended("Subprocess terminated with status: exit status: 3", &cell, false, &None);
        assert!(said.text.contains("exit code 3"), "{}", said.text);
    }
}
