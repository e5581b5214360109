//! The checks of `dalle_sequence`.

use candle_core::{DType, Device, Tensor};

use super::{Check, Miss, Outcome, tensor, within};
use crate::dalle::SequenceLayout;
use crate::exercise::ask::{Answer, Ask, Question};
use crate::exercise::report::Status;

const ID: &str = "dalle_sequence";

/// Sums of a few numbers in f32.
const TOLERANCE: f64 = 1e-6;

/// Two texts of three tokens, the first padded, and two pictures of 2 × 2 codes.
const TEXT: [[u32; 3]; 2] = [[7, 4, 0], [3, 9, 5]];
const CODES: [[u32; 4]; 2] = [[2, 0, 0, 4], [1, 3, 4, 2]];
/// What comes of them with a vocabulary of 10 and 5 codes, by hand.
const IDS: [[u32; 7]; 2] = [[7, 4, 12, 15, 13, 13, 17], [3, 9, 5, 14, 16, 17, 15]];
const POSITIONS: [u32; 7] = [0, 1, 2, 0, 1, 2, 3];
/// An eighth over four text targets, seven eighths over eight image targets.
const TEXT_WEIGHT: f32 = 0.125 / 4.;
const IMAGE_WEIGHT: f32 = 0.875 / 8.;

/// Another layout's text and codes, and what comes of them: nothing of the first may be written down.
const OTHER_TEXT: [[u32; 2]; 1] = [[4, 1]];
const OTHER_CODES: [[u32; 3]; 1] = [[2, 0, 3]];
const OTHER_IDS: [f32; 5] = [4., 7., 10., 8., 11.];
const OTHER_POSITIONS: [f32; 5] = [0., 1., 0., 1., 2.];
/// One text target, three image targets.
const OTHER_WEIGHTS: [f32; 5] = [0.4, 0.2, 0.2, 0.2, 0.];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "form",
        name: "Four tables with a column for each token",
        points: 1,
        gate: true,
        run: form,
    },
    Check {
        id: "ids",
        name: "Words, padding tokens and codes each have ids of their own",
        points: 3,
        gate: false,
        run: ids,
    },
    Check {
        id: "positions",
        name: "Image places count from 0 again",
        points: 1,
        gate: false,
        run: positions,
    },
    Check {
        id: "targets",
        name: "Each place predicts the token that comes next",
        points: 2,
        gate: false,
        run: targets,
    },
    Check {
        id: "weights",
        name: "Text weighs an eighth, pictures seven eighths",
        points: 3,
        gate: false,
        run: weights,
    },
];

fn layout() -> SequenceLayout {
    SequenceLayout {
        text_tokens: 3,
        text_vocabulary: 10,
        pad_id: 0,
        rows: 2,
        columns: 2,
        codes: 5,
        text_weight: 1. / 8.,
        image_weight: 7. / 8.,
    }
}

fn other_layout() -> SequenceLayout {
    SequenceLayout {
        text_tokens: 2,
        text_vocabulary: 6,
        pad_id: 1,
        rows: 3,
        columns: 1,
        codes: 4,
        text_weight: 0.4,
        image_weight: 0.6,
    }
}

fn ask(
    who: &dyn Ask,
    text: &Tensor,
    codes: &Tensor,
    layout: &SequenceLayout,
) -> Result<Answer, Miss> {
    let layout = serde_json::to_string(layout).map_err(crate::Error::from)?;
    let question = Question::new(ID, "build").tensor("text_ids", text).tensor("image_codes", codes);
    Ok(who.ask(&question.word("layout", layout))?)
}

fn build(who: &dyn Ask) -> Result<Answer, Miss> {
    let (text, codes) = (Tensor::new(&TEXT, &Device::Cpu)?, Tensor::new(&CODES, &Device::Cpu)?);
    ask(who, &text, &codes, &layout())
}

/// The row of a table for the other layout.
fn other(who: &dyn Ask, name: &str) -> Result<Vec<f32>, Miss> {
    let text = Tensor::new(&OTHER_TEXT, &Device::Cpu)?;
    let codes = Tensor::new(&OTHER_CODES, &Device::Cpu)?;
    let answer = ask(who, &text, &codes, &other_layout())?;
    let table = tensor(&answer, name, &format!("the {name} of another layout"), &[1, 5])?;
    Ok(table.flatten_all()?.to_vec1::<f32>()?)
}

