//! The cosine along which the paper changes temperature and KL weight (appendix A.2).

use serde::{Deserialize, Serialize};

/// From one value to another along half a cosine, over the first part of a training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ramp {
    /// The value at the beginning.
    pub from: f64,
    /// The value at the end.
    pub to: f64,
    /// The part of the training after which the end is reached, 0 to 1.
    pub until: f64,
}

impl Ramp {
    /// The value when `done` of the training, 0 to 1, is behind: `to + (from − to) (1 + cos(π · done / until)) / 2`.
    pub fn at(&self, done: f64) -> f64 {
        let part = if self.until > 0. { (done / self.until).clamp(0., 1.) } else { 1. };
        self.to + (self.from - self.to) * 0.5 * (1. + (std::f64::consts::PI * part).cos())
    }
}
