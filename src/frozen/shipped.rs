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
            freeze_lm: |_| Err(Error::NotYet { id: "freeze_lm".into() }),
            visual_prefix: prefix,
            caption_loss: |_, _, _, _| Err(Error::NotYet { id: "caption_loss".into() }),
        };
        let path = Path::new("data/tiny/frozen.pt");
        let file = load_pt_bytes(path, WEIGHTS)?;
        let model = Self::from_file(path, file, |config| Self::unfrozen(config, holes))?;
        // Nothing is to be kept for a backward pass.
        model.params().pp("text_encoder").set_trainable(false);
        Ok(model)
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
    use crate::dataset::scenes::{Asks, Split};
    use crate::frozen::{caption_score, examples, vqa};

    #[test]
    fn it_sees_where_a_scene_is() {
        let model = Frozen::shipped().unwrap();
        let size = model.config().base.size;
        let test = examples(48, Split::Valid, Some(Asks::Place), size, 21).unwrap();
        // 57 of 58 where it was measured; guessing among ten places gives a tenth.
        let score = vqa(&model, &test, &[], 0, 0).unwrap();
        assert!(score.accuracy() > 0.4, "{score:?}");
    }

    #[test]
    fn it_names_what_is_there() {
        let model = Frozen::shipped().unwrap();
        let test = examples(96, Split::Valid, None, model.config().base.size, 22).unwrap();
        // 60 % of a thousand: 42 % is 3.6 standard deviations below. A blind model names 2 %.
        let (_, named) = caption_score(&model, &test).unwrap();
        assert!(named > 0.42, "{named}");
    }

    #[test]
    fn it_keeps_only_what_was_trained() {
        let model = Frozen::shipped().unwrap();
        let trained = model.trained();
        assert!(trained.keys().all(|key| !key.starts_with("text_encoder.")));
        assert!(trained.contains_key("vision_proj_m.weight"));
    }
}
