//! Layers with PyTorch's names, shapes, initial values and gradients.

use std::sync::{Arc, Mutex};

use candle_core::{D, DType, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::ops::{self, Drops};
use super::{Init, Mode, Param, Params};
use crate::{Error, Result};

/// `y = x Wᵀ + b`, as `nn.Linear`.
///
/// `(…, in)` → `(…, out)`. Keys: `weight (out, in)`, `bias (out)`.
#[derive(Clone, Debug)]
pub struct Linear {
    weight: Param,
    bias: Option<Param>,
}

impl Linear {
    /// With a bias; starts uniform in `±1/√in`, as PyTorch does.
    pub fn new(in_features: usize, out_features: usize, params: &Params) -> Result<Self> {
        let init = Init::Uniform((1. / in_features as f32).sqrt());
        let weight = params.get((out_features, in_features), "weight", init)?;
        let bias = params.get(out_features, "bias", init)?;
        Ok(Self { weight, bias: Some(bias) })
    }

    /// Without a bias.
    pub fn no_bias(in_features: usize, out_features: usize, params: &Params) -> Result<Self> {
        let init = Init::Uniform((1. / in_features as f32).sqrt());
        Ok(Self { weight: params.get((out_features, in_features), "weight", init)?, bias: None })
    }

    /// Without a bias, with normal weights of this deviation.
    pub fn normal_no_bias(
        in_features: usize,
        out_features: usize,
        deviation: f32,
        params: &Params,
    ) -> Result<Self> {
        let weight = params.get((out_features, in_features), "weight", Init::Normal(deviation))?;
        Ok(Self { weight, bias: None })
    }

    /// With a bias of zeros and normal weights of deviation 0.02, as BERT and GPT-2 start.
    pub fn bert(in_features: usize, out_features: usize, params: &Params) -> Result<Self> {
        Self::normal(in_features, out_features, 0.02, params)
    }

    /// With a bias of zeros and normal weights of this deviation.
    pub fn normal(
        in_features: usize,
        out_features: usize,
        deviation: f32,
        params: &Params,
    ) -> Result<Self> {
        let weight = params.get((out_features, in_features), "weight", Init::Normal(deviation))?;
        let bias = params.get(out_features, "bias", Init::Const(0.))?;
        Ok(Self { weight, bias: Some(bias) })
    }

    /// `(…, in)` → `(…, out)`
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let weight = self.weight.tensor();
        let inp = weight.dim(1)?;
        if x.dims().last() != Some(&inp) {
            let name = self.weight.name();
            return Err(Error::shape(format!("linear `{name}`"), format!("(…, {inp})"), x.shape()));
        }
        ops::linear(x, &weight, self.bias.as_ref().map(Param::tensor).as_ref())
    }
}

/// Normalises the last dimension, as `nn.LayerNorm`; differentiable, unlike candle's own module.
///
/// `(…, d)` → `(…, d)`. Keys: `weight (d)`, `bias (d)`.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    weight: Param,
    bias: Param,
    eps: f64,
}

impl LayerNorm {
    /// Starts as the plain normalisation. PyTorch's default `eps` is 1e-5, BERT's 1e-12.
    pub fn new(features: usize, eps: f64, params: &Params) -> Result<Self> {
        let weight = params.get(features, "weight", Init::Const(1.))?;
        let bias = params.get(features, "bias", Init::Const(0.))?;
        Ok(Self { weight, bias, eps })
    }

    /// `(…, d)` → `(…, d)`
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let d = self.weight.var().elem_count();
        if x.dims().last() != Some(&d) {
            let what = format!("layer norm `{}`", self.weight.name());
            return Err(Error::shape(what, format!("(…, {d})"), x.shape()));
        }
        ops::layer_norm(x, &self.weight.tensor(), &self.bias.tensor(), self.eps)
    }
}

/// Divides the last dimension by its root mean square, as `nn.RMSNorm` (arXiv:1910.07467); differentiable.
///
/// `(…, d)` → `(…, d)`. Key: `weight (d)`.
#[derive(Clone, Debug)]
pub struct RmsNorm {
    weight: Param,
    eps: f64,
}

impl RmsNorm {
    /// Starts as the plain division.
    pub fn new(features: usize, eps: f64, params: &Params) -> Result<Self> {
        Ok(Self { weight: params.get(features, "weight", Init::Const(1.))?, eps })
    }

