//! `vl classify`: which of some labels fits a picture?

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use vision_language::candle_core::Tensor;
use vision_language::clip::{
    ClipModel, TextClassifier, TextTable, fill, prediction_grid, read_templates,
};
use vision_language::dataset::{Transform, load_image};
use vision_language::exercise::filled;
use vision_language::nn::Mode;

use crate::holes::Holes;
use crate::{Error, Result};

/// Say which of some labels fits a picture, without any training for them (zero-shot).
#[derive(Clone, Debug, Args)]
pub struct ClassifyArgs {
    /// The pictures
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// The labels, with commas between them: "dog,cat,boat"
    #[arg(long, required_unless_present = "classifier", conflicts_with = "classifier")]
    labels: Option<String>,
    /// The sentence around each label
    #[arg(long, default_value = "a photo of a {label}", conflicts_with = "templates")]
    template: String,
    /// A file with a sentence a line: the mean of all is taken (your `zero_shot_classifier`)
    #[arg(long)]
    templates: Option<PathBuf>,
    /// A classifier that `--save` wrote, instead of labels
    #[arg(long)]
    classifier: Option<PathBuf>,
    /// Keep the classifier in this file
    #[arg(long)]
    save: Option<PathBuf>,
    /// A checkpoint of `cargo vl train`, or a folder with a published CLIP; without it, the model that travels with the library
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// Draw the pictures with their labels here
    #[arg(long)]
    out: Option<PathBuf>,
    /// How many labels to print for each picture
    #[arg(long, default_value_t = 5)]
    top: usize,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    json: bool,
}

impl ClassifyArgs {
    /// Whether it wants the exercises' code: an ensemble, or a checkpoint with a head of the student's.
    pub fn wants_holes(&self) -> bool {
        self.templates.is_some() || self.checkpoint.is_some()
    }
}

/// The labels between the commas.
fn labels(list: &str) -> Result<Vec<String>> {
    let names: Vec<String> = list
        .split(',')
        .map(|name| name.trim().to_string())
        .filter(|name| !name.is_empty())
        .collect();
    if names.len() < 2 {
        return Err(Error::Usage(format!(
            "--labels: expected at least two with commas between them, as in \"dog,cat,boat\", got {list:?}"
        )));
    }
    if let Some(twice) = (1..names.len()).find(|at| names[..*at].contains(&names[*at])) {
        return Err(Error::Usage(format!("--labels: {:?} is there twice", names[twice])));
    }
    Ok(names)
}

/// The classifier of the arguments, and the sentence to draw.
fn classifier(
    args: &ClassifyArgs,
    model: &ClipModel,
    holes: Option<&Holes>,
) -> Result<(TextClassifier, String)> {
    if let Some(path) = &args.classifier {
        return Ok((TextClassifier::load(path)?, "{label}".into()));
    }
    let names = labels(args.labels.as_deref().unwrap_or_default())?;
    let (Some(path), Some(holes)) = (&args.templates, holes) else {
        if !args.template.contains("{label}") {
            let got =
                format!("--template: expected {{label}} in the sentence, got {:?}", args.template);
            return Err(Error::Usage(got));
        }
        let sentences: Vec<String> = names.iter().map(|name| fill(&args.template, name)).collect();
        let found = TextClassifier::of_sentences(&names, &sentences, model)?;
        return Ok((found, args.template.clone()));
    };
    let templates = read_templates(path)?;
    if !filled::zero_shot_classifier(holes.zero_shot_classifier).is_filled() {
        return Err(Error::Failed(
            "an ensemble of templates is your exercise `zero_shot_classifier`, which is not filled in yet: \
             fill it (`cargo vl hint zero_shot_classifier`), or give one sentence with --template"
                .into(),
        ));
    }
    let texts: Vec<String> =
        names.iter().flat_map(|name| templates.iter().map(move |t| fill(t, name))).collect();
    let table = TextTable::encoded(&texts, &|texts| model.encode_texts(texts))?;
    let rows = (holes.zero_shot_classifier)(&names, &templates, &|texts| table.encode(texts))?;
    Ok((TextClassifier::new(&names, &rows, model)?, templates[0].clone()))
}

/// Does what the arguments say.
///
/// # Errors
/// When a picture, the checkpoint, the templates or the classifier cannot be read, or a result cannot be written.
pub fn classify(args: &ClassifyArgs, holes: Option<&Holes>) -> Result<()> {
    if args.top == 0 {
        return Err(Error::Usage("--top: expected at least 1, got 0".into()));
    }
    let model = match (&args.checkpoint, holes) {
        (Some(path), Some(holes)) => ClipModel::open(path, holes.head, holes.clip_loss)?,
        _ => ClipModel::shipped()?,
    };
    let (classifier, template) = classifier(args, &model, holes)?;
    let transform = Transform::of(model.config());
    let read = |(i, path): (usize, &PathBuf)| Ok(load_image(path, i)?);
    let pictures = args.images.iter().enumerate().map(read).collect::<Result<Vec<_>>>()?;
    let tensors: Vec<Tensor> =
        pictures.iter().map(|p| transform.apply(p)).collect::<vision_language::Result<_>>()?;
    let batch = Tensor::stack(&tensors, 0).map_err(vision_language::Error::from)?;
    let batch = batch.to_device(model.params().device()).map_err(vision_language::Error::from)?;
    let predictions = classifier.predict(&model.encode_image(&batch, Mode::Eval)?)?;
    if let Some(path) = &args.save {
        classifier.save(path)?;
    }
    if let Some(path) = &args.out {
        let unknown = vec![None; pictures.len()];
        let drawn = prediction_grid("", &template, &classifier, &pictures, &predictions, &unknown)?;
        drawn.save(path)?;
    }
    let names = &classifier.class_names;
    if args.json {
        let found: Vec<_> = args
            .images
            .iter()
            .zip(&predictions)
            .map(|(image, prediction)| {
                let shown = prediction.ranked.iter().take(args.top);
                let labels: Vec<_> = shown
                    .map(|(class, p)| json!({"label": names[*class], "probability": p}))
                    .collect();
                json!({"image": image, "labels": labels})
            })
            .collect();
        println!("{}", json!({"labels": names.len(), "template": template, "images": found}));
        return Ok(());
    }
    for (image, prediction) in args.images.iter().zip(&predictions) {
        println!("{}", image.display());
        for (class, probability) in prediction.ranked.iter().take(args.top) {
            println!("  {:5.1}%  {}", 100. * probability, names[*class]);
        }
    }
    println!(
        "Each picture was compared with {} labels, none of which the model was trained for; their probabilities add up to \
         100%, whether or not a label fits.",
        names.len()
    );
    if let Some(path) = &args.save {
        println!("The classifier is in {}: give it to --classifier.", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_between_commas() {
        assert_eq!(labels("dog, hot dog,").unwrap(), ["dog", "hot dog"]);
        for bad in ["", "dog", "dog,dog", ","] {
            assert!(matches!(labels(bad), Err(Error::Usage(_))), "{bad}");
        }
    }
}
