//! Questions about code that is not run: completion, documentation, whether it is whole.

use evcxr::CommandContext;
use serde_json::{Value, json};

use super::help;
use crate::wire::Message;

/// The answer to `complete_request`. Jupyter counts characters, evcxr bytes.
pub fn complete(context: Option<&mut CommandContext>, request: &Message) -> Value {
    let (code, cursor) = (request.code(), cursor(request));
    let nothing = || {
        let at = request.content["cursor_pos"].clone();
        json!({"status": "ok", "matches": [], "cursor_start": at, "cursor_end": at, "metadata": {}})
    };
    let line = code[..cursor].rfind('\n').map_or(0, |newline| newline + 1);
    let begun = code[line..cursor].trim_start();
    if begun.starts_with(':') {
        let matches: Vec<&str> = help::commands().filter(|name| name.starts_with(begun)).collect();
        let end = characters(&code[..cursor]);
        let start = end - begun.chars().count();
        return json!({"status": "ok", "matches": matches, "cursor_start": start, "cursor_end": end, "metadata": {}});
    }
    let Some(context) = context else { return nothing() };
    let Ok(found) = context.completions(&without_commands(code), cursor) else { return nothing() };
    let offset = |bytes: usize| characters(&code[..floor(code, bytes)]);
    let (start, end) = (offset(found.start_offset), offset(found.end_offset));
    let own = |name: &str| name.starts_with("evcxr_");
    let items: Vec<_> = found.completions.iter().filter(|item| !own(&item.code)).collect();
    let matches: Vec<&str> = items.iter().map(|item| item.code.as_str()).collect();
    let types: Vec<Value> = items
        .iter()
        .map(|item| json!({"text": item.code, "type": item.kind, "signature": item.label, "start": start, "end": end}))
        .collect();
    json!({
        "status": "ok", "matches": matches, "cursor_start": start, "cursor_end": end,
        "metadata": {"_jupyter_types_experimental": types},
    })
}

/// The answer to `inspect_request`: the documentation of the name at the cursor.
pub fn inspect(context: Option<&mut CommandContext>, request: &Message) -> Value {
    let nothing = json!({"status": "ok", "found": false, "data": {}, "metadata": {}});
    let code = without_commands(request.code());
    let Some(context) = context else { return nothing };
    let Some(end) = name_end(&code, cursor(request)) else { return nothing };
    // A method is found by its call's parenthesis.
    let end = if code[end..].starts_with('(') { end + 1 } else { end };
    match context.hover_at(&code, end) {
        Ok((plain, html)) if plain != "No documentation found" => {
            json!({"status": "ok", "found": true, "data": {"text/plain": plain, "text/html": html}, "metadata": {}})
        }
        _ => nothing,
    }
}

/// The answer to `is_complete_request`: a console asks whether a line is to be run or goes on.
pub fn is_complete(code: &str) -> Value {
    match open_brackets(code) {
        0 => json!({"status": "complete"}),
        open if open > 0 => json!({"status": "incomplete", "indent": "    ".repeat(open as usize)}),
        _ => json!({"status": "invalid"}),
    }
}

/// Commands are run when evcxr looks at a cell; a cell that is only looked at must do nothing.
fn without_commands(code: &str) -> String {
    let blank = |line: &str| match line.trim_start().starts_with([':', '!']) {
        true => line.chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect(),
        false => line.to_owned(),
    };
    let blanked: String = code.split_inclusive('\n').map(blank).collect();
    // Only a line of plain letters keeps its length in bytes.
    if blanked.len() == code.len() { blanked } else { code.replace(':', ";") }
}

/// Where the name at the cursor ends: the one it stands in or behind, or in front of an open parenthesis.
fn name_end(code: &str, cursor: usize) -> Option<usize> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '!';
    let after = code[cursor..].find(|c| !is_name(c)).map_or(code.len(), |at| cursor + at);
    let before = code[..after].trim_end_matches(is_name).len();
    if before < after {
        return Some(after);
    }
    let outside = code[..cursor].rfind('(')?;
    (outside > 0 && code[..outside].ends_with(is_name)).then_some(outside)
}

fn cursor(request: &Message) -> usize {
    let at = request.content["cursor_pos"].as_u64().unwrap_or(u64::MAX) as usize;
    request.code().char_indices().nth(at).map_or(request.code().len(), |(byte, _)| byte)
}

fn characters(text: &str) -> usize {
    text.chars().count()
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Brackets that are open at the end of the code; those in strings and comments do not count.
fn open_brackets(code: &str) -> i32 {
    let (mut open, mut rest) = (0, code.chars().peekable());
    while let Some(c) = rest.next() {
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open -= 1,
            '/' if rest.peek() == Some(&'/') => drop(rest.by_ref().find(|c| *c == '\n')),
            '"' => {
                let mut escaped = false;
                let end = rest.by_ref().find(|c| {
                    let is_end = *c == '"' && !escaped;
                    escaped = *c == '\\' && !escaped;
                    is_end
                });
                if end.is_none() {
                    return open.max(0) + 1;
                }
            }
            '\'' => {
                // A character, where it ends after one; else a lifetime.
                let mut ahead = rest.clone();
                let first = ahead.next();
                let is_char = if first == Some('\\') {
                    ahead.any(|c| c == '\'')
                } else {
                    ahead.next() == Some('\'')
                };
                if is_char {
                    rest = ahead;
                }
            }
            _ => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(code: &str, cursor: usize) -> Message {
        Message { content: json!({"code": code, "cursor_pos": cursor}), ..Message::default() }
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        assert_eq!(is_complete("let s = \"{\"; // (")["status"], "complete");
        assert_eq!(is_complete("fn f<'a>(x: &'a str) {")["status"], "incomplete");
        assert_eq!(is_complete("let c = '{'; let d = '\\'';")["status"], "complete");
        assert_eq!(is_complete("let s = \"open")["status"], "incomplete");
        assert_eq!(is_complete("}")["status"], "invalid");
    }

    #[test]
    fn a_cell_that_is_looked_at_runs_no_command() {
        assert_eq!(without_commands(":restart\nlet x = 1;"), "        \nlet x = 1;");
    }

    #[test]
    fn the_name_at_the_cursor_is_found() {
        let code = "let y = x.matmul(&z)?;";
        for cursor in [10, 13, 16] {
            assert_eq!(name_end(code, cursor), Some(16), "{cursor}");
        }
        assert_eq!(name_end("f( )", 3), Some(1));
        assert_eq!(name_end("  ", 1), None);
    }

    #[test]
    fn characters_are_no_bytes() {
        assert_eq!(cursor(&request("é.x", 2)), 3);
        assert_eq!(cursor(&request("é", 9)), 2);
        let answer = complete(None, &request("é;\n:va", 6));
        assert_eq!((&answer["cursor_start"], &answer["matches"]), (&json!(3), &json!([":vars"])));
    }
}
