//! Named parameters, created on first use, seeded, and frozen or trained by name.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use candle_core::{DType, Device, Shape, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{Error, Result};

/// How a parameter starts, when no checkpoint gives its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Every value the same.
    Const(f32),
    /// Uniform in `[-bound, bound)`.
    Uniform(f32),
    /// Normal with mean 0 and this standard deviation.
    Normal(f32),
}

/// One named tensor of a model: trained, frozen, or a buffer (batch norm's running statistics).
#[derive(Clone, Debug)]
pub struct Param(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: String,
    var: Var,
    trainable: AtomicBool,
    buffer: bool,
}

impl Param {
    fn new(name: &str, value: &Tensor, trainable: bool, buffer: bool) -> Result<Self> {
        let (name, var) = (name.to_string(), Var::from_tensor(value)?);
        let trainable = AtomicBool::new(trainable);
        Ok(Self(Arc::new(Inner { name, var, trainable, buffer })))
    }

    /// The full name, which is the checkpoint's key: `image_projection.fc.weight`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The value for a forward pass: part of the graph when trainable, detached when frozen, so that the backward
    /// pass spends nothing on it.
    pub fn tensor(&self) -> Tensor {
        if self.is_trainable() {
            self.0.var.as_tensor().clone()
        } else {
            self.0.var.as_detached_tensor()
        }
    }

    /// The variable itself, for an optimiser or a loader.
    pub fn var(&self) -> &Var {
        &self.0.var
    }

    /// Whether gradients flow to it and an optimiser changes it.
    pub fn is_trainable(&self) -> bool {
        !self.0.buffer && self.0.trainable.load(Ordering::Relaxed)
    }

    /// Freezes or thaws it; a buffer is never trained. PyTorch's `requires_grad`.
    pub fn set_trainable(&self, trainable: bool) {
        self.0.trainable.store(trainable, Ordering::Relaxed);
    }

    /// Whether it is a buffer: saved with the model, never trained.
    pub fn is_buffer(&self) -> bool {
        self.0.buffer
    }
}

#[derive(Debug)]
struct Store {
    params: BTreeMap<String, Param>,
    rng: ChaCha8Rng,
    /// Whether a file is about to fill what is created now.
    to_be_loaded: bool,
}

/// A place in the tree of a model's parameters: `params.pp("fc").get((p, p), "weight", init)`.
///
/// Cloning and [`pp`](Params::pp) share one store. The same seed and the same order of creation give the same values.
#[derive(Clone, Debug)]
pub struct Params {
    store: Arc<Mutex<Store>>,
    prefix: String,
    device: Device,
}

impl Params {
    /// An empty tree whose initial values come from `seed`.
    pub fn new(device: &Device, seed: u64) -> Self {
        super::memory::keep_freed_memory();
        let rng = ChaCha8Rng::seed_from_u64(seed);
        let store = Store { params: BTreeMap::new(), rng, to_be_loaded: false };
        Self { store: Arc::new(Mutex::new(store)), prefix: String::new(), device: device.clone() }
    }

    /// The place one level down.
    pub fn pp(&self, name: impl AsRef<str>) -> Self {
        let prefix = self.full_name(name.as_ref());
        Self { prefix, ..self.clone() }
    }

    /// The parameter `name` here, created with `init` if it is not there yet.
    ///
    /// # Errors
    /// When it exists with another shape.
    pub fn get(&self, shape: impl Into<Shape>, name: &str, init: Init) -> Result<Param> {
        self.create(shape.into(), name, init, false)
    }

    /// Like [`get`](Params::get), for a buffer: saved with the model, never trained.
    pub fn buffer(&self, shape: impl Into<Shape>, name: &str, value: f32) -> Result<Param> {
        self.create(shape.into(), name, Init::Const(value), true)
    }

    fn create(&self, shape: Shape, name: &str, init: Init, buffer: bool) -> Result<Param> {
        let name = self.full_name(name);
        let mut store = self.store.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(param) = store.params.get(&name) {
            if param.var().shape() == &shape {
                return Ok(param.clone());
            }
            return Err(Error::shape(
                format!("parameter `{name}`"),
                format!("{:?}", shape.dims()),
                param.var().shape(),
            ));
        }
        let count = shape.elem_count();
        let values = match store.to_be_loaded {
            true => init.skipped(count, &mut store.rng),
            false => init.values(count, &mut store.rng),
        };
        let tensor = Tensor::from_vec(values, shape, &self.device)?;
        let param = Param::new(&name, &tensor, true, buffer)?;
        store.params.insert(name, param.clone());
        Ok(param)
    }

