//! AdamW with one learning rate and weight decay per group, and the plateau scheduler.

use std::collections::BTreeMap;
use std::sync::Mutex;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, Device, InplaceOp2, Layout, Result as CandleResult, Tensor, bail};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Param;
use super::ops::vectorised;
use crate::{Error, Result};

/// Parameters that share a learning rate and a weight decay: PyTorch's parameter group.
#[derive(Clone, Debug)]
pub struct ParamGroup {
    /// What the group is called in logs.
    pub name: String,
    /// Its parameters; frozen ones are left out of every step.
    pub params: Vec<Param>,
    /// Learning rate.
    pub lr: f64,
    /// Decoupled weight decay: each step multiplies by `1 − lr · weight_decay`.
    pub weight_decay: f64,
}

/// The running means of a parameter's gradient and of its square.
#[derive(Clone, Debug)]
enum Moments {
    /// On the CPU: changed in place, together with the parameter, in one pass over memory.
    Values {
        m: Vec<f32>,
        v: Vec<f32>,
    },
    Tensors {
        m: Tensor,
        v: Tensor,
    },
}

impl Moments {
    fn new(m: &Tensor, v: &Tensor) -> CandleResult<Self> {
        Ok(if super::ops::ours(m) {
            let values = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
            Self::Values { m: values(m)?, v: values(v)? }
        } else {
            Self::Tensors { m: m.clone(), v: v.clone() }
        })
    }

    /// `(m, v)` in the shape of their parameter.
    fn tensors(&self, like: &Tensor) -> CandleResult<[Tensor; 2]> {
        Ok(match self {
            Self::Values { m, v } => [
                Tensor::from_slice(m, like.shape(), &Device::Cpu)?,
                Tensor::from_slice(v, like.shape(), &Device::Cpu)?,
            ],
            Self::Tensors { m, v } => [m.clone(), v.clone()],
        })
    }
}

/// What a learning rate's peak is multiplied with when this much of a training is behind, 0 to 1: up over the first
/// twentieth, down to zero along a cosine.
pub fn warm_cosine(done: f64) -> f64 {
    const WARM: f64 = 0.05;
    if done < WARM {
        (done / WARM).max(0.02)
    } else {
        0.5 * (1. + (std::f64::consts::PI * (done.min(1.) - WARM) / (1. - WARM)).cos())
    }
}

/// AdamW (arXiv:1711.05101), with PyTorch's arithmetic: betas 0.9 and 0.999, eps 1e-8.
#[derive(Clone, Debug)]
pub struct AdamW {
    groups: Vec<ParamGroup>,
    moments: BTreeMap<String, Moments>,
    step: usize,
}

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPS: f64 = 1e-8;

impl AdamW {
    /// An optimiser of these groups.
    pub fn new(groups: Vec<ParamGroup>) -> Self {
        Self { groups, moments: BTreeMap::new(), step: 0 }
    }

    /// The groups, to read or to change learning rates.
    pub fn groups_mut(&mut self) -> &mut [ParamGroup] {
        &mut self.groups
    }

    /// The groups.
    pub fn groups(&self) -> &[ParamGroup] {
        &self.groups
    }

    /// How many steps were taken.
    pub fn steps(&self) -> usize {
        self.step
    }

    /// Differentiates `loss` and changes every parameter: `loss.backward()` and `optimizer.step()` in one.
    ///
    /// # Errors
    /// When a trainable parameter receives no gradient: it would silently never train.
    pub fn backward_step(&mut self, loss: &Tensor) -> Result<()> {
        self.step(&loss.backward()?)
    }

