//! The lecture's table, as data.

use crate::display::Table;

/// Zero-shot accuracy in per cent on aYahoo, ImageNet and SUN: Visual N-Grams (A. Li and others, arXiv:1612.09161) and
/// CLIP (arXiv:2103.00020, table 1).
pub const VISUAL_N_GRAMS: [(&str, [f64; 3]); 2] =
    [("Visual N-Grams", [72.4, 11.5, 23.0]), ("CLIP", [98.4, 76.2, 58.5])];

/// The slide's table.
pub fn slides_table() -> Table {
    let table = Table::new(["", "aYahoo", "ImageNet", "SUN"]);
    let row = |table: Table, (name, values): (&str, [f64; 3])| {
        table.row([name.to_string()].into_iter().chain(values.map(|v| format!("{v:.1}"))))
    };
    let note = "zero-shot accuracy, per cent (arXiv:2103.00020, table 1)";
    VISUAL_N_GRAMS.into_iter().fold(table, row).note(note)
}
