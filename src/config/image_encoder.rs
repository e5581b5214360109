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

/// Which image encoder. In a checkpoint's configuration it is told by its fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ImageEncoderConfig {
    /// ResNet (arXiv:1512.03385): `tiny` and `lecture`.
    ResNet(ResNetConfig),
    /// EfficientNet-Lite (arXiv:1905.11946): `mini`.
    EfficientNetLite(EfficientNetLiteConfig),
}

impl ImageEncoderConfig {
    /// Mean and deviation of red, green and blue, where white is 1, of the pictures that the published weights were
    /// trained on: ImageNet's for ResNet, the middle grey and half of the range for EfficientNet-Lite.
    pub fn normalisation(&self) -> ([f32; 3], [f32; 3]) {
        match self {
            Self::ResNet(_) => ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            Self::EfficientNetLite(_) => ([0.5; 3], [0.5; 3]),
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
