//! What goes on in a hole's place while it is not filled in. Each function says so in a line where it is used; none of
//! them is the exercise's solution.

use std::path::Path;
use std::sync::Arc;

use candle_core::Tensor;

use super::{Filled, Hole, filled};
use crate::clip::{
    ClipLoss, EncodeText, FindMatches, HeadBuilder, KeepBest, LinearHead, Match, Projection, Save,
    ZeroShotClassifier, fill, head,
};
use crate::dalle::{DalleHoles, DalleSequence, Quantize};
use crate::dataset::{FolderPairs, PairDataset, Transform};
use crate::frozen::{CaptionLoss, FreezeLm, FrozenHoles, VisualPrefix};
use crate::language_model::Perplexity;
use crate::nn::l2_normalize;
use crate::prompting::{FewShotPrompt, PromptTemplate, ReadAnswer, Segment, Shot};
use crate::text::Tokenizer;
use crate::unclip::{Guidance, WithoutHole};
use crate::{Error, Result};

/// The builder of `H`, or of the library's [`LinearHead`].
pub fn projection_head<H: Projection + 'static>() -> HeadBuilder {
    let hole = filled::projection_head::<H>();
    if hole.is_filled() {
        return head::<H>();
    }
    say(&hole, "the library's LinearHead");
    head::<LinearHead>()
}

/// `loss`, or a function that fails with [`Error::NotYet`]: the library holds no loss of its own.
pub fn clip_loss(loss: ClipLoss) -> ClipLoss {
    fn not_yet(_: &Tensor, _: &Tensor, _: &Tensor) -> Result<Tensor> {
        Err(Error::NotYet { id: "clip_loss".into() })
    }
    let hole = filled::clip_loss(loss);
    if hole.is_filled() {
        return loss;
    }
    println!("{hole}: a model can be built and used without it, and not trained");
    not_yet
}

/// A `D` of these pairs, or the library's [`FolderPairs`].
///
/// # Errors
/// As [`PairDataset::new`].
pub fn clip_dataset<D: PairDataset + 'static>(
    image_filenames: &[String],
    captions: &[String],
    tokenizer: &Tokenizer,
    transform: &Transform,
    image_folder: &Path,
    max_length: usize,
) -> Result<Arc<dyn PairDataset>> {
    let hole = filled::clip_dataset::<D>();
    if !hole.is_filled() {
        say(&hole, "the library's FolderPairs");
        let pairs = FolderPairs::new(
            image_filenames,
            captions,
            tokenizer,
            transform,
            image_folder,
            max_length,
        )?;
        return Ok(Arc::new(pairs));
    }
    let pairs = D::new(image_filenames, captions, tokenizer, transform, image_folder, max_length)?;
    Ok(Arc::new(pairs))
}

/// `keep`, or a function that keeps track of the lowest loss and saves nothing.
pub fn keep_best(keep: KeepBest) -> KeepBest {
    fn forgetful(valid_loss: f64, best_loss: f64, _: &dyn Save, _: &Path) -> Result<f64> {
        Ok(best_loss.min(valid_loss))
    }
    let hole = filled::keep_best(keep);
    if hole.is_filled() {
        return keep;
    }
    println!("{hole}: the training goes on, and no best.pt is saved");
    forgetful
}

/// `find`, or a function that gives the first `n` pictures, whatever the query is.
pub fn find_matches(find: FindMatches) -> FindMatches {
    fn first(images: &Tensor, _: &Tensor, names: &[String], n: usize) -> Result<Vec<Match>> {
        let mut matches: Vec<Match> = Vec::new();
        for name in &names[..names.len().min(images.dim(0)?)] {
            if matches.len() < n && !matches.iter().any(|m| m.image_filename == *name) {
                matches.push(Match { image_filename: name.clone(), similarity: f32::NAN });
            }
        }
        Ok(matches)
    }
    let hole = filled::find_matches(find);
    if hole.is_filled() {
        return find;
    }
    println!("{hole}: what you see are the first pictures of the folder, not the best");
    first
}

/// `build`, or a function that asks the first template alone.
pub fn zero_shot_classifier(build: ZeroShotClassifier) -> ZeroShotClassifier {
    fn first(names: &[String], templates: &[String], encode: &EncodeText<'_>) -> Result<Tensor> {
        let template = templates.first().ok_or_else(|| {
            Error::value("zero_shot_classifier, templates", "at least one", "none")
        })?;
        let sentences: Vec<String> = names.iter().map(|name| fill(template, name)).collect();
        l2_normalize(&encode(&sentences)?)
    }
    let hole = filled::zero_shot_classifier(build);
    if hole.is_filled() {
        return build;
    }
    println!("{hole}: of an ensemble, the first template alone is asked");
    first
}