/// That a table is right for the other layout, too.
fn follows_the_layout(who: &dyn Ask, name: &str, right: &[f32; 5]) -> Result<(), Miss> {
    let came = other(who, name)?;
    if came.iter().zip(right).all(|(a, b)| f64::from((a - b).abs()) <= TOLERANCE) {
        return Ok(());
    }
    let layout = other_layout();
    let expected = format!(
        "{name} {right:?} where the layout says text_vocabulary {}, pad_id {}, text_weight {}, image_weight {}, for text \
         {:?} and codes {:?}",
        layout.text_vocabulary,
        layout.pad_id,
        layout.text_weight,
        layout.image_weight,
        OTHER_TEXT[0],
        OTHER_CODES[0]
    );
    Err(Miss::new(expected, format!("{came:?}")).named("layout_written_down"))
}

/// The rows of a table of the answer.
fn rows(answer: &Answer, name: &str) -> Result<Vec<Vec<f32>>, Miss> {
    let table = tensor(answer, name, &format!("the {name}"), &[2, 7])?;
    Ok(table.to_vec2::<f32>()?)
}

fn whole(answer: &Answer, name: &str) -> Result<Vec<Vec<u32>>, Miss> {
    Ok(rows(answer, name)?
        .into_iter()
        .map(|row| row.into_iter().map(|v| v as u32).collect())
        .collect())
}

fn form(who: &dyn Ask) -> Outcome {
    let answer = build(who)?;
    for name in ["ids", "positions", "targets", "weights"] {
        rows(&answer, name)?;
    }
    for name in ["ids", "positions", "targets"] {
        if answer.tensors.get(name).is_some_and(|t| t.dtype() != DType::U32) {
            return Err(Miss::new(format!("{name} of type u32"), "another type").of(Status::Shape));
        }
    }
    other(who, "ids")?;
    Ok(None)
}

/// What the second and the first row of ids look like in well-known wrong ways.
fn ids(who: &dyn Ask) -> Outcome {
    let came = whole(&build(who)?, "ids")?;
    if came == IDS.map(|row| row.to_vec()) {
        follows_the_layout(who, "ids", &OTHER_IDS)?;
        return Ok(None);
    }
    let like = |pad: u32, first: u32, image_first: bool| -> Vec<Vec<u32>> {
        let row = |(text, codes): (&[u32; 3], &[u32; 4])| {
            let text = text.iter().map(|id| if *id == 0 { pad } else { *id });
            let codes = codes.iter().map(|code| code + first);
            match image_first {
                true => codes.chain(text).collect(),
                false => text.chain(codes).collect(),
            }
        };
        TEXT.iter().zip(&CODES).map(row).collect()
    };
    let ways = [
        ("codes_not_moved", like(12, 0, false)),
        ("codes_not_moved", like(0, 0, false)),
        ("codes_not_moved", like(10, 0, false)),
        ("padding_not_own", like(0, 13, false)),
        ("padding_not_own", like(10, 13, false)),
        ("padding_not_own", like(10, 11, false)),
        ("padding_tokens_forgotten", like(0, 10, false)),
        ("padding_tokens_forgotten", like(12, 10, false)),
        ("image_first", like(12, 13, true)),
        ("image_first", like(0, 13, true)),
    ];
    let named = ways.iter().find(|(_, rows)| *rows == came).map(|(name, _)| *name);
    let wrong = usize::from(came[0] == IDS[0]);
    let expected = format!("ids {:?}", IDS[wrong]);
    Err(Miss::new(expected, format!("{:?}", came[wrong])).named(named))
}

fn positions(who: &dyn Ask) -> Outcome {
    let came = whole(&build(who)?, "positions")?;
    let Some(row) = came.iter().find(|row| row[..] != POSITIONS) else {
        follows_the_layout(who, "positions", &OTHER_POSITIONS)?;
        return Ok(None);
    };
    let named = if row[..] == [0, 1, 2, 3, 4, 5, 6] { Some("positions_run_on") } else { None };
    Err(Miss::new(format!("positions {POSITIONS:?}"), format!("{row:?}")).named(named))
}

