//! Where CLIP fails, measured: who is left of whom, classes that are alike, and words written on pictures.

use candle_core::Tensor;

use super::{Gallery, Painted, Scores, Task};
use crate::clip::{ClipModel, Prediction, TextClassifier};
use crate::dataset::scenes::{Kind, Relation, Scene, objects};
use crate::display::written_on;
use crate::nn::l2_normalize;
use crate::{Error, Result};

/// How often the true one of two sentences is nearer to the picture; guessing gets a half.
#[derive(Clone, Debug, PartialEq)]
pub struct Relations {
    /// Pictures with two kinds, one left of the other.
    pub beside: usize,
    /// "… to the left of …" against "… to the right of …".
    pub left_right: f64,
    /// Pictures with two kinds, one above the other.
    pub stacked: usize,
    /// "… above …" against "… below …".
    pub above_below: f64,
    /// For comparison, the same pictures: the true sentence against one with another object in the second's place.
    pub other_object: f64,
}

fn noun(kind: &Kind) -> String {
    let info = &objects()[kind.object];
    match kind.count {
        1 => format!("{} {}", info.article, info.name),
        n => format!("{} {}", ["no", "one", "two", "three", "four"][n.min(4)], info.plural),
    }
}

fn sentence(scene: &Scene, relation: Relation, second: &Kind) -> String {
    let words = match relation {
        Relation::LeftOf => "to the left of",
        Relation::RightOf => "to the right of",
        Relation::Above => "above",
        Relation::Below => "below",
    };
    format!("{} {words} {}", noun(&scene.kinds[0]), noun(second))
}

/// Shows pairs of sentences that differ in one thing, in the words that the captions have for it.
///
/// # Errors
/// When no scene has a relation; what the model says.
pub fn relations(model: &ClipModel, gallery: &Gallery) -> Result<Relations> {
    let (mut rows, mut truths, mut turned, mut others) = (vec![], vec![], vec![], vec![]);
    let mut beside = Vec::new();
    for (row, scene) in gallery.scenes.iter().enumerate() {
        let Some(relation) = scene.relation else { continue };
        rows.push(row);
        beside.push(matches!(relation, Relation::LeftOf | Relation::RightOf));
        truths.push(sentence(scene, relation, &scene.kinds[1]));
        turned.push(sentence(scene, relation.inverse(), &scene.kinds[1]));
        // Some object that is not there: the next in the list, past those that are.
        let there = |object: usize| scene.kinds.iter().any(|kind| kind.object == object);
        let mut other = (scene.kinds[1].object + 7) % objects().len();
        while there(other) {
            other = (other + 1) % objects().len();
        }
        others.push(sentence(scene, relation, &Kind { object: other, ..scene.kinds[1] }));
    }
    if rows.is_empty() {
        return Err(Error::value("relations", "scenes with two kinds of objects", "none"));
    }
    let images = l2_normalize(&super::gallery::pick(&gallery.embeddings, &rows)?)?;
    let near = |texts: &[String]| -> Result<Vec<f32>> {
        let parts =
            texts.chunks(256).map(|part| model.encode_texts(part)).collect::<Result<Vec<_>>>()?;
        let texts = l2_normalize(&Tensor::cat(&parts, 0)?)?;
        Ok((&images * texts)?.sum(1)?.to_vec1::<f32>()?)
    };
    let (truth, turned, other) = (near(&truths)?, near(&turned)?, near(&others)?);
    let share = |than: &[f32], of: &dyn Fn(usize) -> bool| {
        let counted: Vec<usize> = (0..truth.len()).filter(|i| of(*i)).collect();
        let right = counted.iter().filter(|i| truth[**i] > than[**i]).count();
        (counted.len(), right as f64 / counted.len().max(1) as f64)
    };
    let (beside_count, left_right) = share(&turned, &|i| beside[i]);
    let (stacked, above_below) = share(&turned, &|i| !beside[i]);
    let (_, other_object) = share(&other, &|_| true);
    Ok(Relations { beside: beside_count, left_right, stacked, above_below, other_object })
}

