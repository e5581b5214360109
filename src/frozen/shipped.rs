//! The trained model that travels with the library; `data/tiny/README.md` says how it was made.

use std::path::Path;

use candle_core::Tensor;

use super::{Frozen, FrozenHoles};
use crate::checkpoint::load_pt_bytes;
use crate::nn::Linear;
use crate::{Error, Result};

const WEIGHTS: &[u8] = include_bytes!("../../data/tiny/frozen.pt");

impl Frozen {
    /// The trained model of `tiny`. It writes about pictures; it does not train, since the library holds none of the three
    /// exercises.
    ///
    /// # Errors
    /// Never, unless the library was built from a damaged checkout.
    pub fn shipped() -> Result<Self> {
        let holes = FrozenHoles {
            freeze_lm: |language_model| {
                language_model.set_trainable(false);
                Ok(())
            },
            visual_prefix: prefix,
            caption_loss: |_, _, _, _| Err(Error::NotYet { id: "caption_loss".into() }),
        };
        let path = Path::new("data/tiny/frozen.pt");
        Self::from_file(path, load_pt_bytes(path, WEIGHTS)?, holes)
    }
}

/// What the shipped model needs for itself: its prefix, a vector at a time, without gradients.
fn prefix(features: &Tensor, projection: &Linear, n: usize) -> Result<Tensor> {
    let all = projection.forward(features)?.detach();
    let d = all.dim(1)? / n;
    let vectors = (0..n).map(|i| Ok(all.narrow(1, i * d, d)?)).collect::<Result<Vec<_>>>()?;
    Ok(Tensor::stack(&vectors, 1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::scenes::Split;
    use crate::frozen::{caption_score, examples};

    #[test]
    fn it_names_what_it_sees() {
        let model = Frozen::shipped().unwrap();
        let test = examples(64, Split::Valid, None, model.config().base.size, 21).unwrap();
        let (captions, named) = caption_score(&model, &test).unwrap();
        // README: 0.6 and more of 300; of 64, some eight may be missed by chance.
        assert!(named >= 0.5, "{named} {captions:?}");
        assert!(captions.iter().all(|c| !c.is_empty()));
    }

    #[test]
    fn it_keeps_only_what_was_trained() {
        let model = Frozen::shipped().unwrap();
        let trained = model.trained();
        assert!(trained.keys().all(|key| !key.starts_with("text_encoder.")));
        assert!(trained.contains_key("vision_proj_m.weight"));
    }
}
