//! How well pictures and captions find each other.

use candle_core::Tensor;
use serde::Serialize;

use crate::nn::l2_normalize;
use crate::{Error, Result};

/// In which share of the queries the right answer is among the first 1, 5 and 10, and its median rank (1 is best).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Recalls {
    /// Recall at 1.
    pub r1: f64,
    /// Recall at 5.
    pub r5: f64,
    /// Recall at 10.
    pub r10: f64,
    /// The median rank.
    pub median_rank: f64,
}

/// Retrieval in both directions among `n` pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Retrieval {
    /// How many pictures there are to choose from.
    pub n: usize,
    /// Captions looking for their pictures.
    pub text_to_image: Recalls,
    /// Pictures looking for their captions.
    pub image_to_text: Recalls,
}

/// Ranks `(n, p)` against `(n, p)`: row i of one belongs to row i of the other. Neither need be normalised. Where
/// similarities tie, the rank is the worse one, so that a model that gives all the same gets nothing.
///
/// # Errors
/// When the shapes differ or there is no row.
pub fn retrieval(image_embeddings: &Tensor, text_embeddings: &Tensor) -> Result<Retrieval> {
    if image_embeddings.dims() != text_embeddings.dims() || image_embeddings.rank() != 2 {
        let expected = format!("{:?}, a caption a picture", image_embeddings.dims());
        return Err(Error::shape("retrieval, text embeddings", expected, text_embeddings.shape()));
    }
    let images = l2_normalize(image_embeddings)?;
    let texts = l2_normalize(text_embeddings)?;
    let similarities = texts.matmul(&images.t()?)?;
    Ok(Retrieval {
        n: similarities.dim(0)?,
        text_to_image: recalls(&similarities)?,
        image_to_text: recalls(&similarities.t()?.contiguous()?)?,
    })
}

fn recalls(similarities: &Tensor) -> Result<Recalls> {
    let rows = similarities.to_vec2::<f32>()?;
    let rank = |(i, row): (usize, &Vec<f32>)| row.iter().filter(|s| **s >= row[i]).count().max(1);
    let mut ranks: Vec<usize> = rows.iter().enumerate().map(rank).collect();
    ranks.sort_unstable();
    let n = ranks.len();
    if n == 0 {
        return Err(Error::value("retrieval", "at least one pair", "none"));
    }
    let within = |k: usize| ranks.iter().filter(|r| **r <= k).count() as f64 / n as f64;
    let median_rank = (ranks[(n - 1) / 2] + ranks[n / 2]) as f64 / 2.;
    Ok(Recalls { r1: within(1), r5: within(5), r10: within(10), median_rank })
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn ranks_are_counted_by_hand() {
        // Texts 0 and 1 find their picture first; text 2 finds picture 0 and 1 before its own.
        let images = Tensor::new(&[[1f32, 0.], [0., 1.], [-1., 0.]], &Device::Cpu).unwrap();
        let texts = Tensor::new(&[[2f32, 0.1], [0.1, 3.], [0.9, 0.5]], &Device::Cpu).unwrap();
        let r = retrieval(&images, &texts).unwrap();
        assert_eq!((r.n, r.text_to_image.r1, r.text_to_image.r5), (3, 2. / 3., 1.));
        assert_eq!(r.text_to_image.median_rank, 1.);
    }

    #[test]
    fn a_model_that_gives_all_the_same_gets_nothing() {
        let same = Tensor::ones((50, 4), candle_core::DType::F32, &Device::Cpu).unwrap();
        let r = retrieval(&same, &same).unwrap();
        assert_eq!((r.text_to_image.r10, r.image_to_text.median_rank), (0., 50.));
    }
}
