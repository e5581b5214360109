//! What earlier cells were, and what became of their variables: so that a line of generated code can be told as a cell's
//! line, and a missing name with the reason why.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Why a variable is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its type was defined anew.
    Redefined,
    /// A cell gave it away.
    Moved,
    /// The process ended.
    Ended,
    /// The cell that would have made it did not run to its end.
    Unmade,
}

/// A line of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The cell's number.
    pub cell: u32,
    /// The line in it, from 1.
    pub line: usize,
    pub text: String,
    /// The function that it stands in.
    pub function: Option<String>,
}

/// The cells so far.
#[derive(Debug, Default)]
pub struct Past {
    cells: Vec<(u32, String)>,
    generated: Vec<String>,
    gone: HashMap<String, (Why, u32)>,
}

impl Past {
    /// A cell was run; `folder` has what was compiled for it.
    pub fn add(&mut self, count: u32, code: &str, folder: &Path) {
        self.cells.push((count, code.to_owned()));
        self.generated.extend(std::fs::read_to_string(folder.join("src/lib.rs")));
    }

    /// A variable is gone since a cell.
    pub fn lost(&mut self, name: &str, why: Why, cell: u32) {
        self.gone.insert(name.to_owned(), (why, cell));
    }

    /// A variable is there.
    pub fn found(&mut self, name: &str) {
        self.gone.remove(name);
    }

    /// What a cell that failed would have made.
    pub fn unmade(&mut self, cell: u32, code: &str, there: &BTreeMap<String, String>) {
        for name in bound(code).filter(|name| !there.contains_key(*name)) {
            self.gone.entry(name.to_owned()).or_insert((Why::Unmade, cell));
        }
    }

    /// Why there is no such variable.
    pub fn why(&self, name: &str) -> Option<(Why, u32)> {
        self.gone.get(name).copied()
    }

    /// Whether some cell has brought the course's names in.
    pub fn has_prelude(&self) -> bool {
        self.cells.iter().any(|(_, code)| code.contains("vision_language::prelude"))
    }

    /// The cell's line that stands in a line of generated code. `sign` must be in it, where that is known. The function may
    /// have been compiled with an earlier cell than the last.
    pub fn place(&self, line: usize, sign: &str) -> Option<Place> {
        let generated = self.generated.iter().rev();
        let texts = generated.filter_map(|code| code.lines().nth(line.checked_sub(1)?));
        texts.map(str::trim).filter(|text| text.len() > 1 && text.contains(sign)).find_map(|text| {
            let whole = |line: &str| line.trim() == text;
            // evcxr writes each statement on a line of its own, and the last expression inside of a call.
            let part = |line: &str| {
                let mut statements = line.split(';').map(str::trim);
                statements.any(|s| s.len() > 3 && s.contains(sign) && text.contains(s))
            };
            let cells = || self.cells.iter().rev();
            cells()
                .find_map(|(cell, code)| find(*cell, code, &whole))
                .or_else(|| cells().next().and_then(|(cell, code)| find(*cell, code, &part)))
        })
    }
}

fn find(cell: u32, code: &str, wanted: &dyn Fn(&str) -> bool) -> Option<Place> {
    let at = code.lines().position(wanted)?;
    let above: Vec<&str> = code.lines().take(at + 1).collect();
    let function = above.iter().rev().find_map(|line| {
        let rest = line.split("fn ").nth(1).filter(|_| !line.trim_start().starts_with("//"))?;
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        (!name.is_empty()).then_some(name)
    });
    Some(Place { cell, line: at + 1, text: code.lines().nth(at)?.to_owned(), function })
}

/// The names that a cell's lines bind, as far as one can tell at a glance.
fn bound(code: &str) -> impl Iterator<Item = &str> {
    code.lines().filter(|line| line.starts_with("let ")).flat_map(|line| {
        let pattern = line[4..].split(['=', ':', ';']).next().unwrap_or_default();
        pattern
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty() && *word != "mut" && *word != "_")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(cells: &[&str], generated: &str) -> Past {
        Past {
            cells: cells
                .iter()
                .enumerate()
                .map(|(i, code)| (i as u32 + 1, (*code).to_owned()))
                .collect(),
            generated: vec![generated.to_owned()],
            gone: HashMap::new(),
        }
    }

    #[test]
    fn a_generated_line_is_found_in_its_cell() {
        let past = past(
            &["pub fn loss() -> f32 {\n    todo!(\"a hole\")\n}", "loss();"],
            "fn x() {}\n    todo!(\"a hole\")\nloss();\n",
        );
        let place = past.place(2, "todo!").unwrap();
        assert_eq!((place.cell, place.line), (1, 2));
        assert_eq!(place.function.as_deref(), Some("loss"));
        assert_eq!(past.place(2, "unwrap"), None);
        assert_eq!(past.place(3, "").unwrap().cell, 2);
        assert_eq!(past.place(99, ""), None);
    }

    #[test]
    fn a_statement_is_found_in_its_line() {
        let past =
            past(&["let v = vec![1];\nlet i = v.len(); v[i]"], "let i = v.len();\nshow(v[i]);\n");
        assert_eq!(past.place(1, "").unwrap().line, 2);
        assert_eq!(past.place(2, "[").unwrap().line, 2);
        assert_eq!(past.place(2, "unwrap"), None);
    }

    #[test]
    fn what_a_cell_would_have_made_is_known() {
        let names: Vec<&str> =
            bound("let mut a = 1;\nlet (b, c): (i32, i32) = f();\n    let inner = 2;").collect();
        assert_eq!(names, ["a", "b", "c"]);
        let mut past = Past::default();
        past.unmade(4, "let a = 1;\nlet b = 2;", &BTreeMap::from([("b".into(), "i32".into())]));
        assert_eq!(past.why("a"), Some((Why::Unmade, 4)));
        assert_eq!(past.why("b"), None);
        past.found("a");
        assert_eq!(past.why("a"), None);
    }
}
