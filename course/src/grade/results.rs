//! One submission's results: in Gradescope's schema, and as a page for the student.

use serde_json::{Value, json};
use vision_language::exercise::{CheckResult, Status, exercise};

use super::one::{Exercise, Grade};
use super::written::Written;
use crate::Result;

/// `results.json` as Gradescope reads it: a test a check. Checks with hidden inputs are hidden; the total is not.
///
/// # Errors
/// Never for a grade of ours.
pub(super) fn gradescope(grade: &Grade) -> Result<String> {
    let mut tests = Vec::new();
    for (number, exercise) in grade.exercises.iter().enumerate() {
        let known = exercise.report.iter().flat_map(|report| &report.checks);
        if exercise.report.is_none() {
            tests.push(json!({
                "name": exercise.id, "number": format!("{}", number + 1), "score": 0, "max_score": exercise.of(),
                "status": "failed", "output": words(exercise), "output_format": "text", "tags": [exercise.id],
                "visibility": "visible",
            }));
            continue;
        }
        for (place, check) in known.enumerate() {
            let name = format!("{}: {}", exercise.id, check.name);
            tests.push(test(
                &name,
                &format!("{}.{}", number + 1, place + 1),
                check,
                exercise,
                "visible",
            ));
        }
        // A stub is not asked further; the points are there all the same.
        match &exercise.fresh {
            Some(check) => {
                tests.push(test(&format!("{}: {}", exercise.id, check.name), &format!("{}.h", number + 1), check, exercise, "hidden"));
            }
            None if super::fresh::points(&exercise.id) > 0 => tests.push(json!({
                "name": format!("{}: hidden inputs", exercise.id), "number": format!("{}.h", number + 1), "score": 0,
                "max_score": super::fresh::points(&exercise.id), "status": "failed", "output": "", "output_format": "text",
                "tags": [exercise.id], "visibility": "hidden",
            })),
            None => {}
        }
    }
    for written in &grade.written {
        let mut output = vec![words_of(written).to_string()];
        output.extend((!written.comment.is_empty()).then(|| written.comment.clone()));
        tests.push(json!({
            "name": format!("{}: {} (read by your instructor)", written.exercise, written.question),
            "number": "w", "score": written.score.unwrap_or(0), "max_score": written.of,
            "output": output.join("\n"), "output_format": "text",
            "tags": ["written", written.exercise], "visibility": "visible",
        }));
    }
    let json = json!({
        // Given here, so that Gradescope shows it although some tests are hidden.
        "score": grade.points(),
        "execution_time": (grade.seconds * 100.).round() / 100.,
        "output": grade.notes.join("\n"),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": { "seed": grade.seed, "key": grade.key, "max_score": grade.of(), "core_seconds": grade.used.cpu },
    });
    Ok(serde_json::to_string_pretty(&json)?)
}

fn test(
    name: &str,
    number: &str,
    check: &CheckResult,
    exercise: &Exercise,
    visibility: &str,
) -> Value {
    let passed = match visibility {
        "visible" => exercise.counts(check),
        _ => check.status == Status::Passed,
    };
    let mut output = Vec::new();
    if check.status == Status::NotYet {
        output.push("not filled in yet".to_string());
    }
    if !passed && check.status == Status::Passed {
        output.push("withheld: your instructor will look at it".to_string());
    }
    for (word, text) in
        [("expected", &check.expected), ("came", &check.came), ("?", &check.question)]
    {
        if !text.is_empty() {
            output.push(format!("{word}: {text}"));
        }
    }
    let mut tags = vec![exercise.id.clone(), check.id.clone()];
    tags.extend(check.misconception.clone());
    json!({
        "name": name, "number": number, "score": if passed { check.points } else { 0 }, "max_score": check.points,
        "status": if passed { "passed" } else { "failed" }, "output": output.join("\n"), "output_format": "text",
        "tags": tags, "visibility": visibility,
    })
}

/// What has become of a written answer.
fn words_of(written: &Written) -> &'static str {
    match written.score {
        Some(_) => "read",
        None if written.answer.is_empty() => "not answered",
        None => "answered; nobody has read it yet",
    }
}

/// Why there is no report.
fn words(exercise: &Exercise) -> String {
    let mut words = exercise.notes.clone();
    if let Some(mistakes) = &exercise.mistakes {
        words.push(format!(
            "does not compile: {} {}\n{}",
            mistakes.first, mistakes.place, mistakes.rendered
        ));
    }
    words.join("\n")
}

/// The student's page. What hidden inputs were is not on it.
pub(super) fn feedback(grade: &Grade) -> String {
    let mut body = format!(
        "<h1>{} of {} points</h1><p>{}</p>",
        grade.points(),
        grade.of(),
        escape(&grade.name)
    );
    for note in &grade.notes {
        body += &format!("<p>{}</p>", escape(note));
    }
    for exercise in &grade.exercises {
        let title = self::exercise(&exercise.id).map_or("", |known| known.title);
        body += &format!(
            "<h2>{}: {} of {}</h2><p>{}</p>",
            escape(&exercise.id),
            exercise.points(),
            exercise.of(),
            escape(title)
        );
        if !exercise.from.is_empty() {
            body += &format!("<p class=\"soft\">{}</p>", escape(&exercise.from));
        }
        match &exercise.report {
            Some(report) => body += &report.html(),
            None => body += &format!("<pre>{}</pre>", escape(&words(exercise))),
        }
        if let Some(fresh) = &exercise.fresh {
            let said = if fresh.status == Status::Passed {
                "as it should be"
            } else {
                "not as it should be"
            };
            body += &format!("<p>{}: {said}.</p>", escape(&fresh.name));
        }
        if exercise.withheld {
            body += "<p><b>No points are given yet: your instructor will look at this exercise.</b></p>";
        } else if !exercise.parroted.is_empty() {
            body += &format!(
                "<p><b>No points are given yet for {}: your instructor will look at it.</b></p>",
                escape(&exercise.parroted.join(", "))
            );
        }
    }
    for written in &grade.written {
        body += &format!(
            "<h2>{}, in words: {} of {}</h2><p>{}</p><blockquote>{}</blockquote><p>{}. {}</p>",
            escape(&written.exercise),
            written.score.map_or("–".into(), |score| score.to_string()),
            written.of,
            super::written::words(&written.question),
            escape(&written.answer),
            words_of(written),
            escape(&written.comment)
        );
    }
    page("Feedback", &body)
}

/// A page that needs nothing else.
pub(super) fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>\
         body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d2433}}\
         table{{border-collapse:collapse}}td,th{{padding:.25rem .7rem;text-align:left;vertical-align:top;border-bottom:1px solid #e3e6eb}}\
         pre{{background:#f5f6f8;padding:.8rem;overflow:auto}}.soft{{color:#6e7582}}img{{max-width:100%}}</style></head>\
         <body>{body}</body></html>\n"
    )
}

/// Text in a page.
pub(super) fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\n', "<br>")
}