fn targets(who: &dyn Ask) -> Outcome {
    let answer = build(who)?;
    let (came, ids) = (whole(&answer, "targets")?, whole(&answer, "ids")?);
    // By the student's own ids: those have a check of their own.
    let next = |row: &Vec<u32>| row[1..].iter().copied().chain([0]).collect::<Vec<_>>();
    let right: Vec<Vec<u32>> = ids.iter().map(next).collect();
    if came == right {
        return Ok(None);
    }
    let before =
        |row: &Vec<u32>| [0].into_iter().chain(row[..6].iter().copied()).collect::<Vec<_>>();
    let named = if came == ids {
        Some("not_shifted")
    } else if came == ids.iter().map(before).collect::<Vec<_>>() {
        Some("shifted_back")
    } else if came.iter().zip(&right).all(|(came, right)| came[..6] == right[..6]) {
        Some("something_after_the_end")
    } else {
        None
    };
    Err(Miss::new(format!("targets {:?} for ids {:?}", right[0], ids[0]), format!("{:?}", came[0]))
        .named(named))
}

fn weights(who: &dyn Ask) -> Outcome {
    let came = rows(&build(who)?, "weights")?;
    let like = |text: f32, image: f32, last: f32| -> Vec<Vec<f32>> {
        vec![vec![text, text, image, image, image, image, last]; 2]
    };
    let far = |other: &[Vec<f32>]| -> f64 {
        let pairs = came.iter().flatten().zip(other.iter().flatten());
        pairs.map(|(a, b)| f64::from((a - b).abs())).fold(0., f64::max)
    };
    let (t, i) = (TEXT_WEIGHT, IMAGE_WEIGHT);
    let mut padded = like(0.125 / 3., i, 0.);
    padded[0][1] = 0.;
    let mut unscaled = like(t, i, 0.);
    unscaled[0][1] = 0.;
    let ways = [
        ("weights_swapped", like(0.875 / 4., 0.125 / 8., 0.)),
        ("not_divided", like(0.125, 0.875, 0.)),
        ("not_divided", like(0.125, 0.875, 0.875)),
        ("each_text_by_itself", like(0.125 / 2., 0.875 / 4., 0.)),
        ("last_place_counts", like(t, i, i)),
        ("last_place_counts", like(t, 0.875 / 10., 0.875 / 10.)),
        ("all_the_same", like(1. / 12., 1. / 12., 0.)),
        ("all_the_same", like(1., 1., 0.)),
        ("padding_left_out", padded),
        ("padding_left_out", unscaled),
        (
            "by_place_not_by_target",
            vec![
                vec![0.125 / 6., 0.125 / 6., 0.125 / 6., 0.875 / 6., 0.875 / 6., 0.875 / 6., 0.];
                2
            ],
        ),
        (
            "by_place_not_by_target",
            vec![
                vec![0.125 / 6., 0.125 / 6., 0.125 / 6., 0.875 / 8., 0.875 / 8., 0.875 / 8., 0.];
                2
            ],
        ),
        (
            "by_place_not_by_target",
            vec![
                vec![
                    0.125 / 6.,
                    0.125 / 6.,
                    0.125 / 6.,
                    0.875 / 8.,
                    0.875 / 8.,
                    0.875 / 8.,
                    0.875 / 8.
                ];
                2
            ],
        ),
        ("by_place_not_by_target", vec![vec![t, t, t, i, i, i, 0.]; 2]),
        ("divided_by_text_places", like(0.125 / 6., i, 0.)),
    ];
    let named = ways.iter().find(|(_, way)| far(way) <= TOLERANCE).map(|(name, _)| *name);
    let difference = far(&like(t, i, 0.));
    if difference <= TOLERANCE {
        follows_the_layout(who, "weights", &OTHER_WEIGHTS)?;
    }
    within(difference, TOLERANCE, || {
        let expected = format!(
            "text targets of {t}, image targets of {i}, 0 at the last place ({} for all text, {} for all pictures)",
            0.125, 0.875
        );
        Miss::new(expected, format!("{:?}", came[0])).named(named)
    })
}
