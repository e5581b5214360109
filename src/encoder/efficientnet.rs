//! EfficientNet-Lite (arXiv:1905.11946; without squeeze-and-excitation and with ReLU6, so that it runs on small devices),
//! with timm's parameter names (`tf_efficientnet_lite0`).
//!
//! Its blocks are inverted bottlenecks (arXiv:1801.04381): a 1×1 convolution widens, a depthwise one filters each channel
//! by itself, a 1×1 one narrows. Padding is TensorFlow's `SAME`, and batch norm's `eps` is 1e-3.

use candle_core::Tensor;

use super::ImageEncoder;
use crate::Result;
use crate::config::{EfficientNetLiteConfig, InvertedStage};
use crate::nn::{BatchNorm2d, Conv2d, Mode, Params, ops};

const EPS: f64 = 1e-3;

/// Convolution, batch norm, and ReLU6 where there is one.
struct ConvNorm {
    convolution: Conv2d,
    normalization: BatchNorm2d,
    relu6: bool,
}

impl ConvNorm {
    fn new(convolution: Conv2d, channels: usize, relu6: bool, norm: &Params) -> Result<Self> {
        let normalization = BatchNorm2d::with_eps(channels, EPS, norm)?;
        Ok(Self { convolution: convolution.same_padding(), normalization, relu6 })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let y = self.convolution.forward(x)?;
        if !self.relu6 {
            return self.normalization.forward(&y, mode);
        }
        let y = self.normalization.forward_relu(&y, mode)?;
        // min(y, 6), exactly 6 above, where the gradient is none: as 6 − relu(6 − y).
        let below = ops::relu(&y.affine(-1., 6.)?)?;
        Ok(below.affine(-1., 6.)?)
    }
}

/// Widen, filter, narrow; the sum with what came in where the shapes allow it.
struct Inverted {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    project: ConvNorm,
    residual: bool,
}

impl Inverted {
    fn new(inp: usize, stride: usize, stage: &InvertedStage, params: &Params) -> Result<Self> {
        let (inside, out) = (inp * stage.expand, stage.channels);
        // timm counts the convolutions and norms of a block from its first, whichever that is.
        let (names, expand) = match stage.expand {
            1 => (["conv_dw", "bn1", "conv_pw", "bn2"], None),
            _ => {
                let conv = Conv2d::new(inp, inside, 1, 1, &params.pp("conv_pw"))?;
                let expand = ConvNorm::new(conv, inside, true, &params.pp("bn1"))?;
                (["conv_dw", "bn2", "conv_pwl", "bn3"], Some(expand))
            }
        };
        let [depthwise, depthwise_norm, project, project_norm] = names.map(|name| params.pp(name));
        let filter = Conv2d::depthwise(inside, stage.kernel, stride, &depthwise)?;
        let narrow = Conv2d::new(inside, out, 1, 1, &project)?;
        Ok(Self {
            expand,
            depthwise: ConvNorm::new(filter, inside, true, &depthwise_norm)?,
            project: ConvNorm::new(narrow, out, false, &project_norm)?,
            residual: stride == 1 && inp == out,
        })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let wide = match &self.expand {
            Some(expand) => expand.forward(x, mode)?,
            None => x.clone(),
        };
        let y = self.project.forward(&self.depthwise.forward(&wide, mode)?, mode)?;
        Ok(if self.residual { (y + x)? } else { y })
    }
}

/// An EfficientNet-Lite without its classifier: pictures to pooled features.
pub struct EfficientNetLite {
    stem: ConvNorm,
    blocks: Vec<Inverted>,
    head: ConvNorm,
    features: usize,
}

impl EfficientNetLite {
    /// Takes its parameters from `params`, under timm's names.
    pub fn new(config: &EfficientNetLiteConfig, params: &Params) -> Result<Self> {
        let stem = Conv2d::new(3, config.stem_size, 3, 2, &params.pp("conv_stem"))?;
        let stem = ConvNorm::new(stem, config.stem_size, true, &params.pp("bn1"))?;
        let mut blocks = Vec::new();
        let mut channels = config.stem_size;
        for (i, stage) in config.stages.iter().enumerate() {
            for j in 0..stage.depth {
                let stride = if j == 0 { stage.stride } else { 1 };
                let params = params.pp(format!("blocks.{i}.{j}"));
                blocks.push(Inverted::new(channels, stride, stage, &params)?);
                channels = stage.channels;
            }
        }
        let head = Conv2d::new(channels, config.head_size, 1, 1, &params.pp("conv_head"))?;
        let head = ConvNorm::new(head, config.head_size, true, &params.pp("bn2"))?;
        Ok(Self { stem, blocks, head, features: config.head_size })
    }
}

impl ImageEncoder for EfficientNetLite {
    fn forward(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        let mut x = self.stem.forward(images, mode)?; // (b, c, s/2, s/2)
        for block in &self.blocks {
            x = block.forward(&x, mode)?;
        }
        ops::global_avg_pool(&self.head.forward(&x, mode)?) // (b, d)
    }

    fn features(&self) -> usize {
        self.features
    }
}
