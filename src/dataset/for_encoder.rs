//! The transform that an encoder's weights want.

use super::Transform;
use crate::config::Config;

impl Transform {
    /// Pictures as the image encoder of `config` was trained on them: its side, its way to the square, its mean and deviation.
    pub fn of(config: &Config) -> Self {
        let (mean, std) = config.image_encoder.normalisation();
        Self { size: config.size, mean, std, fit: config.fit }
    }
}
