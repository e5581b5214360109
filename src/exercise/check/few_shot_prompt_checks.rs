//! The checks of `few_shot_prompt`.

use serde_json::json;

use super::{Check, Miss, Outcome};
use crate::exercise::ask::{Ask, Failure, Question};
use crate::prompting::{Segment, Shot};

const ID: &str = "few_shot_prompt";

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
        ..check("zero", "Zero shots: the instruction, a new line, the query", 1, zero)
    },
    check("few", "A few shots: each with its output, on a line of its own", 2, few),
    check("pictures", "Pictures stand right before the words they belong to", 2, pictures),
    check("numbers", "Pictures are numbered through the whole prompt", 2, numbers),
    check("empty", "Without an instruction the prompt begins with the first shot", 1, empty),
    check("secret", "The query's own output does not stand in the prompt", 1, secret),
    check("refused", "A shot without an output is an error", 1, refused),
];

const TASK: &str = "Translate English to French:";

fn question(instruction: &str, shots: &[Shot], query: &Shot) -> Question {
    let question = Question::new(ID, "build").word("instruction", instruction);
    question.word("shots", json!(shots)).word("query", json!(query))
}

/// The prompt in a line, a picture as `<image 0>`.
fn build(who: &dyn Ask, instruction: &str, shots: &[Shot], query: &Shot) -> Result<String, Miss> {
    let answer = who.ask(&question(instruction, shots, query))?;
    let json = answer.words.get("segments").map(String::as_str).unwrap_or_default();
    let segments: Vec<Segment> = serde_json::from_str(json).map_err(crate::Error::from)?;
    let shown = |segment: &Segment| match segment {
        Segment::Text(text) => text.clone(),
        Segment::Image(number) => format!("<image {number}>"),
    };
    Ok(segments.iter().map(shown).collect())
}

