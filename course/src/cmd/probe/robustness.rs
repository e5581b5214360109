//! `vl probe --robustness`: what is left of the accuracy when the pictures change.

use serde_json::{Value, json};
use vision_language::clip::suite::{
    Painted, Prompts, Shift, Task, draw_scenes, expected_accuracy, few_shot_probes,
    robustness_by_shift, shifts, zero_shot_of_task,
};
use vision_language::dataset::scenes::Split;
use vision_language::display::{Curve, difference_bars, scatter_plot};

use super::{ProbeArgs, Row, SHOTS, Subject};
use crate::Result;
use crate::holes::Holes;

/// The object on pictures of the unseen style and under six corruptions at five severities: zero-shot, the probe on CLIP's
/// features, and probes on the plain encoder's with few and many examples, which are the line that effective robustness is
/// measured from.
pub(super) fn robustness(
    args: &ProbeArgs,
    holes: &Holes,
    rows: &[Row],
    clip: &Subject,
    plain: &Subject,
) -> Result<Value> {
    let task = Task::Object;
    let row = rows.iter().find(|row| row.task == task).expect("one of all tasks");
    let classifier =
        zero_shot_of_task(holes.zero_shot_classifier, &clip.model, task, Prompts::Ensemble)?;
    let mut ordinary = few_shot_probes(&plain.train, task, &SHOTS, row.plain.c, args.seed)?;
    ordinary.push(row.plain.probe.clone());
    let n = args.test.min(4000);
    let painted = Painted::new(&clip.model, draw_scenes(Split::Valid, n, args.seed + 1))?;
    let unseen = Painted::new(&clip.model, draw_scenes(Split::UnseenStyle, n, args.seed + 2))?;
    let found = shifts(
        task,
        (&clip.model, &classifier, &row.probes[0].probe),
        (&plain.model, &ordinary),
        &painted,
        &unseen,
    )?;
    let points = robustness_by_shift(&found);
    if !args.json {
        println!(
            "{:14} severity  zero-shot  probe (CLIP)  probe (plain)  effective robustness",
            "shift"
        );
        for s in &found {
            println!(
                "{:14} {:8} {:10.3} {:13.3} {:14.3} {:21.3}",
                s.name,
                s.severity,
                s.zero_shot,
                s.probe,
                s.plain,
                s.robustness(&found[0])
            );
        }
    }
    plot(&found[0], &found[1], args)?;
    let title = "Zero-shot's effective robustness, points";
    difference_bars(title, &points)?.save(&args.out.join("effective_robustness.png"))?;
    let list: Vec<_> = found
        .iter()
        .map(|s| {
            json!({
                "shift": s.name, "severity": s.severity, "zero_shot": s.zero_shot, "probe": s.probe, "plain": s.plain,
                "ordinary": s.ordinary, "effective_robustness": s.robustness(&found[0]),
            })
        })
        .collect();
    Ok(json!({"shifts": list, "points": points}))
}

/// Accuracy in the unseen style against accuracy without: the ordinary models, the line through them, zero-shot, CLIP's probe.
fn plot(unchanged: &Shift, unseen: &Shift, args: &ProbeArgs) -> Result<()> {
    let baseline: Vec<(f64, f64)> =
        unchanged.ordinary.iter().copied().zip(unseen.ordinary.iter().copied()).collect();
    let line: Vec<(f64, f64)> = (40..=99)
        .map(|percent| f64::from(percent) / 100.)
        .map(|x| (x, expected_accuracy(&baseline, x)))
        .collect();
    let groups = [
        Curve::new("zero-shot", vec![(unchanged.zero_shot, unseen.zero_shot)]),
        Curve::new("probe on CLIP", vec![(unchanged.probe, unseen.probe)]),
        Curve::new("on the plain encoder, by 1 to 100 examples a class", baseline),
    ];
    let title = "The unseen style: above the line is more robust than an ordinary model";
    scatter_plot(title, "accuracy on known styles", "accuracy on the unseen one", &groups, &line)?
        .save(&args.out.join("robustness.png"))?;
    Ok(())
}
