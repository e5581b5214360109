//! CLIP's ResNet (arXiv:2103.00020, section 2.4), with OpenAI's parameter names (`ModifiedResNet`). Three things differ from the
//! ResNet of arXiv:1512.03385: the stem is three convolutions and a mean (the ResNet-D of arXiv:1812.01187); a convolution with a
//! stride is one without, and a mean before or after it (against aliasing, arXiv:1904.11486); and the last pooling is attention.

use candle_core::Tensor;

use super::ImageEncoder;
use super::attention_pool::AttentionPool;
use crate::config::ClipResNetConfig;
use crate::nn::{BatchNorm2d, Conv2d, Init, Mode, Params, ops};
use crate::{Error, Result};

/// How much wider a bottleneck is outside.
const EXPANSION: usize = 4;

/// A convolution with its batch norm: `convN`, `bnN`.
struct ConvNorm {
    conv: Conv2d,
    bn: BatchNorm2d,
}

impl ConvNorm {
    fn new(
        n: usize,
        sizes: (usize, usize),
        kernel: usize,
        stride: usize,
        params: &Params,
    ) -> Result<Self> {
        let (inp, out) = sizes;
        Ok(Self {
            conv: Conv2d::new(inp, out, kernel, stride, &params.pp(format!("conv{n}")))?,
            bn: BatchNorm2d::new(out, &params.pp(format!("bn{n}")))?,
        })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        self.bn.forward(&self.conv.forward(x)?, mode)
    }

    fn forward_relu(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        self.bn.forward_relu(&self.conv.forward(x)?, mode)
    }
}

struct Bottleneck {
    convs: [ConvNorm; 3],
    downsample: Option<ConvNorm>,
    stride: usize,
}

impl Bottleneck {
    fn new(inp: usize, narrow: usize, stride: usize, params: &Params) -> Result<Self> {
        let out = narrow * EXPANSION;
        // A block starts as the identity: its last norm scales by zero.
        params.pp("bn3").get(out, "weight", Init::Const(0.))?;
        let convs = [
            ConvNorm::new(1, (inp, narrow), 1, 1, params)?,
            ConvNorm::new(2, (narrow, narrow), 3, 1, params)?,
            ConvNorm::new(3, (narrow, out), 1, 1, params)?,
        ];
        let places = params.pp("downsample");
        let downsample = || -> Result<ConvNorm> {
            Ok(ConvNorm {
                conv: Conv2d::new(inp, out, 1, 1, &places.pp("0"))?,
                bn: BatchNorm2d::new(out, &places.pp("1"))?,
            })
        };
        let downsample = (stride > 1 || inp != out).then(downsample).transpose()?;
        Ok(Self { convs, downsample, stride })
    }

    fn forward(&self, x: &Tensor, mode: Mode) -> Result<Tensor> {
        let pooled = |x: Tensor| match self.stride {
            1 => Ok(x),
            stride => ops::avg_pool2d(&x, stride),
        };
        let [first, second, third] = &self.convs;
        let inside = second.forward_relu(&first.forward_relu(x, mode)?, mode)?;
        let y = third.forward(&pooled(inside)?, mode)?;
        let residual = match &self.downsample {
            Some(downsample) => downsample.forward(&pooled(x.clone())?, mode)?,
            None => x.clone(),
        };
        ops::add_relu(&y, &residual)
    }
}

/// Pictures to what attention pooling makes of them.
pub struct ClipResNet {
    stem: [ConvNorm; 3],
    stages: Vec<Vec<Bottleneck>>,
    attnpool: AttentionPool,
    config: ClipResNetConfig,
}

impl ClipResNet {
    /// Takes its parameters from `params`, under OpenAI's names.
    ///
    /// # Errors
    /// When there are not four stages, or a size does not divide another.
    pub fn new(config: &ClipResNetConfig, params: &Params) -> Result<Self> {
        let ClipResNetConfig { image_size, width, heads, output_dim, .. } = *config;
        let d = width * 8 * EXPANSION;
        let wrong = |field: &str, expected: String, got: String| {
            Err(Error::value(format!("config.image_encoder.{field}"), expected, got))
        };
        if config.layers.len() != 4 || config.layers.contains(&0) {
            let got = format!("{:?}", config.layers);
            return wrong("layers", "four numbers of at least 1".into(), got);
        }
        if image_size == 0 || !image_size.is_multiple_of(32) {
            return wrong("image_size", "a multiple of 32".into(), image_size.to_string());
        }
        if width == 0 || !width.is_multiple_of(2) {
            return wrong("width", "an even number".into(), width.to_string());
        }
        if heads == 0 || !d.is_multiple_of(heads) {
            return wrong("heads", format!("a divisor of 32 · width = {d}"), heads.to_string());
        }
        let half = width / 2;
        let stem = [
            ConvNorm::new(1, (3, half), 3, 2, params)?,
            ConvNorm::new(2, (half, half), 3, 1, params)?,
            ConvNorm::new(3, (half, width), 3, 1, params)?,
        ];
        let (mut stages, mut channels) = (Vec::new(), width);
        for (i, &depth) in config.layers.iter().enumerate() {
            let (narrow, stride) = (width << i, if i == 0 { 1 } else { 2 });
            let mut stage = Vec::new();
            for at in 0..depth {
                let place = params.pp(format!("layer{}.{at}", i + 1));
                let stride = if at == 0 { stride } else { 1 };
                stage.push(Bottleneck::new(channels, narrow, stride, &place)?);
                channels = narrow * EXPANSION;
            }
            stages.push(stage);
        }
        let place = params.pp("attnpool");
        let attnpool = AttentionPool::new(image_size / 32, d, heads, output_dim, &place)?;
        Ok(Self { stem, stages, attnpool, config: config.clone() })
    }

    /// `(b, 3, s, s)` → `(b, 32·width, s/32, s/32)`: the last stage's maps.
    ///
    /// # Errors
    /// When the pictures have another side than the table of places.
    pub fn maps(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        let side = self.config.image_size;
        if images.rank() != 4 || images.dims()[1..] != [3, side, side] {
            let expected = format!("(batch, 3, {side}, {side})");
            return Err(Error::shape("CLIP's ResNet, images", expected, images.shape()));
        }
        let mut x = images.clone();
        for conv in &self.stem {
            x = conv.forward_relu(&x, mode)?;
        }
        x = ops::avg_pool2d(&x, 2)?; // (b, width, s/4, s/4)
        for block in self.stages.iter().flatten() {
            x = block.forward(&x, mode)?;
        }
        Ok(x)
    }
}

impl ImageEncoder for ClipResNet {
    fn forward(&self, images: &Tensor, mode: Mode) -> Result<Tensor> {
        self.attnpool.forward(&self.maps(images, mode)?)
    }

    fn features(&self) -> usize {
        self.config.output_dim
    }
}
