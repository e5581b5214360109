//! Which sentences make the best classifier? Prompt engineering, done by counting.

use candle_core::Tensor;

use super::{TextClassifier, TextTable, fill, top_k_accuracy};
use crate::clip::{EncodeText, ZeroShotClassifier};
use crate::display::Interruptible;
use crate::{Error, Result};

/// What a search over templates found.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptSearch {
    /// Each template alone with its accuracy, the best first.
    pub alone: Vec<(String, f64)>,
    /// Templates in the order in which they were taken, each with the accuracy of the ensemble so far.
    pub taken: Vec<(String, f64)>,
}

/// Takes templates greedily: the best one, then the one that helps it most, and so on, until none helps or `most` are
/// taken.
///
/// `image_embeddings (n, p)` with a class each (`labels`) are what it is tuned on: pictures that it must not be judged
/// by afterwards. Every sentence is encoded once.
///
/// # Errors
/// When there is no class, template or picture; [`Error::Stopped`] by a notebook's stop button.
pub fn search_prompts(
    zero_shot_classifier: ZeroShotClassifier,
    class_names: &[String],
    templates: &[String],
    encode_text: &EncodeText<'_>,
    image_embeddings: &Tensor,
    labels: &[usize],
    most: usize,
) -> Result<PromptSearch> {
    if templates.is_empty() {
        return Err(Error::value("search_prompts, templates", "at least one", "none"));
    }
    let texts: Vec<String> =
        templates.iter().flat_map(|t| class_names.iter().map(move |name| fill(t, name))).collect();
    let table = TextTable::encoded(&texts, encode_text)?;
    let stop = Interruptible::new("the search for prompts");
    let score = |chosen: &[String]| -> Result<f64> {
        stop.check(|| "the next call begins anew".into())?;
        let rows = zero_shot_classifier(class_names, chosen, &|texts| table.encode(texts))?;
        // The temperature changes no order.
        let classifier = TextClassifier::with_scale(class_names, &rows, 0.)?;
        top_k_accuracy(&classifier.predict(image_embeddings)?, labels, 1)
    };
    let mut alone = Vec::new();
    for template in templates {
        alone.push((template.clone(), score(std::slice::from_ref(template))?));
    }
    alone.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut taken: Vec<(String, f64)> = vec![alone[0].clone()];
    while taken.len() < most {
        let mut best: Option<(String, f64)> = None;
        for (template, _) in alone.iter().filter(|(t, _)| taken.iter().all(|(own, _)| own != t)) {
            let mut chosen: Vec<String> = taken.iter().map(|(t, _)| t.clone()).collect();
            chosen.push(template.clone());
            let with = score(&chosen)?;
            if best.as_ref().is_none_or(|(_, b)| with > *b) {
                best = Some((template.clone(), with));
            }
        }
        match best {
            Some(found) if found.1 > taken[taken.len() - 1].1 => taken.push(found),
            _ => break,
        }
    }
    Ok(PromptSearch { alone, taken })
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::nn::l2_normalize;

    /// Each sentence has one direction; the classifier takes the last template's.
    fn last(names: &[String], templates: &[String], encode: &EncodeText<'_>) -> Result<Tensor> {
        let template = &templates[templates.len() - 1];
        let texts: Vec<String> = names.iter().map(|n| fill(template, n)).collect();
        l2_normalize(&encode(&texts)?)
    }

    #[test]
    fn the_best_is_taken_and_nothing_that_does_not_help() {
        let names = ["dog", "cat"].map(String::from);
        let templates = ["the wrong {label}", "a {label}"].map(String::from);
        let encode = |texts: &[String]| {
            let row = |t: &String| match t.as_str() {
                "a dog" | "the wrong cat" => vec![1f32, 0.],
                _ => vec![0., 1.],
            };
            Ok(Tensor::new(texts.iter().map(row).collect::<Vec<_>>(), &Device::Cpu)?)
        };
        let images = Tensor::new(&[[5f32, 1.], [1., 2.]], &Device::Cpu).unwrap();
        let found = search_prompts(last, &names, &templates, &encode, &images, &[0, 1], 3).unwrap();
        assert_eq!(found.alone, [("a {label}".into(), 1.), ("the wrong {label}".into(), 0.)]);
        assert_eq!(found.taken, [("a {label}".into(), 1.)]);
    }
}
