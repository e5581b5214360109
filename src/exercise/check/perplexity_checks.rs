//! The checks of `perplexity`.

use candle_core::{DType, Device, Tensor};

use super::{Check, Miss, Outcome, goldens, number, tensor, within};
use crate::exercise::ask::{Ask, Question};
use crate::exercise::report::Status;

const ID: &str = "perplexity";

/// f32 logarithms leave about 1e-6 of a value; the nearest wrong way in a check is 3.5e-3 away.
const TOLERANCE: f64 = 3e-4;

/// A written answer of fewer words gives no reasons.
const WORDS: usize = 30;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "number",
        name: "Perplexity is one number",
        points: 1,
        gate: true,
        run: one_number,
    },
    Check {
        id: "worked",
        name: "Chances of 1/2, 1/4 and 1/8 have perplexity 4",
        points: 2,
        gate: false,
        run: worked,
    },
    Check {
        id: "uniform",
        name: "A model that guesses among v tokens has perplexity v",
        points: 1,
        gate: false,
        run: uniform,
    },
    Check {
        id: "length",
        name: "The same text twice has the same perplexity",
        points: 1,
        gate: false,
        run: length,
    },
    Check { id: "long", name: "A long text gives a number too", points: 2, gate: false, run: long },
    Check {
        id: "value",
        name: "A text of a random model, by PyTorch's cross-entropy",
        points: 2,
        gate: false,
        run: value,
    },
    Check {
        id: "written",
        name: "You have answered the slide's question (your instructor reads it)",
        points: 1,
        gate: false,
        run: written,
    },
];

fn perplexity(who: &dyn Ask, chances: &[f64]) -> Result<f64, Miss> {
    let logs = Tensor::new(chances, &Device::Cpu)?.to_dtype(DType::F32)?;
    let answer = who.ask(&Question::new(ID, "value").tensor("log_probabilities", &logs))?;
    let found = tensor(&answer, "perplexity", "a number", &[])?;
    Ok(f64::from(found.to_scalar::<f32>()?))
}

/// How far a perplexity is from the right one, as a part of it.
fn near(came: f64, right: f64, of: &str, name: Option<&'static str>) -> Outcome {
    within((came / right - 1.).abs(), TOLERANCE, || {
        Miss::new(format!("{} for {of}", number(right)), number(came)).named(name)
    })
}

/// ln 1/2, ln 1/4, ln 1/8.
fn example() -> [f64; 3] {
    [0.5f64, 0.25, 0.125].map(f64::ln)
}

fn one_number(who: &dyn Ask) -> Outcome {
    perplexity(who, &example()).map(|_| None).map_err(|miss| match miss.status {
        Status::NotFinite => miss.named("log_of_log"),
        _ => miss,
    })
}

fn worked(who: &dyn Ask) -> Outcome {
    let came = perplexity(who, &example())?;
    let ways = [
        (64., "no_root"),
        (0.25, "sign_forgotten"),
        (1. / 64., "sign_forgotten"),
        (4f64.ln(), "not_exponentiated"),
        (2., "not_exponentiated"),
        (-(4f64.ln()), "not_exponentiated"),
        (4f64.ln().exp2(), "other_base"),
        (10f64.powf(4f64.ln()), "other_base"),
        (14. / 3., "arithmetic_mean"),
        (24. / 7., "arithmetic_mean"),
        (64f64.powf(0.25), "off_by_one"),
        (32f64.sqrt(), "first_token_dropped"),
    ];
    let mut name =
        ways.iter().find(|(way, _)| (came - way).abs() <= TOLERANCE).map(|(_, name)| *name);
    if (came - 2.).abs() <= TOLERANCE {
        // Two bits a token, or 1/P of the likeliest token: three tokens of 1/8 have three bits.
        let eighths = perplexity(who, &[0.125f64.ln(); 3])?;
        name = name.filter(|_| (eighths - 3.).abs() <= 0.01);
    }
    if (came - 8.).abs() <= TOLERANCE {
        // The square root of 64, or the (N − 1)-th; with four tokens and P = 1/256 they differ.
        let four = perplexity(who, &[example().as_slice(), &[0.25f64.ln()]].concat())?;
        name = Some(if (four - 16.).abs() <= 0.01 { "square_root" } else { "off_by_one" });
    }
    near(came, 4., "chances of 1/2, 1/4, 1/8: P = 1/64, and the third root of 64", name)
}

fn uniform(who: &dyn Ask) -> Outcome {
    let mut worst = Ok(None);
    for (v, tokens) in [(8, 5), (50_257, 3), (1, 4)] {
        let came = perplexity(who, &vec![-f64::from(v).ln(); tokens])?;
        worst = near(came, f64::from(v), &format!("{tokens} tokens, each one of {v}"), None);
        if worst.is_err() {
            break;
        }
    }
    worst
}

fn length(who: &dyn Ask) -> Outcome {
    let once = perplexity(who, &example())?;
    let twice = perplexity(who, &[example(), example()].concat())?;
    let name = match twice > 1.5 * once {
        true => Some("no_root"),
        false => Some("off_by_one"),
    };
    near(twice, once, "the example twice, as for the example once", name)
}

fn long(who: &dyn Ask) -> Outcome {
    // e⁻⁷ two thousand times: a product of e⁻¹⁴⁰⁰⁰.
    let came = perplexity(who, &vec![-7.; 2000]);
    let expected = 7f64.exp();
    let came = came.map_err(|miss| match miss.status {
        Status::NotFinite => {
            let expected = format!("{} for 2,000 tokens of ln P = −7", number(expected));
            Miss { expected, ..miss }.named("underflow")
        }
        _ => miss,
    })?;
    near(came, expected, "2,000 tokens of ln P = −7", (came == 0.).then_some("underflow"))
}

fn value(who: &dyn Ask) -> Outcome {
    let golden = goldens::of(ID);
    let chances = goldens::values(&golden["log_probabilities"], &[7])?.to_dtype(DType::F64)?;
    let came = perplexity(who, &chances.to_vec1::<f64>()?)?;
    let right = goldens::values(&golden["general"]["right"], &[])?.to_scalar::<f32>()?;
    let tensor = Tensor::new(came as f32, &Device::Cpu)?;
    let name = goldens::recognised(ID, "general", &tensor, TOLERANCE * came.abs())?;
    near(came, f64::from(right), "seven tokens, worked out beforehand", name)
}

fn written(who: &dyn Ask) -> Outcome {
    let answer = who.ask(&Question::new(ID, "written"))?;
    let text = answer.words.get("early_stopping").map(String::as_str).unwrap_or_default();
    let words = text.split_whitespace().count();
    if words >= WORDS {
        return Ok(None);
    }
    let expected = format!("an answer with its reasons, {WORDS} words or more");
    Err(Miss::new(expected, format!("{words} words")).named("not_written"))
}
