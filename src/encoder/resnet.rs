//! ResNet (arXiv:1512.03385), with transformers' parameter names (`ResNetModel`).

use candle_core::Tensor;

use super::ImageEncoder;
use crate::config::{ResNetConfig, ResidualLayer, Stem};
use crate::nn::{BatchNorm2d, Conv2d, Mode, Params, ops};
use crate::{Error, Result};

/// Convolution, batch norm, and ReLU where there is one.
struct ConvNorm {
    convolution: Conv2d,
    normalization: BatchNorm2d,
    relu: bool,
}

impl ConvNorm {
    fn new(
        inp: usize,
        out: usize,
        kernel: usize,
        stride: usize,
        relu: bool,
        params: &Params,
    ) -> Result<Self> {
        Ok(Self {
            convolution: Conv2d::new(inp, out, kernel, stride, &params.pp("convolution"))?,
            normalization: BatchNorm2d::new(out, &params.pp("normalization"))?,
            relu,
        })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let y = self.convolution.forward(x)?;
        if self.relu {
            self.normalization.forward_relu(&y, mode)
        } else {
            self.normalization.forward(&y, mode)
        }
    }
}

struct Residual {
    shortcut: Option<ConvNorm>,
    layer: Vec<ConvNorm>,
}

impl Residual {
    fn new(
        kind: ResidualLayer,
        inp: usize,
        out: usize,
        stride: usize,
        params: &Params,
    ) -> Result<Self> {
        let conv = |i: usize, inp, out, kernel, stride, relu| {
            ConvNorm::new(inp, out, kernel, stride, relu, &params.pp(format!("layer.{i}")))
        };
        let layer = match kind {
            ResidualLayer::Basic => {
                vec![conv(0, inp, out, 3, stride, true)?, conv(1, out, out, 3, 1, false)?]
            }
            ResidualLayer::Bottleneck => {
                let narrow = out / 4;
                vec![
                    conv(0, inp, narrow, 1, 1, true)?,
                    conv(1, narrow, narrow, 3, stride, true)?,
                    conv(2, narrow, out, 1, 1, false)?,
                ]
            }
        };
        let shortcut = (inp != out || stride != 1)
            .then(|| ConvNorm::new(inp, out, 1, stride, false, &params.pp("shortcut")))
            .transpose()?;
        Ok(Self { shortcut, layer })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut y = x.clone();
        for conv in &self.layer {
            y = conv.forward(&y, mode)?;
        }
        let residual = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x, mode)?,
            None => x.clone(),
        };
        ops::add_relu(&y, &residual)
    }
}

/// A ResNet without its classifier: pictures to pooled features.
pub struct ResNet {
    stem: ConvNorm,
    pooled: bool,
    stages: Vec<Vec<Residual>>,
    features: usize,
}

impl ResNet {
    /// Takes its parameters from `params`, under transformers' names.
    pub fn new(config: &ResNetConfig, params: &Params) -> Result<Self> {
        let (kernel, pooled) = match config.stem {
            Stem::Large => (7, true),
            Stem::Small => (3, false),
        };
        let stem_params = params.pp("embedder.embedder");
        let stem = ConvNorm::new(3, config.embedding_size, kernel, 2, true, &stem_params)?;
        let mut stages = Vec::new();
        let mut channels = config.embedding_size;
        for (i, (&out, &depth)) in config.hidden_sizes.iter().zip(&config.depths).enumerate() {
            let mut layers = Vec::new();
            for j in 0..depth {
                let stride = if i > 0 && j == 0 { 2 } else { 1 };
                let params = params.pp(format!("encoder.stages.{i}.layers.{j}"));
                layers.push(Residual::new(config.layer, channels, out, stride, &params)?);
                channels = out;
            }
            stages.push(layers);
        }
        Ok(Self { stem, pooled, stages, features: channels })
    }

    /// The feature map `(b, c, h, w)` after each stage; the pooled features are the last one's mean.
    ///
    /// # Errors
    /// When the pictures are not `(b, 3, s, s)`.
    pub fn stages(&self, images: &Tensor, mode: Mode) -> Result<Vec<Tensor>> {
        let mut x = self.stem.forward(images, mode)?; // (b, c, s/2, s/2)
        if self.pooled {
            x = ops::max_pool2d(&x, 3, 2, 1)?; // (b, c, s/4, s/4)
        }
        let mut maps = Vec::new();
        for stage in &self.stages {
            for layer in stage {
                x = layer.forward(&x, mode)?;
            }
            maps.push(x.clone());
        }
        Ok(maps)
    }
}

impl ImageEncoder for ResNet {
    fn forward(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        let maps = self.stages(images, mode)?;
        let last =
            maps.last().ok_or_else(|| Error::value("a ResNet", "at least one stage", "none"))?;
        ops::global_avg_pool(last) // (b, d)
    }

    fn features(&self) -> usize {
        self.features
    }
}
