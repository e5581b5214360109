//! `vl probe`: what CLIP's features are good for, on eight tasks about scenes.

mod fine_tune;
mod robustness;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use vision_language::clip::ClipModel;
use vision_language::clip::probe::{Lbfgs, ProbeOptions, SweepOptions};
use vision_language::clip::suite::{
    Gallery, Painted, ProbeScores, Prompts, Scores, Task, ZeroShotScores, draw_scenes, few_shot,
    fine_grained, paired_test, plain_encoder, probe_scores, relations, typographic_attack,
    zero_shot_of_task, zero_shot_scores,
};
use vision_language::dataset::scenes::Split;
use vision_language::display::{Curve, difference_bars, line_plot};
use vision_language::exercise::filled;

use crate::holes::Holes;
use crate::{Error, Result};

/// Zero-shot against linear probes on eight tasks about scenes: the lecture's figure 5, and more.
#[derive(Clone, Debug, Args)]
pub struct ProbeArgs {
    /// A checkpoint of `cargo vl train`, or a folder with a published CLIP; several are several seeds of one training [default:
    /// the model that travels with the library]
    #[arg(long)]
    checkpoint: Vec<PathBuf>,
    /// Scenes to train probes on
    #[arg(long, default_value_t = 12_000)]
    train: usize,
    /// Scenes to test on
    #[arg(long, default_value_t = 6_000)]
    test: usize,
    /// Examples a class that a probe learns from, at most
    #[arg(long, default_value_t = 100)]
    most: usize,
    /// The seed of the scenes
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Values of log10 C between -4 and 4 in steps of two, and then so many halvings of the interval around the best
    #[arg(long, default_value_t = 2)]
    halvings: usize,
    /// Also: probes with 1, 2, 4, 8 and 16 examples a class
    #[arg(long)]
    few_shot: bool,
    /// Also: the unseen style and six corruptions at five severities
    #[arg(long)]
    robustness: bool,
    /// Also: counting, left and right, classes that are alike, words on pictures
    #[arg(long)]
    limits: bool,
    /// Also: the whole image encoder fine-tuned on the probe's examples, on held-out pictures and on the unseen style; this
    /// takes minutes
    #[arg(long)]
    fine_tune: bool,
    /// Passes of the fine-tuning over the examples
    #[arg(long, default_value_t = 10)]
    epochs: usize,
    /// The learning rate of the fine-tuning
    #[arg(long, default_value_t = 3e-4)]
    lr: f64,
    /// Where figures and features go; features are used again
    #[arg(long, default_value = "out/probe")]
    out: PathBuf,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
}

/// The first model, anew: fine-tuning changes it.
fn open(args: &ProbeArgs, holes: &Holes) -> Result<ClipModel> {
    Ok(match args.checkpoint.first() {
        Some(path) => ClipModel::load(path, holes.head, holes.clip_loss)?,
        None => ClipModel::shipped()?,
    })
}

/// One model with its pictures.
struct Subject {
    model: ClipModel,
    train: Gallery,
    test: Gallery,
}

fn subject(model: ClipModel, name: &str, args: &ProbeArgs) -> Result<Subject> {
    let gallery = |part: &str, split: Split, n: usize, seed: u64| {
        let cache = args.out.join(format!("{name}_{part}.safetensors"));
        Gallery::cached(&model, draw_scenes(split, n, seed), &cache)
    };
    let train = gallery("train", Split::Train, args.train, args.seed)?;
    let test = gallery("test", Split::Valid, args.test, args.seed + 1)?;
    Ok(Subject { model, train, test })
}

/// Pictures of a class that a task is tested on, at most.
const MOST_TESTED: usize = 100;

fn options(args: &ProbeArgs) -> SweepOptions {
    let minimiser = Lbfgs { max_iterations: 300, tolerance: 1e-4, ..Lbfgs::default() };
    SweepOptions {
        first: vec![-4., -2., 0., 2., 4.],
        halvings: args.halvings,
        probe: ProbeOptions { minimiser, ..ProbeOptions::default() },
    }
}

