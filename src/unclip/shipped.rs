//! What goes on while `guidance` is not filled in.

use candle_core::Tensor;

use super::Guidance;
use crate::{Error, Result};

/// What a trained model goes on with while `guidance` is not filled in: it can draw, guided, and nothing else.
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
