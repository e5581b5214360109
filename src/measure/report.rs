//! All measures of pictures that were drawn to captions.

use candle_core::{D, Tensor};
use serde::Serialize;

use super::{Moments, PictureClassifier, frechet_distance};
use crate::clip::ClipModel;
use crate::dataset::Transform;
use crate::dataset::scenes::single;
use crate::nn::{Mode, l2_normalize};
use crate::{Error, Result};

/// How good pictures are that were drawn to captions.
#[derive(Clone, Debug, Serialize)]
pub struct PictureReport {
    /// Pictures.
    pub pictures: usize,
    /// The share in which the classifier sees the caption's object.
    pub object: f64,
    /// The share in which it sees the caption's ground.
    pub ground: f64,
    /// The share in which it sees both.
    pub both: f64,
    /// The mean cosine of picture and caption by CLIP.
    pub clip_score: f64,
    /// From real pictures, in the classifier's features.
    pub frechet: f64,
    /// Among pictures of one caption, the mean distance of features, 1 − cosine; absent where no caption has two.
    pub diversity: Option<f64>,
}

/// The cosine of each picture `(n, 3, s, s)`, values from 0 to 1, with its caption, by CLIP. Pictures of another size than
/// CLIP's are resized.
///
/// # Errors
/// When there are not as many captions as pictures.
pub fn clip_scores(clip: &ClipModel, images: &Tensor, captions: &[String]) -> Result<Vec<f32>> {
    let n = images.dim(0)?;
    if captions.len() != n || n == 0 {
        let expected = format!("{n}, one a picture");
        return Err(Error::value("clip_scores, captions", expected, captions.len()));
    }
    let transform = Transform::of(clip.config());
    let pictures = single::to_pictures(images)?;
    let mut scores = Vec::new();
    for (pictures, captions) in pictures.chunks(64).zip(captions.chunks(64)) {
        let pictures = pictures.iter().map(|p| transform.apply(p)).collect::<Result<Vec<_>>>()?;
        let pictures = Tensor::stack(&pictures, 0)?.to_device(clip.params().device())?;
        let seen = l2_normalize(&clip.encode_image(&pictures, Mode::Eval)?.detach())?;
        let said = l2_normalize(&clip.encode_texts(captions)?)?;
        scores.extend((seen * said)?.sum(D::Minus1)?.to_vec1::<f32>()?);
    }
    Ok(scores)
}

/// Among pictures of one caption, the mean of 1 − cosine of their features `(n, d)` over all pairs; `None` where no caption
/// comes twice.
///
/// # Errors
/// When there are not as many captions as rows.
pub fn diversity(features: &Tensor, captions: &[String]) -> Result<Option<f64>> {
    let unit = l2_normalize(features)?.to_vec2::<f32>()?;
    if captions.len() != unit.len() {
        return Err(Error::value("diversity, captions", unit.len().to_string(), captions.len()));
    }
    let (mut sum, mut pairs) = (0., 0);
    for i in 0..unit.len() {
        for j in (0..i).filter(|j| captions[*j] == captions[i]) {
            let cosine: f32 = unit[i].iter().zip(&unit[j]).map(|(x, y)| x * y).sum();
            sum += 1. - f64::from(cosine);
            pairs += 1;
        }
    }
    Ok((pairs > 0).then(|| sum / f64::from(pairs)))
}

/// Measures pictures `(n, 3, s, s)`, values from 0 to 1, that were drawn to `captions`, one each, against the moments of
/// real pictures' features.
///
/// # Errors
/// When a caption names no object or ground of the vocabulary, or there are not as many captions as pictures.
pub fn picture_report(
    classifier: &PictureClassifier,
    clip: &ClipModel,
    images: &Tensor,
    captions: &[String],
    real: &Moments,
) -> Result<PictureReport> {
    let seen = classifier.look(images)?;
    if seen.len() != captions.len() {
        return Err(Error::value(
            "picture_report, captions",
            seen.len().to_string(),
            captions.len(),
        ));
    }
    let (mut object, mut ground, mut both) = (0, 0, 0);
    for (seen, caption) in seen.iter().zip(captions) {
        let Some((o, g)) = single::classes(caption) else {
            let expected = "captions that name an object and a ground of `single`";
            return Err(Error::value("picture_report", expected, format!("{caption:?}")));
        };
        object += usize::from(seen.object == o);
        ground += usize::from(seen.ground == g);
        both += usize::from(seen.object == o && seen.ground == g);
    }
    let n = seen.len() as f64;
    let features = classifier.features(images)?;
    let scores = clip_scores(clip, images, captions)?;
    Ok(PictureReport {
        pictures: seen.len(),
        object: object as f64 / n,
        ground: ground as f64 / n,
        both: both as f64 / n,
        clip_score: scores.iter().map(|s| f64::from(*s)).sum::<f64>() / n,
        frechet: frechet_distance(&Moments::of(&features)?, real)?,
        diversity: diversity(&features, captions)?,
    })
}
