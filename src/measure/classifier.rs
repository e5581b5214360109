//! The independent classifier: a small ResNet that names object and ground.

use std::path::Path;

use candle_core::{D, DType, Tensor};

use crate::checkpoint::{StateDict, save_safetensors};
use crate::config::{ResNetConfig, ResidualLayer, Stem};
use crate::dataset::scenes::single::{GROUNDS, OBJECTS};
use crate::encoder::{ImageEncoder, ResNet};
use crate::nn::{Linear, Mode, Params};
use crate::{Error, Result};

/// Pictures that are looked at together.
const BATCH: usize = 128;

/// What the classifier takes a picture for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// A class of [`OBJECTS`].
    pub object: usize,
    /// A class of [`GROUNDS`].
    pub ground: usize,
    /// How sure it is of the object: a probability.
    pub object_probability: f32,
}

/// Names object and ground of small pictures of one object.
pub struct PictureClassifier {
    encoder: ResNet,
    object: Linear,
    ground: Linear,
    params: Params,
}

impl PictureClassifier {
    /// Random weights in `params`.
    ///
    /// # Errors
    /// When parameters exist with other shapes.
    pub fn new(params: &Params) -> Result<Self> {
        let sizes = ResNetConfig {
            embedding_size: 24,
            hidden_sizes: vec![24, 48, 96],
            depths: vec![1, 1, 1],
            layer: ResidualLayer::Basic,
            stem: Stem::Small,
        };
        let encoder = ResNet::new(&sizes, &params.pp("encoder"))?;
        let d = encoder.features();
        Ok(Self {
            object: Linear::new(d, OBJECTS.len(), &params.pp("object"))?,
            ground: Linear::new(d, GROUNDS.len(), &params.pp("ground"))?,
            encoder,
            params: params.clone(),
        })
    }

    /// Weights that [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// When a key is missing, unexpected or misshapen.
    pub fn from_state(state: &StateDict, params: &Params) -> Result<Self> {
        let classifier = Self::new(params)?;
        params.load_state_dict(state)?;
        Ok(classifier)
    }

    /// All its parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Writes its weights in half precision, as safetensors; atomic.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let half = |(name, tensor): (String, Tensor)| Ok((name, tensor.to_dtype(DType::F16)?));
        let state = self.params.state_dict().into_iter().map(half).collect::<Result<_>>()?;
        save_safetensors(path, &state)
    }

    /// Pictures `(b, 3, s, s)`, values from 0 to 1 → features `(b, d)`.
    fn encode(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        if images.rank() != 4 || images.dim(1)? != 3 {
            return Err(Error::shape("classifier, images", "(batch, 3, s, s)", images.shape()));
        }
        self.encoder.forward(&images.affine(4., -2.)?, mode)
    }

    /// Pictures `(b, 3, s, s)`, values from 0 to 1 → logits `(b, objects)` and `(b, grounds)`.
    ///
    /// # Errors
    /// When the pictures have another shape.
    pub fn logits(&self, images: &Tensor, mode: Mode) -> Result<(Tensor, Tensor)> {
        let features = self.encode(images, mode)?;
        Ok((self.object.forward(&features)?, self.ground.forward(&features)?))
    }

    /// Pictures `(n, 3, s, s)`, values from 0 to 1 → the features `(n, d)` that it judges by: where the Fréchet distance
    /// and diversity are measured.
    ///
    /// # Errors
    /// When the pictures have another shape, or there are none.
    pub fn features(&self, images: &Tensor) -> Result<Tensor> {
        let parts = chunks(images)?
            .iter()
            .map(|part| Ok(self.encode(part, Mode::Eval)?.detach()))
            .collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&parts, 0)?)
    }

    /// What it takes each picture `(n, 3, s, s)`, values from 0 to 1, for.
    ///
    /// # Errors
    /// When the pictures have another shape, or there are none.
    pub fn look(&self, images: &Tensor) -> Result<Vec<Seen>> {
        let features = self.features(images)?;
        let objects = self.object.forward(&features)?.detach();
        let grounds = self.ground.forward(&features)?.detach();
        let of = |logits: &Tensor| -> Result<Vec<u32>> {
            Ok(logits.argmax(D::Minus1)?.to_vec1::<u32>()?)
        };
        let sure =
            candle_nn::ops::softmax(&objects, D::Minus1)?.max(D::Minus1)?.to_vec1::<f32>()?;
        let seen = of(&objects)?.into_iter().zip(of(&grounds)?).zip(sure);
        Ok(seen
            .map(|((object, ground), object_probability)| Seen {
                object: object as usize,
                ground: ground as usize,
                object_probability,
            })
            .collect())
    }
}

/// Pictures in batches.
fn chunks(images: &Tensor) -> Result<Vec<Tensor>> {
    let n = images.dims().first().copied().unwrap_or(0);
    if n == 0 {
        return Err(Error::value("classifier, images", "at least one", "none"));
    }
    (0..n).step_by(BATCH).map(|at| Ok(images.narrow(0, at, BATCH.min(n - at))?)).collect()
}

/// `data/tiny/README.md` says how it was made.
const SHIPPED: &[u8] = include_bytes!("../../data/tiny/classifier.safetensors");

impl PictureClassifier {
    /// The trained classifier that travels with the library.
    ///
    /// # Errors
    /// Never, unless the library was built from a damaged checkout.
    pub fn shipped() -> Result<Self> {
        let params = Params::new(&candle_core::Device::Cpu, 0);
        let state = candle_core::safetensors::load_buffer(SHIPPED, params.device())?;
        Self::from_state(&state.into_iter().collect(), &params)
    }
}