fn mean_and_spread(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.).max(1.)).sqrt())
}

/// Everything that is known of a task.
struct Row {
    task: Task,
    pictures: usize,
    zero_shot: Vec<ZeroShotScores>,
    probes: Vec<ProbeScores>,
    plain: ProbeScores,
}

impl Row {
    fn accuracies(&self, of: fn(&ZeroShotScores) -> &Scores) -> Vec<f64> {
        self.zero_shot.iter().map(|scores| of(scores).accuracy()).collect()
    }

    fn of_probes(&self) -> Vec<f64> {
        self.probes.iter().map(|probe| probe.scores.accuracy()).collect()
    }

    /// McNemar's p of each model: sentence against label, ensemble against sentence.
    fn tests(&self) -> Result<Vec<(f64, f64)>> {
        let both = |s: &ZeroShotScores| {
            Ok((paired_test(&s.bare, &s.one)?, paired_test(&s.one, &s.ensemble)?))
        };
        self.zero_shot.iter().map(both).collect()
    }

    fn json(&self) -> Result<Value> {
        let tests = self.tests()?;
        Ok(json!({
            "task": self.task.name(), "classes": self.task.class_names().len(),
            "pictures": self.pictures, "chance": self.task.chance(),
            "label": self.accuracies(|s| &s.bare), "sentence": self.accuracies(|s| &s.one),
            "ensemble": self.accuracies(|s| &s.ensemble),
            "p_sentence_label": tests.iter().map(|t| t.0).collect::<Vec<_>>(),
            "p_ensemble_sentence": tests.iter().map(|t| t.1).collect::<Vec<_>>(),
            "probe": self.of_probes(), "probe_c": self.probes.iter().map(|p| p.c).collect::<Vec<_>>(),
            "plain_probe": self.plain.scores.accuracy(), "plain_probe_c": self.plain.c,
        }))
    }
}

/// Does what the arguments say.
///
/// # Errors
/// When a checkpoint cannot be read, `zero_shot_classifier` is not filled in, or a figure cannot be written.
pub fn probe(args: &ProbeArgs, holes: &Holes) -> Result<()> {
    if args.train < 1000 || args.test < 1000 || args.most < 2 {
        return Err(Error::Usage(
            "--train, --test: expected at least 1000 scenes each, so that every class has some; --most: at least 2".into(),
        ));
    }
    if args.epochs == 0 || !(args.lr > 0. && args.lr.is_finite()) {
        return Err(Error::Usage("--epochs: expected at least 1; --lr: more than 0".into()));
    }
    if !filled::zero_shot_classifier(holes.zero_shot_classifier).is_filled() {
        let why = "your exercise `zero_shot_classifier` is not filled in yet: cargo vl hint zero_shot_classifier";
        return Err(Error::Failed(why.into()));
    }
    std::fs::create_dir_all(&args.out).map_err(Error::io(&args.out))?;
    let mut subjects = Vec::new();
    for (i, path) in args.checkpoint.iter().enumerate() {
        let model = ClipModel::open(path, holes.head, holes.clip_loss)?;
        subjects.push(subject(model, &format!("clip_{i}"), args)?);
    }
    if subjects.is_empty() {
        subjects.push(subject(open(args, holes)?, "clip", args)?);
    }
    let plain = subject(plain_encoder(subjects[0].model.config())?, "plain", args)?;
    let rows = rows(args, holes, &subjects, &plain)?;
    let mut report = json!({
        "tasks": rows.iter().map(Row::json).collect::<Result<Vec<_>>>()?, "train": args.train,
        "test": args.test, "seed": args.seed, "most": args.most, "models": subjects.len(),
    });
    if !args.json {
        print!("{}", table(&rows, subjects.len())?);
    }
    figure_5(&rows, &args.out)?;
    let first = &subjects[0];
    if args.few_shot {
        report["few_shot"] = few_shots(args, &rows, first, &plain)?;
    }
    if args.robustness {
        report["robustness"] = robustness::robustness(args, holes, &rows, first, &plain)?;
    }
    if args.fine_tune {
        report["fine_tune"] = fine_tune::fine_tunes(args, holes, &rows, first)?;
    }
    if args.limits {
        report["limits"] = limits(args, holes, first)?;
    }
    if args.json {
        println!("{report}");
    } else {
        println!(
            "Zero-shot classifiers have seen no labelled picture, probes up to {} of each class. The figures are in {}.",
            args.most,
            args.out.display()
        );
    }
    Ok(())
}

