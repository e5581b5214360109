//! `:help`: what can be said to the kernel, and where the course's own commands are.

use std::fmt::Write;

use serde_json::{Map, Value, json};

/// evcxr's commands that serve in this course.
const HERE: &[(&str, &str)] = &[
    (":help", "this list"),
    (":vars", "the variables and their types"),
    (":type", "`:type x`: the type of a variable"),
    (":doc", "`:doc Tensor`: the documentation of a name (also Shift-Tab on it)"),
    (":explain", "more about the last error"),
    (":opt", "`:opt 2`: cells that compute much by themselves run faster, and compile slower"),
    (":timing", "show how long each cell takes"),
    (":restart", "a fresh process: variables go, functions and types stay"),
    (":clear", "forget everything"),
];

/// The commands of the terminal.
const TERMINAL: &[(&str, &str)] = &[
    ("cargo vl lab", "build what is needed and open the notebooks"),
    ("cargo vl check", "check your exercises; `cargo vl check clip_loss` one of them"),
    ("cargo vl watch", "check one again at each save"),
    ("cargo vl hint", "`cargo vl hint clip_loss`: a hint, then the next one"),
    ("cargo vl progress", "what is done; `cargo vl reset clip_loss` begins one anew"),
    ("cargo vl run", "run notebooks without a browser"),
    ("cargo vl train", "train a model in the terminal"),
    ("cargo vl eval", "how well it finds: recall and median rank"),
    ("cargo vl match", "search pictures by a sentence"),
    ("cargo vl frozen", "train Frozen; `cargo vl caption` and `cargo vl ask` use it"),
    ("cargo vl data", "make or fetch pictures with captions"),
    ("cargo vl fetch", "the files of the lecture's own models"),
    ("cargo vl doctor", "look for what is wrong with the installation"),
    ("cargo vl kernel", "install or remove this kernel"),
];

/// Where more is written.
const DOCS: &[(&str, &str)] = &[
    ("candle_core::Tensor", "https://docs.rs/candle-core/latest/candle_core/struct.Tensor.html"),
    ("candle_nn", "https://docs.rs/candle-nn/latest/candle_nn/"),
    ("std", "https://doc.rust-lang.org/std/"),
    ("The Rust book", "https://doc.rust-lang.org/book/"),
];

/// Names for completion.
pub fn commands() -> impl Iterator<Item = &'static str> {
    HERE.iter().map(|(name, _)| *name)
}

/// The answer to a command that is the kernel's own.
pub fn own_command(code: &str) -> Option<Map<String, Value>> {
    let text = match code.trim() {
        ":help" | "?" => return Some(help()),
        ":quit" | ":q" | ":exit" => {
            "The kernel is ended by Jupyter: Kernel ▸ Shut Down Kernel.".to_owned()
        }
        _ => return None,
    };
    Some(Map::from_iter([("text/plain".to_owned(), json!(text))]))
}

fn help() -> Map<String, Value> {
    let (mut text, mut html) = (String::new(), String::new());
    for (title, list) in [("In a cell", HERE), ("In a terminal, in the course's folder", TERMINAL)]
    {
        let _ = writeln!(text, "{title}");
        let _ = write!(html, "<p><b>{title}</b></p><table>");
        for (name, what) in list {
            let _ = writeln!(text, "  {name:<19} {what}");
            let mut what = what.split('`').enumerate().map(|(i, part)| match i % 2 {
                1 => format!("<code>{part}</code>"),
                _ => part.to_owned(),
            });
            let what: String = what.by_ref().collect();
            let _ = write!(
                html,
                "<tr><td style=\"text-align:left\"><code>{name}</code></td><td style=\"text-align:left\">{what}</td></tr>"
            );
        }
        html.push_str("</table>");
    }
    let words = "Shift-Tab on a name shows its documentation, Tab completes it. The documentation of the library as pages: \
                 cargo doc --open --package vision-language. The stop button (■) ends a training at its next step; model and \
                 variables stay.";
    let _ = write!(html, "<p>{words}</p><p>");
    let _ = writeln!(text, "{words}");
    for (name, address) in DOCS {
        let _ = writeln!(text, "  {name:<19} {address}");
        let _ = write!(html, "<a href=\"{address}\">{name}</a> &nbsp; ");
    }
    html.push_str("</p>");
    Map::from_iter([("text/plain".to_owned(), json!(text)), ("text/html".to_owned(), json!(html))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_cells_and_terminal() {
        let help = own_command(" :help\n").unwrap();
        let text = help["text/plain"].as_str().unwrap();
        assert!(text.contains(":vars") && text.contains("cargo vl check"));
        assert!(help["text/html"].as_str().unwrap().contains("<code>cargo vl lab</code>"));
        assert!(own_command("let x = 1;").is_none());
    }
}