/// Accuracy among classes that are alike, and among as many that are not.
#[derive(Clone, Debug, PartialEq)]
pub struct FineGrained {
    /// The classes that are alike.
    pub alike: Vec<String>,
    /// Pictures of them.
    pub pictures: usize,
    /// The accuracy when only they are the choices.
    pub accuracy: f64,
    /// The same pictures, when each class has to be told from others that are not like it.
    pub among_others: f64,
}

/// Objects that are told apart by details.
const ALIKE: [&[&str]; 5] = [
    &["car", "taxi", "police car", "ambulance", "fire truck", "truck", "bus"],
    &["fish", "tropical fish", "pufferfish", "shark", "dolphin", "whale"],
    &["apple", "pear", "orange", "lemon", "tomato"],
    &["ship", "sailboat", "speedboat", "canoe"],
    &["tree", "pine tree", "palm tree"],
];

/// Zero-shot accuracy in groups of like objects. `classifier` is one of all objects.
///
/// # Errors
/// When the classifier has other classes, or there is no picture of a group.
pub fn fine_grained(classifier: &TextClassifier, gallery: &Gallery) -> Result<Vec<FineGrained>> {
    let names = Task::Object.class_names();
    if classifier.class_names != names {
        let got = format!("{} classes", classifier.class_names.len());
        return Err(Error::value("fine_grained, classifier", "the classes of Task::Object", got));
    }
    let data = Task::Object.of_scenes(&gallery.scenes, usize::MAX);
    let predictions = classifier.predict(&gallery.embeddings_of(&data)?)?;
    let place = |name: &&str| names.iter().position(|n| n == name);
    ALIKE
        .iter()
        .map(|alike| {
            let group: Vec<usize> = alike.iter().filter_map(place).collect();
            let of_group = predictions.iter().zip(&data.labels);
            let of_group: Vec<(&Prediction, usize)> =
                of_group.filter(|(_, l)| group.contains(l)).map(|(p, l)| (p, *l)).collect();
            if of_group.is_empty() {
                return Err(Error::value("fine_grained", "a picture of each group", "none"));
            }
            // Strangers: as many other choices, spread evenly over the list of all objects.
            let strangers: Vec<usize> =
                (0..names.len()).step_by(11).filter(|c| !group.contains(c)).collect();
            let share = |among: &[usize]| {
                let best = |p: &Prediction, label: usize| {
                    let mut others = among.iter().filter(|c| **c != label);
                    others.all(|c| p.probability(*c) < p.probability(label))
                };
                let right = of_group.iter().filter(|(p, label)| best(p, *label)).count();
                right as f64 / of_group.len() as f64
            };
            Ok(FineGrained {
                alike: alike.iter().map(ToString::to_string).collect(),
                pictures: of_group.len(),
                accuracy: share(&group),
                among_others: share(&strangers[..group.len() - 1]),
            })
        })
        .collect()
}

/// A word written on pictures: the accuracy without, with a blank label, and with another class's name on it, and the
/// share that is then taken for that name (G. Goh and others, "Multimodal Neurons in Artificial Neural Networks", 2021).
///
/// # Errors
/// What the model says.
pub fn typographic_attack(
    model: &ClipModel,
    classifier: &TextClassifier,
    painted: &Painted,
    labels: &[usize],
    word: usize,
) -> Result<[f64; 4]> {
    let said = |text: Option<&str>| -> Result<Vec<Prediction>> {
        let mut changed = painted.clone();
        if let Some(text) = text {
            for picture in &mut changed.pictures {
                *picture = written_on(picture, text)?;
            }
        }
        classifier.predict(&Gallery::encoded_silently(model, &changed)?.embeddings)
    };
    let name = &classifier.class_names[word];
    let (plain, blank, attacked) = (said(None)?, said(Some(""))?, said(Some(name))?);
    let taken = attacked.iter().filter(|p| p.class() == word).count();
    Ok([
        Scores::of(&plain, labels).accuracy(),
        Scores::of(&blank, labels).accuracy(),
        Scores::of(&attacked, labels).accuracy(),
        taken as f64 / attacked.len().max(1) as f64,
    ])
}