    /// `(…, d)` → `(…, d)`
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let d = self.weight.var().elem_count();
        if x.dims().last() != Some(&d) {
            let what = format!("rms norm `{}`", self.weight.name());
            return Err(Error::shape(what, format!("(…, {d})"), x.shape()));
        }
        ops::rms_norm(x, &self.weight.tensor(), self.eps)
    }
}

/// A table of vectors, as `nn.Embedding`. Key: `weight (v, d)`.
#[derive(Clone, Debug)]
pub struct Embedding {
    weight: Param,
}

impl Embedding {
    /// `v` rows of `d` values, normal with deviation 0.02.
    pub fn new(vocabulary: usize, features: usize, params: &Params) -> Result<Self> {
        Self::normal(vocabulary, features, 0.02, params)
    }

    /// `v` rows of `d` values, normal with this deviation.
    pub fn normal(
        vocabulary: usize,
        features: usize,
        deviation: f32,
        params: &Params,
    ) -> Result<Self> {
        let init = Init::Normal(deviation);
        Ok(Self { weight: params.get((vocabulary, features), "weight", init)? })
    }

    /// ids `(…)` → `(…, d)`
    pub fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        let weight = self.weight.tensor();
        let d = weight.dim(1)?;
        let mut dims = ids.dims().to_vec();
        dims.push(d);
        let rows = weight.index_select(&ids.flatten_all()?.contiguous()?, 0)?;
        let rows = if rows.dtype() == DType::BF16 { rows.to_dtype(DType::F32)? } else { rows };
        Ok(rows.reshape(dims)?)
    }

    /// The table itself, `(v, d)`: for tied output layers.
    pub fn weight(&self) -> Tensor {
        self.weight.tensor()
    }
}

/// Sets values to zero with probability `p` in training and scales the rest by `1/(1-p)`; seeded.
#[derive(Clone, Debug)]
pub struct Dropout {
    p: f64,
    rng: Arc<Mutex<ChaCha8Rng>>,
}

impl Dropout {
    /// `p` in `[0, 1)`; the seed comes from `params`.
    pub fn new(p: f64, params: &Params) -> Self {
        Self { p, rng: Arc::new(Mutex::new(ChaCha8Rng::seed_from_u64(params.next_seed()))) }
    }

    /// Same shape in and out.
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        match self.drops(mode) {
            Some(drops) => ops::dropout(x, drops),
            None => Ok(x.clone()),
        }
    }

    /// What falls away in this pass; nothing in evaluation.
    pub fn drops(&self, mode: Mode) -> Option<Drops> {
        if mode == Mode::Eval || self.p == 0. {
            return None;
        }
        let mut rng = self.rng.lock().unwrap_or_else(|e| e.into_inner());
        Some(Drops::new(self.p, rng.random()))
    }
}

/// A convolution over square kernels, as `nn.Conv2d`, without bias unless [`biased`](Self::biased). Keys:
/// `weight (out, in/groups, k, k)`, `bias (out)` where there is one.
#[derive(Clone, Debug)]
pub struct Conv2d {
    weight: Param,
    bias: Option<Param>,
    stride: usize,
    padding: usize,
    groups: usize,
}

impl Conv2d {
    /// Padded by `k/2`, one group. Starts normal with deviation `√(2 / (out·k²))` (He's initialisation by fan-out, as
    /// ResNet's).
    pub fn new(
        in_channels: usize,
        out_channels: usize,
        kernel: usize,
        stride: usize,
        params: &Params,
    ) -> Result<Self> {
        Self::grouped(in_channels, out_channels, kernel, stride, 1, params)
    }

    /// As [`new`](Self::new), in `groups` that see only their own channels; with `groups = in_channels` it is depthwise.
    ///
    /// # Errors
    /// When `groups` does not divide both numbers of channels.
    pub fn grouped(
        in_channels: usize,
        out_channels: usize,
        kernel: usize,
        stride: usize,
        groups: usize,
        params: &Params,
    ) -> Result<Self> {
        if groups == 0
            || !in_channels.is_multiple_of(groups)
            || !out_channels.is_multiple_of(groups)
        {
            let expected = format!("a divisor of {in_channels} and of {out_channels}");
            return Err(Error::value("Conv2d::grouped, groups", expected, groups));
        }
        let std = (2. * groups as f32 / (out_channels * kernel * kernel) as f32).sqrt();
        let shape = (out_channels, in_channels / groups, kernel, kernel);
        let weight = params.get(shape, "weight", Init::Normal(std))?;
        Ok(Self { weight, bias: None, stride, padding: kernel / 2, groups })
    }