    /// Runs `build`, whose parameters a file is about to fill: they are made as zeros, for a hundred million random values take
    /// seconds. What is made later starts as if they had been drawn.
    pub(crate) fn to_be_loaded<T>(&self, build: impl FnOnce() -> Result<T>) -> Result<T> {
        /// Ends it however `build` ends.
        struct Until<'a>(&'a Params, bool);
        impl Drop for Until<'_> {
            fn drop(&mut self) {
                self.0.store.lock().unwrap_or_else(|e| e.into_inner()).to_be_loaded = self.1;
            }
        }
        let mut store = self.store.lock().unwrap_or_else(|e| e.into_inner());
        let before = std::mem::replace(&mut store.to_be_loaded, true);
        drop(store);
        let _until = Until(self, before);
        build()
    }

    /// Puts `value` in the place of the parameter `name`, which may have had another shape: for a table that grows. Layers
    /// that hold the old one must be built again.
    ///
    /// # Errors
    /// When there is no such parameter.
    pub fn replace(&self, name: &str, value: &Tensor) -> Result<Param> {
        let name = self.full_name(name);
        let mut store = self.store.lock().unwrap_or_else(|e| e.into_inner());
        let Some(old) = store.params.get(&name) else {
            return Err(Error::value("Params::replace", "a parameter that is there", name));
        };
        let value = value.detach().contiguous()?;
        let param = Param::new(&name, &value, old.is_trainable(), old.is_buffer())?;
        store.params.insert(name, param.clone());
        Ok(param)
    }

    /// A copy of what is below this place, with names as they are seen from it, to compute with and not to train: all of it
    /// frozen, vectors as they are, and matrices and larger tensors in bfloat16, which takes half the memory and half the
    /// time of reading it. A value keeps its size and the first eight of its 24 binary digits.
    /// [`Linear`](super::Linear) and [`Embedding`](super::Embedding) read such matrices.
    ///
    /// # Errors
    /// What candle reports.
    pub fn bfloat16(&self) -> Result<Self> {
        let copy = Self::new(&self.device, 0);
        let skip = if self.prefix.is_empty() { 0 } else { self.prefix.len() + 1 };
        let mut store = copy.store.lock().unwrap_or_else(|e| e.into_inner());
        for param in self.all() {
            let value = param.var().as_detached_tensor();
            let value = if value.rank() < 2 { value } else { value.to_dtype(DType::BF16)? };
            let name = param.name().get(skip..).unwrap_or("");
            let copy = Param::new(name, &value, false, param.is_buffer())?;
            store.params.insert(name.to_string(), copy);
        }
        drop(store);
        Ok(copy)
    }

    fn full_name(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_string() } else { format!("{}.{name}", self.prefix) }
    }

    /// The name of this place: what stands before the names below it, without the last dot.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The device that the parameters live on.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// A fresh seed from the tree's generator: for dropout.
    pub fn next_seed(&self) -> u64 {
        self.store.lock().unwrap_or_else(|e| e.into_inner()).rng.random()
    }

    /// All parameters and buffers below this place, by full name.
    pub fn all(&self) -> Vec<Param> {
        let store = self.store.lock().unwrap_or_else(|e| e.into_inner());
        let dot = format!("{}.", self.prefix);
        let here =
            |name: &str| self.prefix.is_empty() || name.starts_with(&dot) || name == self.prefix;
        store.params.values().filter(|p| here(p.name())).cloned().collect()
    }

    /// The parameters below this place that train.
    pub fn trainable(&self) -> Vec<Param> {
        self.all().into_iter().filter(Param::is_trainable).collect()
    }

    /// Freezes or thaws everything below this place.
    pub fn set_trainable(&self, trainable: bool) {
        for param in self.all() {
            param.set_trainable(trainable);
        }
    }

    /// The values below this place, by full name: a model's state dict.
    pub fn state_dict(&self) -> BTreeMap<String, Tensor> {
        self.all().iter().map(|p| (p.name().to_string(), p.var().as_detached_tensor())).collect()
    }

    /// As [`load_state_dict`](Params::load_state_dict), with names as they are seen from this place.
    ///
    /// # Errors
    /// As [`load_state_dict`](Params::load_state_dict).
    pub fn load_below(&self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let full = |(name, value): (&String, &Tensor)| (self.full_name(name), value.clone());
        self.load_state_dict(&state.iter().map(full).collect())
    }

    /// Copies `state` into the parameters below this place; names are full names. Values convert to the parameters'
    /// type, f32 unless they are a copy in [`bfloat16`](Params::bfloat16).
    ///
    /// # Errors
    /// Names the first missing, unexpected or misshapen key. Nothing is changed then.
    pub fn load_state_dict(&self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let params = self.all();
        let wrong = |what: String, expected: &str, got: String| Error::Value {
            what,
            expected: expected.to_string(),
            got,
        };
        let mut pairs = Vec::with_capacity(params.len());
        for param in &params {
            let name = param.name();
            let value = state.get(name).ok_or_else(|| {
                wrong(
                    "state dict".into(),
                    &format!("the key `{name}`"),
                    "no such key (missing)".into(),
                )
            })?;
            if value.shape() != param.var().shape() {
                return Err(wrong(
                    format!("state dict, key `{name}`"),
                    &format!("shape {:?}", param.var().dims()),
                    format!("{:?}", value.dims()),
                ));
            }
            pairs.push((
                param,
                value.to_dtype(param.var().dtype())?.to_device(&self.device)?.contiguous()?,
            ));
        }
        if let Some(name) = state.keys().find(|k| params.iter().all(|p| p.name() != k.as_str())) {
            return Err(wrong(
                "state dict".into(),
                "only this model's keys",
                format!("`{name}` (unexpected)"),
            ));
        }
        for (param, value) in pairs {
            param.var().set(&value)?;
        }
        Ok(())
    }
}

