//! What a language model reads: embeddings, which of them are text, and where each stands.

use candle_core::{DType, Tensor};

use crate::{Error, Result};

/// A batch for a language model. With a cache, embeddings and positions are those of the new places, while the mask covers
/// the cached places too.
#[derive(Clone, Debug)]
pub struct LmInput {
    /// `(b, s, d)`: word embeddings, or vectors that stand among them.
    pub embeddings: Tensor,
    /// `(b, t)`, u32, t ≥ s: 1 where there is a token.
    pub attention_mask: Tensor,
    /// `(b, s)`, u32: the place of each in its text.
    pub position_ids: Tensor,
}

impl LmInput {
    /// Embeddings `(b, t, d)` and their mask `(b, t)`; places are counted along the ones of the mask, so that padding on the
    /// left moves nothing.
    ///
    /// # Errors
    /// When the shapes differ.
    pub fn new(embeddings: &Tensor, attention_mask: &Tensor) -> Result<Self> {
        let (b, t, _) = embeddings.dims3()?;
        if attention_mask.dims() != [b, t] {
            let expected = format!("({b}, {t}) as the embeddings");
            return Err(Error::shape(
                "language model, attention_mask",
                expected,
                attention_mask.shape(),
            ));
        }
        let position_ids = positions(attention_mask)?;
        Ok(Self {
            embeddings: embeddings.clone(),
            attention_mask: attention_mask.clone(),
            position_ids,
        })
    }
}

/// Mask `(b, t)` → `(b, t)`, u32: how many ones stand before each place.
pub(super) fn positions(mask: &Tensor) -> Result<Tensor> {
    let rows = mask.to_dtype(DType::U32)?.to_vec2::<u32>()?;
    let places: Vec<u32> = rows
        .iter()
        .flat_map(|row| {
            row.iter().scan(0u32, |ones, one| {
                let before = *ones;
                *ones += one;
                Some(before)
            })
        })
        .collect();
    Ok(Tensor::from_vec(places, mask.dims(), mask.device())?)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn padding_on_the_left_moves_nothing() {
        let mask = Tensor::new(&[[0u32, 0, 1, 1, 1], [1, 1, 1, 0, 0]], &Device::Cpu).unwrap();
        let places = positions(&mask).unwrap().to_vec2::<u32>().unwrap();
        assert_eq!(places, [[0, 0, 0, 1, 2], [0, 1, 2, 3, 3]]);
    }
}
