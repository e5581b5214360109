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
    /// The kernel and the stride of a convolution whose zeros are added here: more to the right and the bottom.
    padded: Option<(usize, usize)>,
    normalization: BatchNorm2d,
    relu6: bool,
}

impl ConvNorm {
    /// From `inp` channels to `out`; depthwise where `groups` is `inp`.
    fn new(
        (inp, out, groups): (usize, usize, usize),
        (kernel, stride): (usize, usize),
        relu6: bool,
        convolution: &Params,
        norm: &Params,
    ) -> Result<Self> {
        let convolution = Conv2d::grouped(inp, out, kernel, stride, groups, convolution)?;
        let normalization = BatchNorm2d::with_eps(out, EPS, norm)?;
        // With stride 1, `SAME` is the convolution's own padding, as much on every side.
        Ok(match stride {
            1 => Self { convolution, padded: None, normalization, relu6 },
            _ => {
                let convolution = convolution.with_padding(0);
                Self { convolution, padded: Some((kernel, stride)), normalization, relu6 }
            }
        })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let y = match self.padded {
            Some((kernel, stride)) => self.convolution.forward(&pad_same(x, kernel, stride)?)?,
            None => self.convolution.forward(x)?,
        };
        if !self.relu6 {
            return self.normalization.forward(&y, mode);
        }
        let y = self.normalization.forward_relu(&y, mode)?;
        // min(y, 6), exactly 6 above, where the gradient is none: as 6 − relu(6 − y).
        let below = ops::relu(&y.affine(-1., 6.)?)?;
        Ok(below.affine(-1., 6.)?)
    }
}

/// TensorFlow's `SAME`: so many zeros around `(b, c, h, w)` that `⌈h / stride⌉ × ⌈w / stride⌉` pixels come out, an odd one
/// to the right and the bottom.
fn pad_same(x: &Tensor, kernel: usize, stride: usize) -> Result<Tensor> {
    let mut x = x.clone();
    for dim in [2, 3] {
        let side = x.dim(dim)?;
        let reach = side.div_ceil(stride).saturating_sub(1) * stride + kernel;
        let missing = reach.saturating_sub(side);
        x = x.pad_with_zeros(dim, missing / 2, missing - missing / 2)?;
    }
    Ok(x)
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
                let (conv, norm) = (params.pp("conv_pw"), params.pp("bn1"));
                let expand = ConvNorm::new((inp, inside, 1), (1, 1), true, &conv, &norm)?;
                (["conv_dw", "bn2", "conv_pwl", "bn3"], Some(expand))
            }
        };
        let [depthwise, depthwise_norm, project, project_norm] = names.map(|name| params.pp(name));
        let each = (inside, inside, inside);
        let filter = (stage.kernel, stride);
        Ok(Self {
            expand,
            depthwise: ConvNorm::new(each, filter, true, &depthwise, &depthwise_norm)?,
            project: ConvNorm::new((inside, out, 1), (1, 1), false, &project, &project_norm)?,
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
        let part = |channels, kernel, conv: &str, norm: &str| {
            ConvNorm::new(channels, kernel, true, &params.pp(conv), &params.pp(norm))
        };
        let stem = part((3, config.stem_size, 1), (3, 2), "conv_stem", "bn1")?;
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
        let head = part((channels, config.head_size, 1), (1, 1), "conv_head", "bn2")?;
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