    /// Changes every parameter by its gradient.
    ///
    /// # Errors
    /// As [`backward_step`](AdamW::backward_step).
    pub fn step(&mut self, grads: &GradStore) -> Result<()> {
        self.step += 1;
        let t = self.step as i32;
        let (rest1, rest2) = (1. - BETA1.powi(t), 1. - BETA2.powi(t));
        for group in &self.groups {
            for param in group.params.iter().filter(|p| p.is_trainable()) {
                let theta = param.var().as_tensor();
                let Some(grad) = grads.get(theta) else {
                    return Err(Error::value(
                        format!("the gradient of `{}`", param.name()),
                        "one for every trainable parameter (freeze what is not used)",
                        "none: nothing in the loss depends on it, or an operation on the way has no gradient",
                    ));
                };
                let zeros = || theta.zeros_like().and_then(|zeros| Moments::new(&zeros, &zeros));
                let moments = match self.moments.entry(param.name().to_string()) {
                    std::collections::btree_map::Entry::Occupied(e) => e.into_mut(),
                    std::collections::btree_map::Entry::Vacant(e) => e.insert(zeros()?),
                };
                // A gradient may hold the graph that it came from; moments would keep one graph a step.
                let grad = grad.contiguous()?.detach();
                match moments {
                    Moments::Values { m, v } => {
                        let update = Update {
                            decay: (1. - group.lr * group.weight_decay) as f32,
                            size: (group.lr / rest1) as f32,
                            root: rest2.sqrt() as f32,
                            moments: Mutex::new((m, v)),
                        };
                        theta.inplace_op2(&grad, &update)?;
                    }
                    Moments::Tensors { m, v } => {
                        *m = ((&*m * BETA1)? + (&grad * (1. - BETA1))?)?;
                        *v = ((&*v * BETA2)? + (grad.sqr()? * (1. - BETA2))?)?;
                        let denominator = ((v.sqrt()? / rest2.sqrt())? + EPS)?;
                        let change = (m.div(&denominator)? * (group.lr / rest1))?;
                        let kept = (theta.detach() * (1. - group.lr * group.weight_decay))?;
                        param.var().set(&(kept - change)?)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Multiplies every learning rate, as a scheduler does.
    pub fn scale_lr(&mut self, factor: f64) {
        for group in &mut self.groups {
            group.lr *= factor;
        }
    }

    /// The moments by parameter name (`optimizer.m.NAME`, `optimizer.v.NAME`), for `last.pt`.
    pub fn state_dict(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut state = BTreeMap::new();
        for param in self.groups.iter().flat_map(|g| &g.params) {
            let name = param.name();
            if let Some(moments) = self.moments.get(name) {
                let [m, v] = moments.tensors(param.var().as_tensor())?;
                state.insert(format!("optimizer.m.{name}"), m);
                state.insert(format!("optimizer.v.{name}"), v);
            }
        }
        Ok(state)
    }

    /// Goes on from saved moments after `steps` steps.
    ///
    /// # Errors
    /// When a moment is missing its pair or has another shape than its parameter.
    pub fn load_state_dict(
        &mut self,
        state: &BTreeMap<String, Tensor>,
        steps: usize,
    ) -> Result<()> {
        let mut moments = BTreeMap::new();
        for param in self.groups.iter().flat_map(|g| &g.params) {
            let name = param.name();
            let (m, v) = (
                state.get(&format!("optimizer.m.{name}")),
                state.get(&format!("optimizer.v.{name}")),
            );
            let (Some(m), Some(v)) = (m, v) else { continue };
            if m.shape() != param.var().shape() || v.shape() != param.var().shape() {
                let expected = format!("{:?}", param.var().dims());
                return Err(Error::shape(
                    format!("optimizer state of `{name}`"),
                    expected,
                    m.shape(),
                ));
            }
            moments.insert(name.to_string(), Moments::new(m, v)?);
        }
        self.moments = moments;
        self.step = steps;
        Ok(())
    }
}

const CHUNK: usize = 16 * 1024;

fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> CandleResult<&'a [f32]> {
    super::ops::slice_of(storage, layout)
}

fn slice_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> CandleResult<&'a mut [f32]> {
    let CpuStorage::F32(values) = storage else { bail!("expected f32 values") };
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&mut values[start..end]),
        None => bail!("expected a contiguous tensor"),
    }
}

/// `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²`, `θ ← decay · θ − size · m / (√v / root + eps)`
struct Update<'a> {
    decay: f32,
    size: f32,
    root: f32,
    moments: Mutex<(&'a mut [f32], &'a mut [f32])>,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(
        &self,
        theta: &mut CpuStorage,
        theta_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> CandleResult<()> {
        let (theta, g) = (slice_mut(theta, theta_layout)?, slice(grad, grad_layout)?);
        let mut moments = self.moments.lock().unwrap_or_else(|e| e.into_inner());
        let (m, v) = &mut *moments;
        if [g.len(), m.len(), v.len()] != [theta.len(); 3] {
            bail!("AdamW: expected a gradient of {} values, got {}", theta.len(), g.len());
        }
        // 1 − β in f64: in f32, 1 − 0.999 is off by 1.3e-5.
        let (beta1, rest1) = (BETA1 as f32, (1. - BETA1) as f32);
        let (beta2, rest2) = (BETA2 as f32, (1. - BETA2) as f32);
        let moments = m.par_chunks_mut(CHUNK).zip(v.par_chunks_mut(CHUNK));
        theta.par_chunks_mut(CHUNK).zip(g.par_chunks(CHUNK)).zip(moments).for_each(
            |((theta, g), (m, v))| {
                vectorised(
                    #[inline(always)]
                    || {
                        let moments = m.iter_mut().zip(v);
                        for ((theta, g), (m, v)) in theta.iter_mut().zip(g).zip(moments) {
                            *m = beta1 * *m + rest1 * g;
                            *v = beta2 * *v + rest2 * g * g;
                            let root = v.sqrt() / self.root + EPS as f32;
                            *theta = *theta * self.decay - self.size * *m / root;
                        }
                    },
                );
            },
        );
        Ok(())
    }
}

/// Lowers the learning rates when a loss stops falling: `torch.optim.lr_scheduler.ReduceLROnPlateau(mode="min")`
/// with its relative threshold of 1e-4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReduceLrOnPlateau {
    /// Epochs without improvement that are borne.
    pub patience: usize,
    /// What the learning rates are multiplied with then.
    pub factor: f64,
    best: Option<f64>,
    bad: usize,
}

