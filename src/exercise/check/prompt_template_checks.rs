//! The checks of `prompt_template`.

use super::{Check, Miss, Outcome};
use crate::exercise::ask::{Ask, Failure, Question};
use crate::exercise::report::Status;

const ID: &str = "prompt_template";

const fn check(
    id: &'static str,
    name: &'static str,
    points: u32,
    run: fn(&dyn Ask) -> Outcome,
) -> Check {
    Check { id, name, points, gate: false, run }
}

pub(super) const CHECKS: &[Check] = &[
    Check {
        gate: true,
        ..check("slide", "The slide's template: [X] is filled, [Z] is left", 2, slide)
    },
    check("template", "Any other template is filled in its own way", 1, template),
    check("verbatim", "The input stands in the prompt as it was given", 1, verbatim),
    check("refused", "A template without [X] or [Z], or with two, is an error", 1, refused),
    check("slot", "The answer is read where [Z] stood, and nowhere else", 1, slot),
    check("spaces", "Letter case and spaces around an answer do not matter", 1, spaces),
    check("whole", "An answer is whole words", 1, whole),
    check("longest", "Of answers that fit, the longest is meant", 1, longest),
    check(
        "none",
        "Another word in the slot is no answer; a text of another prompt is an error",
        1,
        none,
    ),
];

const SLIDE: &str = "[X] Overall, it was a [Z] movie.";

fn fill(who: &dyn Ask, template: &str, x: &str) -> Result<String, Miss> {
    let question = Question::new(ID, "fill").word("template", template).word("x", x);
    let answer = who.ask(&question)?;
    Ok(answer.words.get("prompt").cloned().unwrap_or_default())
}