impl Init {
    fn values(self, count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        match self {
            Init::Const(value) => vec![value; count],
            Init::Uniform(bound) => {
                (0..count).map(|_| (rng.random::<f32>() * 2. - 1.) * bound).collect()
            }
            Init::Normal(std) => (0..count).map(|_| normal(rng) * std).collect(),
        }
    }

    /// Zeros (or the constant), and the generator where [`values`](Self::values) would leave it.
    fn skipped(self, count: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
        // An f32 is drawn from one word of 32 bits, an f64 from two.
        let words = match self {
            Init::Const(value) => return vec![value; count],
            Init::Uniform(_) => 1,
            Init::Normal(_) => 4,
        };
        rng.set_word_pos(rng.get_word_pos() + words * count as u128);
        vec![0.; count]
    }
}

/// A standard normal value by Box and Muller's transform.
pub(crate) fn normal(rng: &mut impl Rng) -> f32 {
    let u: f64 = 1. - rng.random::<f64>();
    let v: f64 = rng.random();
    ((-2. * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Odd numbers of values, so that the generator stands within a block and within a pair of words.
    #[test]
    fn what_a_file_will_fill_is_zero_and_what_comes_after_starts_the_same() {
        let inits = [Init::Uniform(0.3), Init::Normal(2.), Init::Const(5.), Init::Uniform(1.)];
        let first = |params: &Params| -> Result<Vec<Vec<f32>>> {
            let values = inits.iter().enumerate().map(|(i, init)| {
                let tensor = params.get(7 + 20 * i, &format!("a{i}"), *init)?.tensor();
                Ok(tensor.to_vec1()?)
            });
            values.collect()
        };
        let after = |params: &Params| {
            let b = params.get(3, "b", Init::Normal(1.)).unwrap().tensor().to_vec1::<f32>();
            (b.unwrap(), params.next_seed())
        };
        let [drawn, loaded] = [(); 2].map(|()| Params::new(&Device::Cpu, 9));
        first(&drawn).unwrap();
        let zeros = loaded.to_be_loaded(|| first(&loaded)).unwrap();
        for (values, init) in zeros.iter().zip(inits) {
            let wanted = if let Init::Const(value) = init { value } else { 0. };
            assert!(values.iter().all(|v| *v == wanted), "{init:?}: {values:?}");
        }
        assert_eq!(after(&drawn), after(&loaded));
        // Whatever happens inside, it ends.
        let failed: Result<()> = loaded.to_be_loaded(|| Err(Error::value("a", "b", "c")));
        assert!(failed.is_err());
        assert_ne!(
            loaded.get(1, "c", Init::Normal(1.)).unwrap().tensor().to_vec1::<f32>().unwrap(),
            [0.]
        );
    }
}