/// The three exercises of Frozen. Where one is not filled in, [`Frozen::shipped`](crate::frozen::Frozen::shipped) goes on
/// with a model that we have trained; it writes about pictures, and cannot be trained without all three.
pub fn frozen(freeze: FreezeLm, prefix: VisualPrefix, loss: CaptionLoss) -> Option<FrozenHoles> {
    let holes =
        [filled::freeze_lm(freeze), filled::visual_prefix(prefix), filled::caption_loss(loss)];
    for hole in holes.iter().filter(|hole| !hole.is_filled()) {
        println!("{hole}: a model that we have trained stands in");
    }
    let all = holes.iter().all(Hole::is_filled);
    all.then_some(FrozenHoles { freeze_lm: freeze, visual_prefix: prefix, caption_loss: loss })
}

/// The two exercises of DALL-E. Where one is not filled in, [`Dalle::shipped`](crate::dalle::Dalle::shipped) goes on with
/// models that we have trained; they draw, and cannot be trained without both.
pub fn dalle(quantize: Quantize, sequence: DalleSequence) -> Option<DalleHoles> {
    let holes = [filled::quantize(quantize), filled::dalle_sequence(sequence)];
    for hole in holes.iter().filter(|hole| !hole.is_filled()) {
        println!("{hole}: a model that we have trained stands in");
    }
    let all = holes.iter().all(Hole::is_filled);
    all.then_some(DalleHoles { quantize, dalle_sequence: sequence })
}

/// `value`, or a function that gives no number: the library's own figures stand beside it.
pub fn perplexity(value: Perplexity) -> Perplexity {
    let hole = filled::perplexity(value);
    if hole.is_filled() {
        return value;
    }
    println!("{hole}: where it belongs you read NaN");
    |_| Ok(f64::NAN)
}

/// `template`, or a function that knows the slide's template alone.
pub fn prompt_template(template: PromptTemplate) -> PromptTemplate {
    fn the_slides(_: &str, x: &str) -> Result<String> {
        Ok(format!("{x} overall, it was a [Z] movie."))
    }
    let hole = filled::prompt_template(template);
    if hole.is_filled() {
        return template;
    }
    println!("{hole}: whatever the template says, the slide's stands in");
    the_slides
}

/// `read`, or a function that recognises no answer.
pub fn read_answer(read: ReadAnswer) -> ReadAnswer {
    let hole = filled::read_answer(read);
    if hole.is_filled() {
        return read;
    }
    println!("{hole}: what a model writes is read by nobody, and counts as no answer");
    |_, _, _| Ok(None)
}

/// `prompt`, or a function that leaves the examples out: zero shots, however many there are.
pub fn few_shot_prompt(prompt: FewShotPrompt) -> FewShotPrompt {
    fn query_alone(_: &str, shots: &[Shot], query: &Shot) -> Result<Vec<Segment>> {
        let first = shots.iter().map(|shot| shot.images).sum::<usize>();
        let mut segments: Vec<Segment> =
            (0..query.images).map(|i| Segment::Image(first + i)).collect();
        segments.push(Segment::Text(query.input.clone()));
        Ok(segments)
    }
    let hole = filled::few_shot_prompt(prompt);
    if hole.is_filled() {
        return prompt;
    }
    println!("{hole}: the query alone stands in, without any example");
    query_alone
}

/// `G`, or what the shipped model goes on with: it draws, guided, and cannot be trained.
pub fn guidance<G: Guidance + Default + 'static>() -> Arc<dyn Guidance> {
    let hole = filled::guidance::<G>();
    if hole.is_filled() {
        return Arc::new(G::default());
    }
    println!("{hole}: the shipped model draws without it; nothing can be trained");
    Arc::new(WithoutHole)
}

fn say(hole: &Hole, instead: &str) {
    let stands_in = match hole.filled {
        Filled::Broken(_) => "stands in until it does",
        _ => "stands in",
    };
    println!("{hole}: {instead} {stands_in}");
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn a_filled_hole_is_used_itself() {
        fn constant(_: &Tensor, _: &Tensor, t: &Tensor) -> Result<Tensor> {
            Ok((t + 1.)?)
        }
        let t = Tensor::new(1f32, &Device::Cpu).unwrap();
        let value = clip_loss(constant)(&t, &t, &t).unwrap().to_scalar::<f32>().unwrap();
        assert_eq!(value, 2.);
    }

    #[test]
    fn a_loss_has_no_stand_in() {
        let t = Tensor::new(1f32, &Device::Cpu).unwrap();
        let error = clip_loss(|_, _, _| todo!())(&t, &t, &t).unwrap_err();
        assert!(matches!(error, Error::NotYet { .. }));
    }

    #[test]
    fn the_first_pictures_once_each() {
        let images = Tensor::zeros((4, 2), candle_core::DType::F32, &Device::Cpu).unwrap();
        let names = ["a", "a", "b", "c"].map(String::from);
        let find = find_matches(|_, _, _, _| todo!());
        let matches = find(&images, &images, &names, 2).unwrap();
        let found: Vec<_> = matches.iter().map(|m| m.image_filename.as_str()).collect();
        assert_eq!(found, ["a", "b"]);
    }
}
