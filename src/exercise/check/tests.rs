//! What the checks say of code that the library has, of stubs, and of code that misbehaves.

use std::time::Duration;

use candle_core::Tensor;

use super::*;
use crate::clip::LinearHead;
use crate::dataset::FolderPairs;
use crate::exercise::{Status, exercises};

#[test]
fn every_exercise_is_worth_ten_and_ids_are_unique() {
    for exercise in exercises() {
        let checks = checks(exercise.id);
        assert_eq!(checks.iter().map(|c| c.points).sum::<u32>(), 10, "{}", exercise.id);
        for (i, check) in checks.iter().enumerate() {
            assert!(checks[..i].iter().all(|c| c.id != check.id), "{} twice", check.id);
        }
    }
}

#[test]
fn the_librarys_own_dataset_is_right() {
    let report = clip_dataset::<FolderPairs>();
    assert!(report.is_complete(), "{report}");
}

#[test]
fn a_linear_head_is_told_by_its_parameters() {
    let report = projection_head::<LinearHead>();
    assert_eq!(report.checks[0].status, Status::Wrong, "{report}");
    assert_eq!(report.misconception(), Some("no_bias"));
    assert!(report.checks[1..].iter().all(|c| c.status == Status::Waiting), "{report}");
}

#[test]
fn a_stub_is_not_yet() {
    let reports = [
        clip_loss(|_, _, _| todo!("clip_loss: write your code")),
        keep_best(|_, _, _, _| todo!()),
        find_matches(|_, _, _, _| todo!()),
        zero_shot_classifier(|_, _, _| todo!()),
    ];
    for report in reports {
        assert!(report.is_not_yet() && report.points() == 0, "{report}");
        assert!(report.checks.iter().all(|c| c.status == Status::NotYet), "{report}");
    }
}

#[test]
fn every_misbehaviour_has_a_name() {
    let first = |report: Report| report.checks[0].clone();
    let panic = first(clip_loss(|_, _, _| panic!("index out of bounds")));
    assert_eq!(panic.status, Status::Panic);
    assert_eq!(panic.came, "a panic: index out of bounds");
    let shape = first(clip_loss(|image, _, _| Ok(image.clone())));
    assert_eq!((shape.status, shape.came.as_str()), (Status::Shape, "(3, 4)"));
    assert_eq!(shape.misconception.as_deref(), Some("not_averaged"));
    assert!(shape.question.ends_with('?'));
    fn nan(_: &Tensor, _: &Tensor, t: &Tensor) -> crate::Result<Tensor> {
        Ok((t * f64::NAN)?)
    }
    assert_eq!(first(clip_loss(nan)).status, Status::NotFinite);
    let error = first(clip_loss(|image, _, t| Ok(image.matmul(t)?)));
    assert_eq!(error.status, Status::Error);
    assert!(error.came.contains("matmul") && !error.came.contains("   0:"), "{}", error.came);
}

#[test]
fn an_endless_loop_is_told_and_asked_no_more() {
    let forever: crate::clip::ClipLoss = |_, _, _| {
        loop {
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let who = Local::new(answers::clip_loss(forever)).limit(Duration::from_millis(200));
    let begun = std::time::Instant::now();
    let report = run("clip_loss", &who).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(report.checks[0].status, Status::TimedOut);
    assert!(report.checks[1..].iter().all(|c| c.status == Status::Waiting));
    assert!(report.checks[0].came.contains("endless loop"), "{report}");
}

#[test]
fn an_unknown_exercise_is_an_error() {
    let error = run("no_such", &Local::new(answers::keep_best(|_, b, _, _| Ok(b))));
    assert!(error.unwrap_err().to_string().contains("clip_dataset"));
}
