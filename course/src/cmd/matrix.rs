//! `vl matrix`: what the checks say of every known wrong solution and of different right ones.

use clap::Args;
use serde_json::json;
use vision_language::exercise::exercises;

use super::check::known;
use crate::bank::{Margin, Row, Verdict, margins, rows};
use crate::house::House;
use crate::worker::Library;
use crate::{Error, Result};

/// The kill matrix of the misconceptions (for who writes the course)
#[derive(Args, Clone, Debug)]
pub struct MatrixArgs {
    /// Only this exercise
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Prints the matrix.
///
/// # Errors
/// When a stub has points, a right solution fails, or a wrong one is not killed by the check that names it.
pub fn matrix(args: &MatrixArgs) -> Result<()> {
    let house = House::find()?;
    if !house.root.join("solutions/misconceptions").is_dir() {
        let why = "there is no bank of misconceptions here: this copy of the course is a student's";
        return Err(Error::Usage(why.into()));
    }
    let chosen: Vec<&str> = match &args.id {
        Some(id) => vec![known(id)?.id],
        None => exercises().iter().map(|e| e.id).collect(),
    };
    let library = Library::ready(&house)?;
    let mut all = Vec::new();
    for id in chosen {
        let rows = rows(&library, &house.root, id)?;
        if !args.json {
            print!("{}", table(id, &rows));
        }
        all.extend(rows);
    }
    let margins = margins(&all);
    if args.json {
        println!("{}", json!({"rows": all, "margins": margins}));
    } else {
        print!("{}", margin_table(&margins));
    }
    let wrong: Vec<String> = all
        .iter()
        .filter_map(|row| {
            row.wrong.as_ref().map(|why| format!("  {} {}: {why}", row.exercise, row.name))
        })
        .collect();
    let kills = all.iter().filter(|row| matches!(row.verdict, Verdict::KilledBy { .. })).count();
    let right = all.iter().filter(|row| row.verdict == Verdict::Right).count();
    if wrong.is_empty() {
        eprintln!(
            "{kills} wrong solutions are killed by the check that names them, {right} right ones have full marks."
        );
        return Ok(());
    }
    Err(Error::Failed(format!(
        "{} entries are not what they must be:\n{}",
        wrong.len(),
        wrong.join("\n")
    )))
}

/// A line an entry, a column a check.
pub fn table(id: &str, rows: &[Row]) -> String {
    let wide = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    let checks: Vec<&str> = rows.first().map_or(Vec::new(), |row| {
        row.report.checks.iter().map(|check| check.id.as_str()).collect()
    });
    let mut text = format!("\n{id}: {}\n", checks.join(" · "));
    for row in rows {
        let marks: String =
            row.report.checks.iter().map(|c| format!(" {}", c.status.mark())).collect();
        let says = match (&row.verdict, &row.wrong) {
            (_, Some(why)) => format!("BUG: {why}"),
            (Verdict::Stub, _) => "not yet".into(),
            (Verdict::Right, _) => "right".into(),
            (Verdict::KilledBy { check, misconception }, _) => format!("{check}: {misconception}"),
        };
        text += &format!("  {:wide$} {marks}  {:>2}/10  {says}\n", row.name, row.report.points());
    }
    text
}

fn margin_table(margins: &[Margin]) -> String {
    let mut text =
        "\nMargins: right ones stay below the tolerance, the nearest wrong one is above it.\n"
            .to_string();
    for m in margins {
        let wrong = m.wrong.map_or("–".into(), |wrong| format!("{wrong:.1e}"));
        text += &format!(
            "  {:16} {:12} right ≤ {:.1e}   tolerance {:.1e}   wrong ≥ {wrong}\n",
            m.exercise, m.check, m.right, m.tolerance
        );
    }
    text
}
