//! The image encoders: which one, and its sizes.

use serde::{Deserialize, Serialize};

/// The residual layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResidualLayer {
    /// Two 3×3 convolutions (ResNet-18, 34).
    Basic,
    /// 1×1, 3×3, 1×1 with a quarter of the width inside (ResNet-50 and larger).
    Bottleneck,
}

/// What happens to a picture before the first residual layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stem {
    /// The paper's: a 7×7 convolution of stride 2 and a 3×3 maximum of stride 2; a quarter of the side.
    Large,
    /// For small pictures: a 3×3 convolution of stride 2, no pooling; half of the side.
    Small,
}

/// The sizes of a ResNet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResNetConfig {
    /// Channels after the stem.
    pub embedding_size: usize,
    /// Channels after each stage; the last is the length of the features.
    pub hidden_sizes: Vec<usize>,
    /// Residual layers in each stage.
    pub depths: Vec<usize>,
    /// Which residual layer.
    pub layer: ResidualLayer,
    /// Which stem.
    pub stem: Stem,
}

impl ResNetConfig {
    /// For scenes at 64²: four stages, one basic layer each, features of 256.
    pub fn tiny() -> Self {
        Self {
            embedding_size: 32,
            hidden_sizes: vec![32, 64, 128, 256],
            depths: vec![1, 1, 1, 1],
            layer: ResidualLayer::Basic,
            stem: Stem::Large,
        }
    }

    /// `microsoft/resnet-50`: features of 2048.
    pub fn resnet50() -> Self {
        Self {
            embedding_size: 64,
            hidden_sizes: vec![256, 512, 1024, 2048],
            depths: vec![3, 4, 6, 3],
            layer: ResidualLayer::Bottleneck,
            stem: Stem::Large,
        }
    }
}

/// The sizes of an EfficientNet-Lite: a MobileNet without squeeze-and-excitation, with ReLU6 for Swish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EfficientNetLiteConfig {
    /// Channels after the stem.
    pub stem_size: usize,
    /// The stages of inverted bottlenecks (arXiv:1801.04381).
    pub stages: Vec<InvertedStage>,
    /// Channels after the head, the length of the features.
    pub head_size: usize,
}

/// One stage of an EfficientNet: blocks that expand, filter each channel by itself, and narrow again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvertedStage {
    /// Blocks.
    pub depth: usize,
    /// The side of the filter, pixels.
    pub kernel: usize,
    /// The stride of the first block.
    pub stride: usize,
    /// How many times wider it is inside; at 1 nothing is expanded.
    pub expand: usize,
    /// Channels after it.
    pub channels: usize,
}

impl EfficientNetLiteConfig {
    /// `tf_efficientnet_lite0`: features of 1280.
    pub fn lite0() -> Self {
        let stage = |depth, kernel, stride, expand, channels| InvertedStage {
            depth,
            kernel,
            stride,
            expand,
            channels,
        };
        Self {
            stem_size: 32,
            stages: vec![
                stage(1, 3, 1, 1, 16),
                stage(2, 3, 2, 6, 24),
                stage(2, 5, 2, 6, 40),
                stage(3, 3, 2, 6, 80),
                stage(3, 5, 1, 6, 112),
                stage(4, 5, 2, 6, 192),
                stage(1, 3, 1, 6, 320),
            ],
            head_size: 1280,
        }
    }
}

/// The function inside a feed-forward layer, as `config.json` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x Φ(x)`.
    Gelu,
    /// `x σ(1.702 x)`: OpenAI's CLIP.
    QuickGelu,
}

/// The sizes of a vision transformer, named as in CLIP's `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VitConfig {
    /// The side of a picture, pixels.
    pub image_size: usize,
    /// The side of a patch, pixels; it divides `image_size`.
    pub patch_size: usize,
    /// The length of a token's vector, and of the features.
    pub hidden_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Attention heads; they divide `hidden_size`.
    pub num_attention_heads: usize,
    /// The width inside a feed-forward layer.
    pub intermediate_size: usize,
    /// The function there.
    pub hidden_act: Activation,
    /// Dropout in training.
    pub dropout: f64,
}

impl VitConfig {
    /// For scenes at 64²: 64 patches of 8², four layers of 128. It has no pretrained weights: `image_start: Start::Scratch`.
    pub fn tiny() -> Self {
        Self {
            image_size: 64,
            patch_size: 8,
            hidden_size: 128,
            num_hidden_layers: 4,
            num_attention_heads: 4,
            intermediate_size: 512,
            hidden_act: Activation::Gelu,
            dropout: 0.,
        }
    }

