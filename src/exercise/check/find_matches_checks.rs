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
    let found = search(who, &PLAIN, 2).map_err(|miss| match miss.status {
        // (N, p) times (1, p) is not defined.
        Status::Error if miss.came.contains("in matmul") => miss.named("no_transpose"),
        _ => miss,
    })?;
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
        // A column of the table is normalised, not its rows.
        let column = pictures.iter().map(|(_, c, l)| (c * l).powi(2)).sum::<f64>().sqrt();
        let by_column = [1., 3.].iter().any(|q| (came - q * cosine * length / column).abs() < 0.01);
        within((came - cosine).abs(), TOLERANCE, || {
            let expected =
                format!("{} for `{name}.jpg`, whose embedding has length {length}", number(cosine));
            let mistake = mistake.or(by_column.then_some("wrong_axis"));
            Miss::new(expected, number(*came)).named(mistake)
        })?;
    }
    within(worst, TOLERANCE, || Miss::new("", ""))
}

fn order(who: &dyn Ask) -> Outcome {
    let found = search(who, &PLAIN, 3)?;
    let came = names(&found);
    if came != ["dog", "cat", "cup"] {
        let name = match came.as_slice() {
            ["cup", "cat", "dog"] => Some("worst_of_the_best_first"),
            ["sea", "car", "cup"] => Some("worst_first"),
            ["cup", "dog", "sea"] | ["dog", "cup", "sea"] | ["cup", "dog", "cat"] => {
                Some("not_sorted")
            }
            ["dog", "cat", "sea"] => Some("absolute_value"),
            _ if came.is_sorted() => Some("sorted_by_name"),
            _ => None,
        };
        let expected = "dog, cat, cup (0.9, 0.7, 0.3)";
        return Err(Miss::new(expected, said(&came)).named(name));
    }
    // Close ones, and some that point away.
    let cosines = [("a", 0.93), ("b", 0.95), ("c", -0.4), ("d", -0.9), ("e", 0.91), ("f", -0.05)];
    let found = search(who, &cosines.map(|(name, cosine)| (name, cosine, 1.)), 6)?;
    let came = names(&found);
    if came == ["b", "a", "e", "f", "c", "d"] {
        return Ok(None);
    }
    let name = match came.len() {
        6 => Some("compared_as_text"),
        _ => Some("negative_dropped"),
    };
    let expected = "b, a, e, f, c, d (0.95, 0.93, 0.91, −0.05, −0.4, −0.9)";
    Err(Miss::new(expected, said(&came)).named(name))
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
            ["dog", "cat"] | ["dog"] => Some("cut_before_once"),
            ["dog", "cup"] => Some("every_fifth"),
            _ => None,
        };
        return Err(miss().named(name));
    }
    // Another caption of the same picture, or a mean of them.
    let between = |name: &str, value: f64| {
        let own = pictures.iter().filter(|(other, ..)| format!("{other}.jpg") == name);
        let own: Vec<f64> = own.map(|(_, cosine, _)| *cosine).collect();
        let inside = |low: f64, high: f64| low - TOLERANCE <= value && value <= high + TOLERANCE;
        inside(own.iter().copied().fold(1., f64::min), own.iter().copied().fold(-1., f64::max))
    };
    let of_a_caption = found.iter().all(|(name, value)| between(name, *value));
    let name = of_a_caption.then_some("not_the_best_caption");
    let best = [("dog", 0.9), ("cat", 0.75), ("cup", 0.5)];
    if came != best.map(|(name, _)| name) {
        let same = best.iter().all(|(name, _)| came.contains(name));
        return Err(miss().named(name.filter(|_| same)));
    }
    let off = found.iter().zip(best).map(|((_, s), (_, b))| (s - b).abs()).fold(0., f64::max);
    within(off, TOLERANCE, || miss().named(name))?;
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
    // Whoever sorts only the numbers gives the first name of the folder, whichever that is.
    let first = (names(&also), names(&found)) == (vec!["cup"], vec!["car"]);
    let came = format!("{} and {}", said(&names(&also)), said(&names(&found)));
    let expected = "dog, first and when the rows come in the opposite order";
    Err(Miss::new(expected, came).named(first.then_some("rows_mixed_up")))
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
            let name = (found.len() == 4).then_some("negative_dropped");
            return Err(Miss::new(words, found.len().to_string()).named(name));
        }
    }
    Ok(None)
}
