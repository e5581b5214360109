//! The trained model that travels with the library.

use std::path::Path;

use candle_core::Tensor;

use super::{Guidance, Unclip};
use crate::{Error, Result};

const WEIGHTS: &[u8] = include_bytes!("../../data/tiny/unclip.pt");

impl Unclip {
    /// Decoder and priors that travel with the library; `data/tiny/README.md` says how they were made.
    ///
    /// # Errors
    /// Never, unless the library was built from a damaged checkout.
    pub fn shipped() -> Result<Self> {
        Self::from_bytes(Path::new("data/tiny/unclip.pt"), WEIGHTS)
    }
}

/// What the shipped model goes on with while `guidance` is not filled in: it can draw, guided, and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct WithoutHole;

impl Guidance for WithoutHole {
    fn noise(&self, _: &Tensor, _: &Tensor, _: &Tensor) -> Result<Tensor> {
        Err(Error::NotYet { id: "guidance".into() })
    }

    fn drop_condition(&self, _: &Tensor, _: &Tensor) -> Result<Tensor> {
        Err(Error::NotYet { id: "guidance".into() })
    }

    /// As a product of the row of both weights with the table of both predictions, without gradients.
    fn guided(&self, conditional: &Tensor, unconditional: &Tensor, scale: f64) -> Result<Tensor> {
        let both = Tensor::stack(&[conditional.flatten_all()?, unconditional.flatten_all()?], 0)?;
        let weights = Tensor::new(&[[scale as f32, 1. - scale as f32]], conditional.device())?;
        Ok(weights.matmul(&both.detach())?.reshape(conditional.shape())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::scenes::single;
    use crate::measure::PictureClassifier;
    use crate::unclip::{DecoderDraw, Through};

    const CAPTIONS: [&str; 3] =
        ["a rocket in the sky", "a cactus on the sand", "a fish under water"];

    fn drawn(model: &Unclip, seed: u64) -> Tensor {
        let how = DecoderDraw::faithful(10, 2.);
        model.draw(&CAPTIONS, 3, Through::default(), &how, seed, &WithoutHole).unwrap()
    }

    #[test]
    fn the_shipped_model_draws_the_ground_that_it_is_asked_for() {
        let seen = PictureClassifier::shipped().unwrap();
        let seen = seen.look(&drawn(&Unclip::shipped().unwrap(), 0)).unwrap();
        let asked = CAPTIONS.iter().flat_map(|c| [single::classes(c).unwrap().1; 3]);
        let right = seen.iter().zip(asked).filter(|(seen, ground)| seen.ground == *ground).count();
        // By chance, 7 of 9 are right once in 70,000 times.
        assert!(right >= 7, "{right} of 9");
    }

    #[test]
    fn a_checkpoint_comes_back_and_another_model_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unclip.pt");
        let shipped = Unclip::shipped().unwrap();
        shipped.save(&path, false).unwrap();
        let values = |x: Tensor| x.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(values(drawn(&Unclip::load(&path).unwrap(), 5)), values(drawn(&shipped, 5)));
        std::fs::write(&path, b"no zip").unwrap();
        let error = Unclip::load(&path).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("unclip.pt"), "{error}");
    }
}
