//! The checks of `find_matches`.

use candle_core::{Device, Tensor};

use super::{Check, Miss, Outcome, number, within};
use crate::exercise::ask::{Ask, Question};
use crate::exercise::report::Status;

const ID: &str = "find_matches";

/// Cosines in f32; those of the questions are at least 0.05 apart.
const TOLERANCE: f64 = 1e-3;

pub(super) const CHECKS: &[Check] = &[
    Check { id: "count", name: "n pictures come back", points: 1, gate: true, run: count },
    Check {
        id: "cosine",
        name: "Similarities are cosines: only directions count",
        points: 2,
        gate: false,
        run: cosine,
    },
    Check { id: "order", name: "The best comes first", points: 2, gate: false, run: order },
    Check {
        id: "once",
        name: "Every picture comes once, at its best caption's place",
        points: 3,
        gate: false,
        run: once,
    },
    Check { id: "rows", name: "Row i belongs to file name i", points: 1, gate: false, run: rows },
    Check {
        id: "few",
        name: "Fewer pictures than n, or n = 0, are no reason to fail",
        points: 1,
        gate: false,
        run: few,
    },
];

type Found = Vec<(String, f64)>;

/// A search among pictures `(name, cosine with the query, length of its embedding)`.
fn search(who: &dyn Ask, pictures: &[(&str, f64, f64)], n: usize) -> Result<Found, Miss> {
    // In the plane: the query at angle 0, three long; each picture at its own angle.
    let rows: Vec<f32> = pictures
        .iter()
        .flat_map(|(_, cosine, length)| [cosine * length, (1. - cosine * cosine).sqrt() * length])
        .map(|v| v as f32)
        .collect();
    let images = Tensor::from_vec(rows, (pictures.len(), 2), &Device::Cpu)?;
    let names: Vec<String> = pictures.iter().map(|(name, _, _)| format!("{name}.jpg")).collect();
    let question = Question::new(ID, "search").tensor("image_embeddings", &images);
    let text = Tensor::new(&[[3f32, 0.]], &Device::Cpu)?;
    let question = question.tensor("text_embedding", &text).list("image_filenames", &names);
    let answer = who.ask(&question.word("n", n))?;
    let json = answer.words.get("image_filename").map(String::as_str).unwrap_or("[]");
    let found: Vec<String> = serde_json::from_str(json).map_err(crate::Error::from)?;
    let similarity = match answer.tensors.get("similarity") {
        Some(similarity) => similarity.to_vec1::<f32>()?,
        None => Vec::new(),
    };
    Ok(found.into_iter().zip(similarity.into_iter().map(f64::from)).collect())
}

fn names(found: &[(String, f64)]) -> Vec<&str> {
    found.iter().map(|(name, _)| name.trim_end_matches(".jpg")).collect()
}

fn said(list: &[&str]) -> String {
    if list.is_empty() { "nothing".into() } else { list.join(", ") }
}

const PLAIN: [(&str, f64, f64); 5] =
    [("cup", 0.3, 1.), ("dog", 0.9, 1.), ("sea", -0.5, 1.), ("cat", 0.7, 1.), ("car", 0.1, 1.)];

fn count(who: &dyn Ask) -> Outcome {
    let found = search(who, &PLAIN, 2)?;
    if found.len() == 2 {
        return Ok(None);
    }
    let name = match found.len() {
        0 => None,
        1 => Some("every_fifth"),
        _ => Some("n_ignored"),
    };
    let miss = Miss::new("2 of five pictures, for n = 2", format!("{}", found.len()));
    Err(miss.of(Status::Shape).named(name))
}

fn cosine(who: &dyn Ask) -> Outcome {
    let pictures = [("long", 0.2, 10.), ("right", 0.9, 0.5), ("half", 0.5, 2.)];
    let found = search(who, &pictures, 3)?;
    let mut worst: f64 = 0.;
    for (name, cosine, length) in pictures {
        let Some((_, came)) = found.iter().find(|(n, _)| n.trim_end_matches(".jpg") == name) else {
            continue;
        };
        if !came.is_finite() {
            let miss = Miss::new(format!("{} for `{name}.jpg`", number(cosine)), came.to_string());
            return Err(miss.of(Status::NotFinite));
        }
        let mistake = if (came - cosine * length * 3.).abs() <= TOLERANCE {
            Some("not_normalised")
        } else if (came - cosine * 3.).abs() <= TOLERANCE {
            Some("text_not_normalised")
        } else if (came - cosine * length).abs() <= TOLERANCE {
            Some("images_not_normalised")
        } else if (came - (1. - cosine)).abs() <= TOLERANCE || (came + cosine).abs() <= TOLERANCE {
            Some("distance_for_similarity")
        } else if pictures.iter().any(|(_, other, _)| (came - other).abs() <= TOLERANCE) {
            Some("rows_mixed_up")
        } else {
            None
        };
        worst = worst.max((came - cosine).abs());
        within((came - cosine).abs(), TOLERANCE, || {
            let expected =
                format!("{} for `{name}.jpg`, whose embedding has length {length}", number(cosine));
            // A column of the table is normalised, not its rows.
            Miss::new(expected, number(*came)).named(mistake.or(Some("wrong_axis")))
        })?;
    }
    within(worst, TOLERANCE, || Miss::new("", ""))
}

