//! A moving average of a model's weights: what diffusion models draw with.

use std::collections::BTreeMap;

use candle_core::Tensor;
use rayon::prelude::*;

use super::Params;
use super::ops::{slice_of, vectorised};
use crate::Result;

/// The exponential moving average of every parameter below a place. Each step moves it by `1 − decay` of the way to the
/// weights; the first steps by more, so that the random start is forgotten: `min(decay, (1 + steps) / (10 + steps))`.
#[derive(Clone, Debug)]
pub struct Ema {
    params: Params,
    averages: BTreeMap<String, Vec<f32>>,
    decay: f64,
    steps: usize,
}

impl Ema {
    /// Starts at the present weights.
    ///
    /// # Errors
    /// When the weights cannot be read.
    pub fn new(params: &Params, decay: f64) -> Result<Self> {
        let values = |p: super::Param| {
            let values = p.var().as_tensor().flatten_all()?.to_vec1::<f32>()?;
            Ok((p.name().to_string(), values))
        };
        let averages = params.all().into_iter().map(values).collect::<Result<_>>()?;
        Ok(Self { params: params.clone(), averages, decay, steps: 0 })
    }

    /// After a step of the optimiser.
    ///
    /// # Errors
    /// When the weights cannot be read.
    pub fn update(&mut self) -> Result<()> {
        let warm = (1. + self.steps as f64) / (10. + self.steps as f64);
        let rest = (1. - self.decay.min(warm)) as f32;
        self.steps += 1;
        for param in self.params.all() {
            let Some(average) = self.averages.get_mut(param.name()) else { continue };
            let weights = param.var().as_tensor().to_device(&candle_core::Device::Cpu)?;
            let (storage, layout) = weights.storage_and_layout();
            let candle_core::Storage::Cpu(storage) = &*storage else { continue };
            let weights = slice_of(storage, layout)?;
            let chunks = average.par_chunks_mut(16 * 1024).zip(weights.par_chunks(16 * 1024));
            chunks.for_each(|(average, weights)| {
                vectorised(
                    #[inline(always)]
                    || average.iter_mut().zip(weights).for_each(|(a, w)| *a += (w - *a) * rest),
                );
            });
        }
        Ok(())
    }

    /// The averages by the parameters' full names.
    ///
    /// # Errors
    /// When a tensor cannot be made.
    pub fn state_dict(&self) -> Result<BTreeMap<String, Tensor>> {
        let tensor = |p: super::Param| {
            let values = self.averages.get(p.name()).cloned().unwrap_or_default();
            let tensor = Tensor::from_vec(values, p.var().shape(), self.params.device())?;
            Ok((p.name().to_string(), tensor))
        };
        self.params.all().into_iter().map(tensor).collect()
    }

    /// Sets the weights to their averages: at the end of a training.
    ///
    /// # Errors
    /// When a weight cannot be set.
    pub fn apply(&self) -> Result<()> {
        self.params.load_state_dict(&self.state_dict()?)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::nn::Init;

    #[test]
    fn an_average_follows_its_weights() {
        let params = Params::new(&Device::Cpu, 0);
        let w = params.get(2, "w", Init::Const(0.)).unwrap();
        let mut ema = Ema::new(&params, 0.5).unwrap();
        let set = |values: [f32; 2]| {
            w.var().set(&Tensor::new(&values, &Device::Cpu).unwrap()).unwrap();
        };
        set([10., 20.]);
        ema.update().unwrap();
        // The first step keeps a tenth of the start.
        let first = ema.state_dict().unwrap()["w"].to_vec1::<f32>().unwrap();
        assert!((first[0] - 9.).abs() < 1e-5 && (first[1] - 18.).abs() < 1e-5, "{first:?}");
        set([0., 0.]);
        for _ in 0..200 {
            ema.update().unwrap();
        }
        set([7., 7.]);
        ema.apply().unwrap();
        let now = w.var().as_tensor().to_vec1::<f32>().unwrap();
        assert!(now[0].abs() < 1e-6, "{now:?}");
    }
}