    /// The same with a bias that starts at 0.
    ///
    /// # Errors
    /// When the parameter exists with another shape.
    pub fn biased(self, params: &Params) -> Result<Self> {
        let out = self.weight.var().dim(0)?;
        Ok(Self { bias: Some(params.get(out, "bias", Init::Const(0.))?), ..self })
    }

    /// The same with another padding: 0 for pictures that are padded already.
    pub fn with_padding(self, padding: usize) -> Self {
        Self { padding, ..self }
    }

    /// `(b, in, h, w)` → `(b, out, h', w')`, `h' = ⌊(h + 2·padding − k) / stride⌋ + 1`
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.convolved(x, false)
    }

    /// [`forward`](Self::forward) and ReLU, in one operation where there is a bias.
    pub fn forward_relu(&self, x: &Tensor) -> Result<Tensor> {
        self.convolved(x, true)
    }

    fn convolved(&self, x: &Tensor, relu: bool) -> Result<Tensor> {
        let channels = self.weight.var().dim(1)? * self.groups;
        if x.rank() != 4 || x.dim(1)? != channels {
            let what = format!("convolution `{}`", self.weight.name());
            return Err(Error::shape(
                what,
                format!("(batch, {channels}, height, width)"),
                x.shape(),
            ));
        }
        let y = ops::conv2d(x, &self.weight.tensor(), self.stride, self.padding, self.groups)?;
        match &self.bias {
            Some(bias) => {
                let bias = bias.tensor();
                ops::scale_channels(&y, &bias.detach().ones_like()?, &bias, relu)
            }
            None if relu => ops::relu(&y),
            None => Ok(y),
        }
    }
}

/// Normalises each channel over batch, height and width, as `nn.BatchNorm2d`.
///
/// Keys: `weight`, `bias`, and the buffers `running_mean`, `running_var`, all `(c)`. (PyTorch's
/// `num_batches_tracked` is not used and not kept.)
#[derive(Clone, Debug)]
pub struct BatchNorm2d {
    weight: Param,
    bias: Param,
    running_mean: Param,
    running_var: Param,
    eps: f64,
    momentum: f64,
}

impl BatchNorm2d {
    /// `eps` 1e-5 and momentum 0.1, PyTorch's defaults.
    pub fn new(channels: usize, params: &Params) -> Result<Self> {
        Self::with_eps(channels, 1e-5, params)
    }

    /// With another `eps`; TensorFlow's is 1e-3.
    pub fn with_eps(channels: usize, eps: f64, params: &Params) -> Result<Self> {
        Ok(Self {
            weight: params.get(channels, "weight", Init::Const(1.))?,
            bias: params.get(channels, "bias", Init::Const(0.))?,
            running_mean: params.buffer(channels, "running_mean", 0.)?,
            running_var: params.buffer(channels, "running_var", 1.)?,
            eps,
            momentum: 0.1,
        })
    }

    /// `(b, c, h, w)` → the same. In training the batch's own statistics are used, and the running ones follow.
    pub fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        self.normalised(x, mode, false)
    }

    /// [`forward`](Self::forward) and ReLU in one operation.
    pub fn forward_relu(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        self.normalised(x, mode, true)
    }

    fn normalised(&self, x: &Tensor, mode: Mode, relu: bool) -> Result<Tensor> {
        let (weight, bias) = (self.weight.tensor(), self.bias.tensor());
        if mode == Mode::Eval {
            let inv = (self.running_var.tensor() + self.eps)?.sqrt()?.recip()?;
            let scale = (&weight * inv)?;
            let shift = (&bias - (self.running_mean.tensor() * &scale)?)?;
            return ops::scale_channels(x, &scale, &shift, relu);
        }
        let (b, _, h, w) = x.dims4()?;
        let count = (b * h * w) as f64;
        let (y, mean, var) = ops::batch_norm(x, &weight, &bias, self.eps, relu)?;
        let unbiased = (var * (count / (count - 1.).max(1.)))?;
        for (running, new) in [(&self.running_mean, mean), (&self.running_var, unbiased)] {
            let old = running.var().as_detached_tensor();
            running.var().set(&((old * (1. - self.momentum))? + (new * self.momentum)?)?)?;
        }
        Ok(y)
    }
}

/// Rows of unit length over the last dimension, as `F.normalize`.
pub fn l2_normalize(x: &Tensor) -> Result<Tensor> {
    let norm = x.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?.clamp(1e-12, f64::INFINITY)?;
    Ok(x.broadcast_div(&norm)?)
}