    /// `openai/clip-vit-base-patch32`: 49 patches of 32², twelve layers of 768.
    pub fn base_patch32() -> Self {
        Self {
            image_size: 224,
            patch_size: 32,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: Activation::QuickGelu,
            dropout: 0.,
        }
    }
}

/// The sizes of CLIP's ResNet (arXiv:2103.00020, section 2.4), named as in open_clip's configurations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClipResNetConfig {
    /// The side of a picture, pixels; a multiple of 32.
    pub image_size: usize,
    /// Bottlenecks in each of the four stages.
    pub layers: Vec<usize>,
    /// Channels after the stem, an even number; after the last stage there are 32 times as many.
    pub width: usize,
    /// Heads of the attention pooling; they divide 32 times the width.
    pub heads: usize,
    /// The length of the features, to which the pooling projects: in OpenAI's models they are the embedding.
    pub output_dim: usize,
}

impl ClipResNetConfig {
    /// For scenes at 64²: a bottleneck a stage, features of 256. It has no pretrained weights: `image_start: Start::Scratch`.
    pub fn tiny() -> Self {
        Self { image_size: 64, layers: vec![1, 1, 1, 1], width: 16, heads: 8, output_dim: 256 }
    }

    /// OpenAI's `RN50`: features of 1024.
    pub fn rn50() -> Self {
        Self { image_size: 224, layers: vec![3, 4, 6, 3], width: 64, heads: 32, output_dim: 1024 }
    }
}

/// Which image encoder. In a checkpoint's configuration it is told by its fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ImageEncoderConfig {
    /// ResNet (arXiv:1512.03385): `tiny` and `lecture`.
    ResNet(ResNetConfig),
    /// EfficientNet-Lite (arXiv:1905.11946): `mini`.
    EfficientNetLite(EfficientNetLiteConfig),
    /// A vision transformer (arXiv:2010.11929), as CLIP has it.
    Vit(VitConfig),
    /// CLIP's ResNet (arXiv:2103.00020, section 2.4).
    ClipResNet(ClipResNetConfig),
}

/// Mean and deviation of red, green and blue, where white is 1, of the pictures that CLIP was trained on.
pub(crate) const CLIP_NORMALISATION: ([f32; 3], [f32; 3]) =
    ([0.481_454_66, 0.457_827_5, 0.408_210_73], [0.268_629_54, 0.261_302_6, 0.275_777_1]);

impl ImageEncoderConfig {
    /// Mean and deviation of red, green and blue, where white is 1, of the pictures that the published weights were
    /// trained on: ImageNet's for ResNet, the middle grey and half of the range for EfficientNet-Lite, CLIP's own for a vision
    /// transformer and for CLIP's ResNet.
    pub fn normalisation(&self) -> ([f32; 3], [f32; 3]) {
        match self {
            Self::ResNet(_) => ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            Self::EfficientNetLite(_) => ([0.5; 3], [0.5; 3]),
            Self::Vit(_) | Self::ClipResNet(_) => CLIP_NORMALISATION,
        }
    }
}

impl From<ResNetConfig> for ImageEncoderConfig {
    fn from(config: ResNetConfig) -> Self {
        Self::ResNet(config)
    }
}

impl From<EfficientNetLiteConfig> for ImageEncoderConfig {
    fn from(config: EfficientNetLiteConfig) -> Self {
        Self::EfficientNetLite(config)
    }
}

impl From<VitConfig> for ImageEncoderConfig {
    fn from(config: VitConfig) -> Self {
        Self::Vit(config)
    }
}

impl From<ClipResNetConfig> for ImageEncoderConfig {
    fn from(config: ClipResNetConfig) -> Self {
        Self::ClipResNet(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkpoint's configuration does not say which encoder it is: its fields do.
    #[test]
    fn every_encoder_is_told_by_its_fields() {
        let all: [ImageEncoderConfig; 4] = [
            ResNetConfig::tiny().into(),
            EfficientNetLiteConfig::lite0().into(),
            VitConfig::tiny().into(),
            ClipResNetConfig::tiny().into(),
        ];
        for config in all {
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(serde_json::from_str::<ImageEncoderConfig>(&json).unwrap(), config);
        }
    }
}