/// Whether it is the right prompt, or a wrong one that has a name.
fn same(came: &str, right: &str, ways: &[(&str, &'static str)]) -> Outcome {
    if came == right {
        return Ok(None);
    }
    let exact = ways.iter().find(|(way, _)| *way == came).map(|(_, name)| *name);
    let name = exact.or_else(|| match () {
        () if came.trim_end() == right => Some("query_goes_on"),
        () if came.replace('\n', "") == right.replace('\n', "") => Some("lines_run_together"),
        () => None,
    });
    Err(Miss::new(format!("{right:?}"), format!("{came:?}")).named(name))
}

fn translations() -> [Shot; 2] {
    [Shot::text("sea otter =>", "loutre de mer"), Shot::text("cheese =>", "fromage")]
}

fn zero(who: &dyn Ask) -> Outcome {
    let came = build(who, TASK, &[], &Shot::query("mint =>"))?;
    let ways = [("mint =>", "instruction_missing"), (TASK, "query_missing"), ("", "query_missing")];
    let ways = [
        ways.as_slice(),
        &[
            ("Translate English to French:\n", "query_missing"),
            ("Translate English to French:\n<image 0>mint =>", "one_picture_each"),
        ],
    ]
    .concat();
    same(&came, "Translate English to French:\nmint =>", &ways)
}

fn few(who: &dyn Ask) -> Outcome {
    let came = build(who, TASK, &translations(), &Shot::query("mint =>"))?;
    let [otter, cheese] = ["sea otter => loutre de mer\n", "cheese => fromage\n"];
    let task = format!("{TASK}\n");
    let ways = [
        (format!("{task}mint =>"), "shots_missing"),
        (format!("{task}{otter}mint =>"), "one_shot_only"),
        (format!("{task}{cheese}mint =>"), "one_shot_only"),
        (format!("{task}{cheese}{otter}mint =>"), "shots_backwards"),
        (format!("{task}mint =>{otter}{cheese}"), "query_first"),
        (format!("{task}sea otter =>\ncheese =>\nmint =>"), "outputs_missing"),
        (format!("{task}sea otter => \ncheese => \nmint =>"), "outputs_missing"),
        (format!("{task}{otter}{task}{cheese}{task}mint =>"), "instruction_repeated"),
        (format!("{task}sea otter =>loutre de mer\ncheese =>fromage\nmint =>"), "space_missing"),
        (format!("{otter}{cheese}{task}mint =>"), "instruction_late"),
    ];
    let ways: Vec<(&str, &'static str)> =
        ways.iter().map(|(way, name)| (way.as_str(), *name)).collect();
    same(&came, &format!("{task}{otter}{cheese}mint =>"), &ways)
}

fn pictures(who: &dyn Ask) -> Outcome {
    let shots = [
        Shot::text("this is a", "dax").with_images(1),
        Shot::text("this is a", "wug").with_images(1),
    ];
    let query = Shot::query("this is a").with_images(1);
    let came = build(who, "Names:", &shots, &query)?;
    let right = "Names:\n<image 0>this is a dax\n<image 1>this is a wug\n<image 2>this is a";
    let ways = [
        (
            "Names:\nthis is a dax\n<image 0>this is a wug\n<image 1>this is a<image 2>",
            "pictures_after",
        ),
        (
            "Names:\nthis is a<image 0> dax\nthis is a<image 1> wug\nthis is a<image 2>",
            "pictures_after",
        ),
        (
            "Names:\n<image 0><image 1><image 2>this is a dax\nthis is a wug\nthis is a",
            "pictures_in_front",
        ),
        (
            "<image 0><image 1><image 2>Names:\nthis is a dax\nthis is a wug\nthis is a",
            "pictures_in_front",
        ),
        ("Names:\nthis is a dax\nthis is a wug\nthis is a", "pictures_missing"),
        (
            "Names:\n<image 0>this is a dax\n<image 1>this is a wug\nthis is a",
            "querys_picture_missing",
        ),
        (
            "Names:\n<image 0>this is a dax\n<image 0>this is a wug\n<image 0>this is a",
            "numbered_anew",
        ),
        (
            "Names:\n<image 0>this is a dax\n<image 1>this is a wug\n<image 0>this is a",
            "numbered_anew",
        ),
        (
            "Names:\n<image 1>this is a dax\n<image 2>this is a wug\n<image 3>this is a",
            "counted_from_one",
        ),
        (
            "Names:\n<image 1>this is a dax\n<image 1>this is a wug\n<image 1>this is a",
            "number_for_count",
        ),
    ];
    same(&came, right, &ways)
}

fn numbers(who: &dyn Ask) -> Outcome {
    let shots = [
        Shot::text("a", "1").with_images(2),
        Shot::text("b", "2"),
        Shot::text("c", "3").with_images(1),
    ];
    let query = Shot::query("d").with_images(2);
    let came = build(who, "", &shots, &query)?;
    let right = "<image 0><image 1>a 1\nb 2\n<image 2>c 3\n<image 3><image 4>d";
    let ways = [
        ("<image 0><image 1>a 1\nb 2\n<image 0>c 3\n<image 0><image 1>d", "numbered_anew"),
        ("<image 0><image 1>a 1\nb 2\n<image 2>c 3\n<image 0><image 1>d", "numbered_anew"),
        ("<image 0>a 1\n<image 1>b 2\n<image 2>c 3\n<image 3>d", "one_picture_each"),
        ("<image 0>a 1\nb 2\n<image 2>c 3\n<image 3>d", "one_picture_each"),
        ("<image 0>a 1\nb 2\n<image 1>c 3\n<image 2>d", "one_picture_each"),
        ("<image 0><image 0>a 1\nb 2\n<image 2>c 3\n<image 3><image 3>d", "numbered_by_shot"),
        ("<image 1><image 2>a 1\nb 2\n<image 3>c 3\n<image 4><image 5>d", "counted_from_one"),
    ];
    same(&came, right, &ways)
}

fn empty(who: &dyn Ask) -> Outcome {
    let came = build(who, "", &translations()[..1], &Shot::query("mint =>"))?;
    let ways = [("\nsea otter => loutre de mer\nmint =>", "empty_line")];
    same(&came, "sea otter => loutre de mer\nmint =>", &ways)
}

fn secret(who: &dyn Ask) -> Outcome {
    let query = Shot::text("mint =>", "menthe");
    let came = build(who, TASK, &translations()[1..], &query)?;
    let right = format!("{TASK}\ncheese => fromage\nmint =>");
    same(&came, &right, &[]).map_err(|miss| {
        let told = came.contains("menthe");
        if told { miss.named("answer_told") } else { miss }
    })
}

fn refused(who: &dyn Ask) -> Outcome {
    let shots = [translations()[0].clone(), Shot::query("cheese =>")];
    match who.ask(&question(TASK, &shots, &Shot::query("mint =>"))) {
        Err(Failure::Error(_)) => Ok(None),
        Ok(_) => {
            let miss = Miss::new("an error for a shot without an output", "a prompt");
            Err(miss.named("not_refused"))
        }
        Err(failure @ Failure::Panic(_)) => Err(Miss::from(failure).named("panics")),
        Err(failure) => Err(failure.into()),
    }
}