impl ReduceLrOnPlateau {
    /// A scheduler that has seen nothing yet.
    pub fn new(patience: usize, factor: f64) -> Self {
        Self { patience, factor, best: None, bad: 0 }
    }

    /// Looks at the validation loss of an epoch; gives whether the learning rates were lowered.
    pub fn step(&mut self, loss: f64, optimizer: &mut AdamW) -> bool {
        if self.best.is_none_or(|best| loss < best * (1. - 1e-4)) {
            self.best = Some(loss);
            self.bad = 0;
        } else {
            self.bad += 1;
        }
        let lower = self.bad > self.patience;
        if lower {
            self.bad = 0;
            optimizer.scale_lr(self.factor);
        }
        lower
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Init, Params};

    /// On a GPU the moments are tensors. They take the same steps, and keep nothing of the graph behind a gradient: else a
    /// training's memory would grow by all activations with each step.
    #[test]
    fn moments_as_tensors_step_alike_and_hold_no_graph() {
        let run = |tensors: bool| -> Result<(Vec<f32>, AdamW, Tensor)> {
            let params = Params::new(&Device::Cpu, 1);
            let theta = params.get(4, "theta", Init::Normal(1.))?;
            let group =
                ParamGroup { name: "all".into(), params: params.all(), lr: 0.1, weight_decay: 0.1 };
            let mut optimizer = AdamW::new(vec![group]);
            if tensors {
                let zeros = Tensor::zeros(4, candle_core::DType::F32, &Device::Cpu)?;
                let moments = Moments::Tensors { m: zeros.clone(), v: zeros };
                optimizer.moments.insert("theta".into(), moments);
            }
            for _ in 0..3 {
                let loss = theta.tensor().powf(3.)?.sum_all()?;
                optimizer.backward_step(&loss)?;
            }
            let var = theta.var().as_tensor().clone();
            Ok((var.to_vec1()?, optimizer, var))
        };
        let (plain, ..) = run(false).unwrap();
        let (values, optimizer, theta) = run(true).unwrap();
        for (a, b) in plain.iter().zip(&values) {
            // Three steps of 0.1 in float32.
            assert!((a - b).abs() < 1e-6, "{plain:?} {values:?}");
        }
        let Some(Moments::Tensors { m, v }) = optimizer.moments.get("theta") else { panic!() };
        for moment in [m, v] {
            let grads = moment.sum_all().unwrap().backward().unwrap();
            assert!(grads.get(&theta).is_none());
        }
    }
}