/// What is read: −1 where there is none.
fn read(who: &dyn Ask, prompt: &str, completed: &str, answers: &[&str]) -> Result<i64, Failure> {
    let answers: Vec<String> = answers.iter().map(ToString::to_string).collect();
    let question = Question::new(ID, "read").word("prompt", prompt).word("completed", completed);
    let answer = who.ask(&question.list("answers", &answers))?;
    Ok(answer.words.get("answer").and_then(|n| n.parse().ok()).unwrap_or(i64::MIN))
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// `Some(1)`.
fn option(number: i64) -> String {
    if number < 0 { "None".into() } else { format!("Some({number})") }
}

fn slide(who: &dyn Ask) -> Outcome {
    let came = fill(who, SLIDE, "I love this movie.")?;
    let right = "I love this movie. Overall, it was a [Z] movie.";
    if came == right {
        return Ok(None);
    }
    let name = match () {
        () if came.eq_ignore_ascii_case(right) => Some("input_changed"),
        () if came == "I love this movie." => Some("template_forgotten"),
        () if came.contains("[X]") => Some("not_filled"),
        () if !came.contains("[Z]") => Some("slot_lost"),
        () if came.split_whitespace().eq(right.split_whitespace()) => Some("spaces_changed"),
        () => None,
    };
    Err(Miss::new(quoted(right), quoted(&came)).named(name))
}

fn template(who: &dyn Ask) -> Outcome {
    for (template, x, right) in [
        ("Review: [X]\nSentiment: [Z]", "I walked out.", "Review: I walked out.\nSentiment: [Z]"),
        ("A [Z] movie: \"[X]\"", "so long", "A [Z] movie: \"so long\""),
    ] {
        let came = fill(who, template, x)?;
        if came != right {
            let name = if came == SLIDE.replace("[X]", x) { "slide_only" } else { "order_changed" };
            let expected = format!("{right:?} for the template {template:?}");
            return Err(Miss::new(expected, quoted(&came)).named(name));
        }
    }
    Ok(None)
}

fn verbatim(who: &dyn Ask) -> Outcome {
    for x in ["The [X] files? {} $1 \\n", "  GREAT,\tgreat  ", ""] {
        let right = ["> ", x, " It was [Z]."].concat();
        let came = match fill(who, "> [X] It was [Z].", x) {
            Err(miss) if miss.status == Status::TimedOut => return Err(miss.named("filled_again")),
            came => came?,
        };
        if came != right {
            let name =
                if came.matches("files?").count() > 1 { "filled_again" } else { "input_changed" };
            return Err(Miss::new(quoted(&right), quoted(&came)).named(name));
        }
    }
    Ok(None)
}

/// That the question is refused with an error; `what` was to be refused.
fn error(outcome: Result<String, Failure>, what: &str, missed: &'static str) -> Result<(), Miss> {
    match outcome {
        Err(Failure::Error(_)) => Ok(()),
        Ok(came) => Err(Miss::new(format!("an error for {what}"), came).named(missed)),
        Err(failure @ Failure::Panic(_)) => Err(Miss::from(failure).named("panics")),
        Err(failure) => Err(failure.into()),
    }
}

fn refused(who: &dyn Ask) -> Outcome {
    for template in
        ["It was a [Z] movie.", "[X] Overall, it was a movie.", "[X] [X] [Z]", "[X] [Z] [Z]"]
    {
        let question = Question::new(ID, "fill").word("template", template).word("x", "So long.");
        let outcome = who.ask(&question);
        let outcome = outcome.map(|a| quoted(&a.words.get("prompt").cloned().unwrap_or_default()));
        error(outcome, &format!("the template {template:?}"), "not_refused")?;
    }
    Ok(None)
}

/// One reading: what is right, and how the wrong numbers are called.
fn reads(
    who: &dyn Ask,
    (prompt, completed): (&str, &str),
    answers: &[&str],
    right: i64,
    ways: &[(i64, &'static str)],
) -> Result<(), Miss> {
    let came = match read(who, prompt, completed, answers) {
        Err(failure @ Failure::Error(_)) if right < 0 => {
            return Err(Miss::from(failure).named("error_for_none"));
        }
        came => came?,
    };
    if came == right {
        return Ok(());
    }
    let name = ways.iter().find(|(way, _)| *way == came).map(|(_, name)| *name);
    let expected = format!("{} for {completed:?} and the answers {answers:?}", option(right));
    Err(Miss::new(expected, option(came)).named(name))
}

fn slot(who: &dyn Ask) -> Outcome {
    let prompt = "It was not terrible. Overall, it was a [Z] movie.";
    let said = "It was not terrible. Overall, it was a great movie. I";
    let ways = [(0, "read_anywhere"), (-1, "rest_expected")];
    reads(who, (prompt, said), &["terrible", "great"], 1, &ways)?;
    let said = "It was not terrible. Overall, it was a dull movie, not great.";
    let other = [(0, "guessed"), (1, "read_anywhere"), (2, "read_anywhere")];
    reads(who, (prompt, said), &["good", "terrible", "great"], -1, &other)?;
    // A model that writes on from the slot need not write the rest of the prompt.
    let said = "It was not terrible. Overall, it was a great film";
    reads(who, (prompt, said), &["terrible", "great"], 1, &ways)?;
    let said = "It was not terrible. Overall, it was a terrible";
    reads(who, (prompt, said), &["great", "terrible"], 1, &[(-1, "rest_expected")])?;
    Ok(None)
}

fn spaces(who: &dyn Ask) -> Outcome {
    let prompt = "Review: so long\nSentiment: [Z]";
    let begun = "Review: so long\nSentiment:";
    for written in [" Negative", "\n\n negative", "negative", " NEGATIVE\n"] {
        let name = if written.contains("negative") { "spaces_left" } else { "letter_case" };
        let said = format!("{begun}{written}");
        reads(who, (prompt, &said), &["positive", "negative"], 1, &[(-1, name)]).map_err(
            |miss| if miss.status == Status::Error { miss.named("spaces_left") } else { miss },
        )?;
    }
    let said = format!("{begun} negative");
    reads(who, (prompt, &said), &["Positive", "Negative"], 1, &[(-1, "letter_case")])?;
    Ok(None)
}

fn whole(who: &dyn Ask) -> Outcome {
    let prompt = "It was [Z]";
    let ways = [(0, "part_of_a_word")];
    for said in ["It was goodness itself", "It was goods"] {
        reads(who, (prompt, said), &["good", "bad"], -1, &ways)?;
    }
    for said in ["It was good", "It was good.", "It was good, I"] {
        reads(who, (prompt, said), &["bad", "good"], 1, &[(-1, "punctuation")])?;
    }
    Ok(None)
}

fn longest(who: &dyn Ask) -> Outcome {
    let (prompt, said) = ("It was [Z].", "It was very good.");
    let orders = [(["very", "very good"], 1), (["very good", "very"], 0)];
    let wrong =
        |(answers, right): &([&str; 2], i64)| read(who, prompt, said, answers) != Ok(*right);
    // Who takes the first or the last that fits is right in one of the two orders.
    let name = if orders.iter().all(wrong) { "one_word_only" } else { "first_that_fits" };
    for (answers, right) in orders {
        reads(who, (prompt, said), &answers, right, &[(1 - right, name), (-1, name)])?;
        reads(who, (prompt, "It was very long."), &answers, 1 - right, &[])?;
    }
    Ok(None)
}

fn none(who: &dyn Ask) -> Outcome {
    let prompt = "It was [Z].";
    match read(who, prompt, "It was long.", &["good", "bad"]) {
        Ok(-1) => {}
        Ok(came) => {
            let miss = Miss::new("None for \"It was long.\": it is no answer", option(came));
            return Err(miss.named("guessed"));
        }
        Err(failure @ (Failure::Error(_) | Failure::Panic(_))) => {
            return Err(Miss::from(failure).named("error_for_none"));
        }
        Err(failure) => return Err(failure.into()),
    }
    let other = read(who, prompt, "They were good.", &["good"]).map(option);
    error(other, "a text that begins otherwise than the prompt", "other_prompt")?;
    let slotless = read(who, "It was.", "It was. good", &["good"]).map(option);
    error(slotless, "a prompt without [Z]", "other_prompt")?;
    Ok(None)
}