fn rows(
    args: &ProbeArgs,
    holes: &Holes,
    subjects: &[Subject],
    plain: &Subject,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for task in Task::ALL {
        let data = task.of_scenes(&plain.test.scenes, MOST_TESTED);
        let (mut zero_shot, mut probes) = (Vec::new(), Vec::new());
        let one = |s: &Subject| {
            probe_scores(&s.train, &s.test, task, args.most, MOST_TESTED, &options(args))
        };
        for subject in subjects {
            let build = holes.zero_shot_classifier;
            zero_shot.push(zero_shot_scores(build, &subject.model, &subject.test, &data)?);
            probes.push(one(subject)?);
        }
        if !args.json {
            eprintln!("{}: done", task.name());
        }
        rows.push(Row { task, pictures: data.rows.len(), zero_shot, probes, plain: one(plain)? });
    }
    Ok(rows)
}

fn table(rows: &[Row], models: usize) -> Result<String> {
    let mut text = format!(
        "{:15} {:>7} {:>8} {:>7}  {:15} {:15} {:15} {:15} {:>7}   p, label to sentence to ensemble\n",
        "task",
        "classes",
        "pictures",
        "chance",
        "label",
        "sentence",
        "ensemble",
        "probe (CLIP)",
        "(plain)"
    );
    let shown = |values: &[f64]| {
        let (mean, spread) = mean_and_spread(values);
        match models {
            1 => format!("{mean:.3}"),
            _ => format!("{mean:.3} ± {spread:.3}"),
        }
    };
    for row in rows {
        let tests = row.tests()?;
        let p: Vec<String> = tests.iter().map(|(a, b)| format!("{a:.1e} {b:.1e}")).collect();
        let _ = writeln!(
            text,
            "{:15} {:7} {:8} {:7.3}  {:15} {:15} {:15} {:15} {:7.3}   {}",
            row.task.name(),
            row.task.class_names().len(),
            row.pictures,
            row.task.chance(),
            shown(&row.accuracies(|s| &s.bare)),
            shown(&row.accuracies(|s| &s.one)),
            shown(&row.accuracies(|s| &s.ensemble)),
            shown(&row.of_probes()),
            row.plain.scores.accuracy(),
            p.join(", ")
        );
    }
    Ok(text)
}

/// Zero-shot less the probe on the plain encoder's features, and less the one on CLIP's.
fn figure_5(rows: &[Row], out: &Path) -> Result<()> {
    let points = |of: &dyn Fn(&Row) -> f64| -> Vec<(String, f64)> {
        let one = |row: &Row| {
            let zero_shot = mean_and_spread(&row.accuracies(|s| &s.ensemble)).0;
            (row.task.name().to_string(), 100. * (zero_shot - of(row)))
        };
        rows.iter().map(one).collect()
    };
    let plain = points(&|row| row.plain.scores.accuracy());
    difference_bars("Zero-shot less a linear probe on the plain encoder, points", &plain)?
        .save(&out.join("figure_5.png"))?;
    let clip = points(&|row| mean_and_spread(&row.of_probes()).0);
    difference_bars("Zero-shot less a linear probe on CLIP's own features, points", &clip)?
        .save(&out.join("figure_5_clip.png"))?;
    Ok(())
}

const SHOTS: [usize; 5] = [1, 2, 4, 8, 16];

