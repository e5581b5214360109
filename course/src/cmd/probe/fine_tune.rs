//! `vl probe --fine-tune`: the whole image encoder learns from the examples that a probe learns from.

use serde_json::{Value, json};
use vision_language::clip::suite::{
    FineTuneOptions, FineTuned, Gallery, Painted, Prompts, Scores, draw_scenes, paired_test,
    zero_shot_of_task,
};
use vision_language::dataset::scenes::Split;

use super::{MOST_TESTED, ProbeArgs, Row, Subject, open};
use crate::Result;
use crate::holes::Holes;

/// How well three classifiers do on the same pictures.
struct Three {
    pictures: usize,
    zero_shot: Scores,
    probe: Scores,
    tuned: Scores,
}

impl Three {
    fn json(&self) -> Result<Value> {
        Ok(json!({
            "pictures": self.pictures, "zero_shot": self.zero_shot.accuracy(), "probe": self.probe.accuracy(),
            "fine_tuned": self.tuned.accuracy(), "p_fine_tuned_probe": paired_test(&self.tuned, &self.probe)?,
        }))
    }

    fn line(&self) -> String {
        let all =
            [&self.zero_shot, &self.probe, &self.tuned].map(|s| format!("{:.3}", s.accuracy()));
        format!("{:9} {:>9} {:>6} {:>10}", self.pictures, all[0], all[1], all[2])
    }
}

/// Fine-tunes the first model on every task, on the examples of its probe, and compares the three on held-out pictures and on
/// the unseen style.
pub(super) fn fine_tunes(
    args: &ProbeArgs,
    holes: &Holes,
    rows: &[Row],
    clip: &Subject,
) -> Result<Value> {
    let paint = |split, n: usize, seed: u64| Painted::new(&clip.model, draw_scenes(split, n, seed));
    let train = paint(Split::Train, args.train, args.seed)?;
    let test = paint(Split::Valid, args.test, args.seed + 1)?;
    let unseen = paint(Split::UnseenStyle, args.test, args.seed + 2)?;
    let unseen_gallery = Gallery::encoded(&clip.model, &unseen)?;
    let options =
        FineTuneOptions { epochs: args.epochs, lr: args.lr, seed: args.seed, ..Default::default() };
    if !args.json {
        println!(
            "{:15} {:>8}   held-out: {:>9} {:>6} {:>10}   unseen style: {:>9} {:>6} {:>10}",
            "task",
            "examples",
            "zero-shot",
            "probe",
            "fine-tuned",
            "zero-shot",
            "probe",
            "fine-tuned"
        );
    }
    let mut found = Vec::new();
    for row in rows {
        let examples = row.task.of_scenes(&train.scenes, args.most);
        let build = holes.zero_shot_classifier;
        let classifier = zero_shot_of_task(build, &clip.model, row.task, Prompts::Ensemble)?;
        let mut tuned = FineTuned::new(open(args, holes)?, &classifier)?;
        tuned.fit(&train, &examples, &options)?;
        let compare = |painted: &Painted, gallery: &Gallery| -> Result<Option<Three>> {
            let data = row.task.of_scenes(&painted.scenes, MOST_TESTED);
            if data.rows.is_empty() {
                return Ok(None);
            }
            let zero_shot = classifier.predict(&gallery.embeddings_of(&data)?)?;
            let probe = row.probes[0].probe.predict(&gallery.features_of(&data)?)?;
            let of = |said: &[_]| Scores::of(said, &data.labels);
            let tuned = of(&tuned.predict(painted, &data)?);
            let (zero_shot, probe) = (of(&zero_shot), of(&probe));
            Ok(Some(Three { pictures: data.rows.len(), zero_shot, probe, tuned }))
        };
        // The task of styles has no class for the unseen one.
        let both = [compare(&test, &clip.test)?, compare(&unseen, &unseen_gallery)?];
        if !args.json {
            let shown =
                both.each_ref().map(|three| three.as_ref().map_or(String::new(), Three::line));
            let (name, n) = (row.task.name(), examples.rows.len());
            println!("{name:15} {n:8}  {}        {}", shown[0], shown[1]);
        }
        let json = |three: &Option<Three>| three.as_ref().map(Three::json).transpose();
        found.push(json!({
            "task": row.task.name(), "examples": examples.rows.len(), "losses": tuned.losses,
            "held_out": json(&both[0])?, "unseen_style": json(&both[1])?,
        }));
    }
    Ok(json!(found))
}
