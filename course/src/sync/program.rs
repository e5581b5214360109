//! All cells of all notebooks as one program: it proves that they compile, and runs them without Jupyter.

use super::{Master, Notebook, Version};
use crate::Result;

/// The program: `cargo run -p solutions --example solved_notebooks -- 02_clip`.
pub(super) fn program(
    notebooks: &[Notebook],
    masters: &[Master],
    version: Version,
) -> Result<String> {
    let mut text = String::from(
        "//! The notebooks' cells in order, a function a notebook; the names of those to run are the arguments (none: all).\n\
         //! Made by `cargo vl sync`: change the notebooks' masters instead.\n\
         #![allow(warnings, clippy::all)]\n\
         #![cfg_attr(rustfmt, rustfmt_skip)]\n\n",
    );
    for notebook in notebooks {
        text += &format!("fn n{}() -> vision_language::Result<()> {{\n", notebook.name);
        for cell in &notebook.cells {
            if let Some(code) = notebook.code(cell, masters, version)? {
                text += &code;
                // A cell's last expression is its value.
                text += "\n;\n\n";
            }
        }
        text += "Ok(())\n}\n\n";
    }
    text += "fn main() -> std::process::ExitCode {\n    let wanted: Vec<String> = std::env::args().skip(1).collect();\n";
    text += "    let all: &[(&str, fn() -> vision_language::Result<()>)] = &[\n";
    for notebook in notebooks {
        text += &format!("        (\"{0}\", n{0}),\n", notebook.name);
    }
    text += "    ];\n    for (name, run) in all {\n        if !wanted.is_empty() && !wanted.iter().any(|w| w == name) {\n            continue;\n        }\n\
             \x20       println!(\"# {name}\");\n        if let Err(error) = run() {\n            eprintln!(\"{name}: {error}\");\n\
             \x20           return std::process::ExitCode::FAILURE;\n        }\n    }\n    std::process::ExitCode::SUCCESS\n}\n";
    Ok(text)
}