fn few_shots(args: &ProbeArgs, rows: &[Row], clip: &Subject, plain: &Subject) -> Result<Value> {
    let (mut found, mut means) = (Vec::new(), vec![(0., 0.); SHOTS.len()]);
    let mut zero_shot = 0.;
    for row in rows {
        let of = |s: &Subject, c: f64| {
            let data = row.task.of_scenes(&s.test.scenes, MOST_TESTED);
            few_shot(&s.train, &s.test, &data, &SHOTS, 3, c, args.seed)
        };
        let (own, other) = (of(clip, row.probes[0].c)?, of(plain, row.plain.c)?);
        let line = row.zero_shot[0].ensemble.accuracy();
        zero_shot += line / rows.len() as f64;
        if !args.json {
            let shown = |list: &[vision_language::clip::suite::FewShot]| {
                let means: Vec<_> = list.iter().map(|f| format!("{:.3}", f.mean())).collect();
                means.join(" ")
            };
            println!(
                "{:15} zero-shot {line:.3}; 1, 2, 4, 8, 16 a class: CLIP {}, plain {}",
                row.task.name(),
                shown(&own),
                shown(&other)
            );
        }
        for (mean, (a, b)) in means.iter_mut().zip(own.iter().zip(&other)) {
            mean.0 += a.mean() / rows.len() as f64;
            mean.1 += b.mean() / rows.len() as f64;
        }
        let list = |all: &[vision_language::clip::suite::FewShot]| -> Vec<_> {
            all.iter().map(|f| f.accuracies.clone()).collect()
        };
        found.push(json!({"task": row.task.name(), "zero_shot": line, "clip": list(&own), "plain": list(&other)}));
    }
    let curve = |name: &str, of: &dyn Fn(usize) -> f64| {
        Curve::new(
            name,
            SHOTS.iter().enumerate().map(|(i, s)| ((*s as f64).log2(), of(i))).collect(),
        )
    };
    let curves = [
        curve("zero-shot", &|_| zero_shot),
        curve("probe on CLIP", &|i| means[i].0),
        curve("on the plain encoder", &|i| means[i].1),
    ];
    line_plot("Mean accuracy of eight tasks", "examples a class, log₂", "accuracy", &curves)?
        .save(&args.out.join("few_shot.png"))?;
    Ok(json!(found))
}

fn limits(args: &ProbeArgs, holes: &Holes, clip: &Subject) -> Result<Value> {
    let sides = relations(&clip.model, &clip.test)?;
    let task = Task::Object;
    let build = holes.zero_shot_classifier;
    let classifier = zero_shot_of_task(build, &clip.model, task, Prompts::Ensemble)?;
    let groups = fine_grained(&classifier, &clip.test)?;
    let painted = Painted::new(&clip.model, draw_scenes(Split::Valid, 1500, args.seed + 1))?;
    let data = task.of_scenes(&painted.scenes, usize::MAX);
    let word = classifier.class_names.iter().position(|n| n == "pizza").unwrap_or(0);
    let attack = typographic_attack(
        &clip.model,
        &classifier,
        &painted.select(&data.rows),
        &data.labels,
        word,
    )?;
    if !args.json {
        println!(
            "left or right {:.3} ({} pictures), above or below {:.3} ({}), the right object of two {:.3}; guessing 0.5",
            sides.left_right, sides.beside, sides.above_below, sides.stacked, sides.other_object
        );
        for group in &groups {
            println!(
                "{}: {:.3} among themselves, {:.3} among others ({} pictures)",
                group.alike.join(", "),
                group.accuracy,
                group.among_others,
                group.pictures
            );
        }
        println!(
            "a word on the picture: accuracy {:.3}, with a blank label {:.3}, with \"pizza\" on it {:.3}; taken for a pizza {:.3}",
            attack[0], attack[1], attack[2], attack[3]
        );
    }
    let groups: Vec<_> = groups
        .iter()
        .map(|g| json!({"alike": g.alike, "pictures": g.pictures, "accuracy": g.accuracy, "among_others": g.among_others}))
        .collect();
    Ok(json!({
        "left_right": sides.left_right, "beside": sides.beside, "above_below": sides.above_below,
        "stacked": sides.stacked, "other_object": sides.other_object, "fine_grained": groups, "typographic": attack,
    }))
}