fn order(who: &dyn Ask) -> Outcome {
    let found = search(who, &PLAIN, 3)?;
    let came = names(&found);
    if came == ["dog", "cat", "cup"] {
        return Ok(None);
    }
    let name = match came.as_slice() {
        ["cup", "cat", "dog"] => "worst_of_the_best_first",
        ["sea", "car", "cup"] => "worst_first",
        ["cup", "dog", "sea"] => "not_sorted",
        ["dog", "cup", "sea"] | ["cup", "dog", "cat"] => "not_sorted",
        _ => return Err(Miss::new("dog, cat, cup (0.9, 0.7, 0.3)", said(&came))),
    };
    Err(Miss::new("dog, cat, cup (0.9, 0.7, 0.3)", said(&came)).named(name))
}

fn once(who: &dyn Ask) -> Outcome {
    // Captions of one picture need not stand together, and need not be five.
    let pictures = [
        ("cup", 0.3, 1.),
        ("dog", 0.9, 1.),
        ("cat", 0.75, 1.),
        ("dog", 0.8, 1.),
        ("sea", 0.1, 1.),
        ("dog", 0.7, 1.),
        ("cat", 0.6, 1.),
        ("cup", 0.5, 1.),
    ];
    let found = search(who, &pictures, 3)?;
    let came = names(&found);
    let expected =
        "dog (0.9), cat (0.75), cup (0.5): three captions are the dog's, each at its best";
    let shown: Vec<String> =
        found.iter().map(|(n, s)| format!("{} ({s:.2})", n.trim_end_matches(".jpg"))).collect();
    let miss = || Miss::new(expected, shown.join(", "));
    let repeated = (1..came.len()).any(|i| came[..i].contains(&came[i]));
    if repeated {
        let neighbours = came.windows(2).any(|pair| pair[0] == pair[1]);
        let name = if neighbours { "repeated" } else { "neighbours_only" };
        return Err(miss().named(name));
    }
    if found.len() < 3 {
        let name = match came.as_slice() {
            ["dog", "cat"] | ["dog"] => "cut_before_once",
            _ => "every_fifth",
        };
        return Err(miss().named(name));
    }
    if came != ["dog", "cat", "cup"] {
        let name = if came.contains(&"sea") { Some("every_fifth") } else { None };
        return Err(miss().named(name.or(Some("not_the_best_caption"))));
    }
    let best = [0.9, 0.75, 0.5];
    let off = found.iter().zip(best).map(|((_, s), b)| (s - b).abs()).fold(0., f64::max);
    within(off, TOLERANCE, || miss().named("not_the_best_caption"))?;
    // All five captions of a picture side by side, as in Flickr8k.
    let five: Vec<(&str, f64, f64)> = (0..20)
        .map(|row| {
            (["a", "b", "c", "d"][row / 5], 0.2 * (row / 5) as f64 + 0.03 * (row % 5) as f64, 1.)
        })
        .collect();
    let found = search(who, &five, 3)?;
    if names(&found) == ["d", "c", "b"] {
        return Ok(None);
    }
    let came = said(&names(&found));
    Err(Miss::new("d, c, b, of four pictures with five captions each", came).named("repeated"))
}

fn rows(who: &dyn Ask) -> Outcome {
    let turned: Vec<_> = PLAIN.iter().rev().copied().collect();
    let found = search(who, &turned, 1)?;
    let also = search(who, &PLAIN, 1)?;
    if names(&found) == ["dog"] && names(&also) == ["dog"] {
        return Ok(None);
    }
    let came = format!("{} and {}", said(&names(&also)), said(&names(&found)));
    let expected = "dog, first and when the rows come in the opposite order";
    Err(Miss::new(expected, came).named("rows_mixed_up"))
}

fn few(who: &dyn Ask) -> Outcome {
    for (n, expected) in [(9, 5), (0, 0)] {
        let words = match n {
            0 => "nothing, for n = 0",
            _ => "all five pictures, for n = 9",
        };
        let found = search(who, &PLAIN, n)
            .map_err(|miss| Miss { expected: words.into(), ..miss.named("past_the_end") })?;
        if found.len() != expected {
            return Err(Miss::new(words, found.len().to_string()).named("past_the_end"));
        }
    }
    Ok(None)
}
